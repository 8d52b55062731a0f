"""From a file's name to a network that can be traced, with what is to be said of it."""

from collections import Counter
from pathlib import Path

from layerscope.core.errors import TraceError
from layerscope.models.loaded import Loaded
from layerscope.models.onnx.file import model_in
from layerscope.models.onnx.inputs import pictured
from layerscope.models.onnx.plan import planned
from layerscope.models.onnx.runtime import own_forward
from layerscope.models.onnx.tree import tree

_FEWEST = 4


def onnx_network(spec: str, *, weights: object = None, with_weights: bool = True) -> Loaded:
    """The network in an ONNX file, with its own weights.

    Raises UsageError where there is no file, TraceError for what is no network of one picture that can be read.
    """
    path = Path(spec).expanduser()
    model = model_in(path)
    picture = pictured(model, path.name)
    plan = planned(model, picture)
    if not plan.steps:
        raise TraceError(f'nothing of "{path}" can be had: {_cut(plan.cut) or "it hands its input on"}')
    remarks = list(picture.remarks)
    if plan.cut:
        remarks.append(f"of {path.name} only what stands before some nodes can be had: {_cut(plan.cut)}")
    network = tree(plan, picture.name).eval()
    own = own_forward(path, picture.name, plan.names_in_file, last=picture.last) if all(plan.names_in_file) else None
    return Loaded(name=path.name, model=network, input=picture.input, remarks=tuple(remarks), own=own)


def _cut(cut: Counter[str]) -> str:
    """Why nodes were left out, each kind once."""
    listed = [f"{why}{f' ({count} times)' if count > 1 else ''}" for why, count in cut.most_common(_FEWEST)]
    rest = len(cut) - len(listed)
    return "; ".join(listed) + (f"; and {rest} more" if rest else "")
