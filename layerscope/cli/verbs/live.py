"""`layerscope live`: the pages of an atlas, and its network watching a camera or pictures."""

import argparse

from layerscope.atlas.read import AtlasFile
from layerscope.cli.output import Output
from layerscope.cli.verbs.serve import serve
from layerscope.viewer.serving import shelf_below


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Load the network, then serve until Ctrl-C."""
    from layerscope.api.looking import engine_of

    # First what is quickly known to be wrong: a large network takes a while to load.
    shelf = shelf_below([arguments.atlas], arguments.base)
    output.remark(f"loading {arguments.network}")
    engine = engine_of(AtlasFile(arguments.atlas), arguments.network, arguments.weights)
    return serve(shelf, arguments, output, engine=engine)
