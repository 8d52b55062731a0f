"""Which of a file's inputs is the picture, how it lies, and what is said of how pictures are made into it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto
from onnx.numpy_helper import to_array

from layerscope.core.errors import TraceError
from layerscope.core.records import Input

SIDE = 224
_MOST_CHANNELS = 64
_TO_FIRST, _BESIDE = [0, 3, 1, 2], ("Transpose", "Conv")
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
_WHOLE = (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64)
# By operator: how large the numbers must be that a constant takes a picture's to be, and from where on that is 0..255.
_LARGE: dict[str, Callable[[Any], Any]] = {
    "Mul": lambda factor: 1 / np.maximum(np.abs(factor), 1e-9), "Div": np.abs, "Sub": np.abs, "Add": np.negative,
}  # fmt: skip
_LARGE_FROM = 16
_ORDERS = {"Bgr8": "BGR", "Rgb8": "RGB"}


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """The input of a file. name: the file's. last: channels come last there. batch: the number of pictures that it is
    fixed to, None where that is free. input: what it expects. remarks: what was assumed."""

    name: str
    last: bool
    batch: int | None
    input: Input
    remarks: tuple[str, ...]


def pictured(model: ModelProto, name: str) -> Pictured:
    """The input that is a picture. Raises TraceError, with the file's name, where there is none or more than one."""
    graph = model.graph
    held = {one.name for one in graph.initializer} | {one.values.name for one in graph.sparse_initializer}
    given = [one for one in graph.input if one.name not in held]
    pictures = [one for one in given if len(_sizes(one)) == 4]
    if not given:
        raise TraceError(f'"{name}" takes no input, and so no picture')
    if len(given) > 1:
        listed = ", ".join(f"{one.name} {_shape_text(one)}" for one in given)
        raise TraceError(
            f'"{name}" takes {len(given)} inputs ({listed}); only networks of one picture are known: export the part '
            "that sees one picture"
        )
    if not pictures:
        raise TraceError(
            f'"{name}" takes {_shape_text(given[0])}, which is no picture: expected [pictures, channels, height, '
            "width], or channels last"
        )
    (one,) = pictures
    kind = one.type.tensor_type.elem_type
    if kind not in (*_FLOATS, *_WHOLE):
        raise TraceError(f'"{name}" takes numbers of the type {TensorProto.DataType.Name(kind)}, which no picture has')
    return _read(model, one, name)


def _read(model: ModelProto, one: ValueInfoProto, name: str) -> Pictured:
    batch, *sizes = _sizes(one)
    last = _channels_last(model.graph, one.name, sizes)
    height, width, channels = sizes if last else (*sizes[1:], sizes[0])
    channels = channels or _channels(model.graph, one.name) or 3
    whole = (
        one.type.tensor_type.elem_type in _WHOLE
        or _said(model, "Image.NominalPixelRange") == "NominalRange_0_255"
        or _brings_down(model.graph, one.name)
    )
    order = _ORDERS.get(_said(model, "Image.BitmapPixelFormat"), "RGB")
    if not 0 < channels <= _MOST_CHANNELS:
        raise TraceError(f'"{name}" takes {_shape_text(one)}: no picture has {channels} channels')
    remarks = []
    if not height or not width:
        remarks.append(
            f"{name} leaves the size of its pictures open; {height or SIDE} x {width or SIDE} is taken: --input "
            f"{channels}xHEIGHTxWIDTH takes another"
        )
    numbers = f"{order} " * (channels == 3) + ("from 0 to 255" if whole else "from 0 to 1")
    remarks.append(
        f"{name} does not say how its pictures were prepared: unless --mean, --std or --order say otherwise, they are "
        f"given as {numbers}; of weights trained as torchvision's: --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
    )
    return Pictured(
        name=one.name,
        last=last,
        batch=batch or None,
        input=Input(
            channels=channels, height=height or SIDE, width=width or SIDE, order=order,  # type: ignore[arg-type]
            mean=(0.0,) * channels, std=(1 / 255 if whole else 1.0,) * channels,
            show=None if channels in (1, 3) else tuple(min(one, channels - 1) for one in range(3)),  # type: ignore[arg-type]
        ),
        remarks=tuple(remarks),
    )  # fmt: skip


def _sizes(one: ValueInfoProto) -> list[int]:
    """The sizes of an input, 0 for one that is free."""
    return [max(size.dim_value, 0) for size in one.type.tensor_type.shape.dim]


def _shape_text(one: ValueInfoProto) -> str:
    sizes = one.type.tensor_type.shape.dim
    return f"[{', '.join(str(size.dim_value or size.dim_param or '?') for size in sizes)}]"


def _said(model: ModelProto, key: str) -> str:
    return next((entry.value for entry in model.metadata_props if entry.key == key), "")


def _channels_last(graph: GraphProto, name: str, sizes: list[int]) -> bool:
    """Whether channels come last: what first reads the picture says it, else the sizes do."""
    first = _first(graph, name)
    if first is not None:
        return first.op_type == "Transpose" and _axes(first) == _TO_FIRST
    return sizes[2] in (1, 3, 4) and sizes[0] not in (1, 3, 4)


def _channels(graph: GraphProto, name: str) -> int | None:
    """The channels that the first convolution takes, where the input itself does not say them."""
    first = _first(graph, name)
    seen = 0
    while first is not None and first.op_type == "Transpose" and seen < len(graph.node):
        first, seen = _first(graph, first.output[0]), seen + 1
    if first is None or first.op_type != "Conv" or len(first.input) < 2:
        return None
    groups = next((one.i for one in first.attribute if one.name == "group"), 1)
    weight = next((one for one in graph.initializer if one.name == first.input[1]), None)
    return None if weight is None or len(weight.dims) < 2 else weight.dims[1] * groups


def _first(graph: GraphProto, name: str) -> NodeProto | None:
    """The first node of those that tell an axis from another that reads a value, past what acts on each number."""
    names = {name}
    for node in graph.node:
        if names.isdisjoint(node.input):
            continue
        if node.op_type in _BESIDE:
            return node
        if node.op_type in ("Cast", "Identity", "Add", "Sub", "Mul", "Div"):
            names.update(node.output)
    return None


def _brings_down(graph: GraphProto, name: str) -> bool:
    """Whether a network begins by dividing by about 255, or by taking off a mean of such numbers."""
    known = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            known.update((node.output[0], one.t) for one in node.attribute if one.name == "value")
        elif name in node.input and node.op_type in ("Cast", "Identity", "Transpose"):
            name = node.output[0]
        elif name in node.input:
            other = next((known[one] for one in node.input if one in known), None)
            if node.op_type not in _LARGE or other is None or node.input[0] != name:
                return False
            return bool(_LARGE[node.op_type](to_array(other)).min() > _LARGE_FROM)
    return False


def _axes(node: NodeProto) -> list[Any]:
    return next((list(one.ints) for one in node.attribute if one.name == "perm"), [])
