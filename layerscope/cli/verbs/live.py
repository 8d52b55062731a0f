"""`layerscope live`: the pages of an atlas, and its network watching a camera or pictures."""

import layerscope as ls
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.cli.verbs.serve import tell


def run(command: Command, output: Output) -> int:
    """Load the network, then serve until Ctrl-C."""
    output.remark(f"loading {command.values['net']}")
    return tell(ls.live(**command.values), output)
