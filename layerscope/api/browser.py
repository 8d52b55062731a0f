"""A network of the user's as a reader's browser gets it: opened, held to be the atlas's, and written as ONNX."""

import os
from typing import Any

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import UsageError
from layerscope.core.networks import How
from layerscope.core.numbers import megabytes
from layerscope.viewer.export.browser_network import BrowserNetwork
from layerscope.viewer.export.browser_runtime import HOW, browser_runtime
from layerscope.viewer.export.choice import ExportChoice
from layerscope.viewer.export.edition import Edition

# In a page's script, as text, a network is a third larger: 100 MB, more than which hosts of files such as GitHub Pages
# refuse in one file. And a page holds it some five times while it opens it, as text, packed, unpacked, in the runtime
# and as the runtime's own weights: 400 MB, about as much as a phone leaves to one page.
MOST_BYTES = 75 * 10**6


def browser_network(
    path: str | os.PathLike[str], choice: ExportChoice, network: Any, how: How, runtime: str | os.PathLike[str] | None
) -> BrowserNetwork:
    """The network that made an atlas, for the layers that are published.

    network: a Network, or what `trace` takes. runtime: where ONNX Runtime Web lies. Raises UsageError, WrongModel, and
    UnknownOp for a network that a browser cannot run.
    """
    if runtime is None:
        raise UsageError(f"a network needs what runs it in a browser, ONNX Runtime Web: {HOW}")
    runs_it = browser_runtime(runtime)
    from layerscope.api.looking import engine_of
    from layerscope.graph.classifier import classifier_of
    from layerscope.graph.onnx_file import onnx_bytes, onnx_file

    with Edition(path, choice) as edition, AtlasFile(path) as file:
        engine = engine_of(file, network, how)
        scores = classifier_of(engine.program.graph)
        wanted = {layer.id: layer.record.node for layer in edition.layers}
        _require_room(engine.name, onnx_bytes(engine.program, wanted, scores))
        content = onnx_file(engine.program, wanted, scores)
        return BrowserNetwork(
            # As the atlas calls it: a path of this machine is nobody else's matter.
            name=file.run.network,
            onnx=content,
            classes=tuple(engine.classes),
            scored=scores is not None,
            runtime=runs_it,
        )


def _require_room(name: str, size: int) -> None:
    """Before it is written: raises UsageError for a network that is too large for a page."""
    if size > MOST_BYTES:
        raise UsageError(
            f"{name} has {megabytes(size)} of weights, and a page in a browser takes at most {megabytes(MOST_BYTES)}: "
            "let others look at it by layerscope live"
        )
