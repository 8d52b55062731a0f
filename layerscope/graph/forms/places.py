"""What moves numbers without changing them, in ONNX: shapes, joins, pieces, borders, other orders."""

from collections.abc import Sequence
from math import prod

import torch

from layerscope.graph.forms.nodes import NoOnnxForm, OnnxNodes, picked, shaped, side, turned
from layerscope.graph.forms.windows import by_places
from layerscope.graph.ops.calls import Call

# A slice to here goes to the end: backwards, to before the first.
BEFORE_ALL = -(2**31)


def in_a_row(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """In the shape that the call gives."""
    if prod(call.inputs[0]) != prod(call.shape):
        raise NoOnnxForm("reshapes the batch")
    return shaped(to, inputs[0], *call.shape)


def side_by_side(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Maps and constants along an axis."""
    given = [side(to, value, inputs) for value in call["tensors"]]
    return to.node("Concat", given, axis=int(call["dim"]) % (len(call.shape) + 1))


def one_channel(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """One place of an axis, which is left out."""
    taken = to.node("Gather", [inputs[0], to.whole_numbers([int(call["index"])])], axis=_axis(call, call["dim"]))
    return shaped(to, taken, *call.shape)


def sliced(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """A run of an axis, or every so-many-th of it."""
    axis = _axis(call, call["dim"])
    wanted = range(call.inputs[0][axis - 1])[call["start"] : call["end"] : call["step"]]
    numbers = ([wanted.start], [wanted.stop], [axis], [wanted.step])
    return to.node("Slice", [inputs[0], *(to.whole_numbers(one) for one in numbers)])


def cropped(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """A piece of the map, or every so-many-th place of it."""
    offset, extent, step = call["offset"], call["extent"], call["step"]
    ends = [start + (count - 1) * stride + 1 for start, count, stride in zip(offset, extent, step, strict=True)]
    numbers = (list(offset), ends, [len(call.shape) + 1 - len(ends) + axis for axis in range(len(ends))], list(step))
    return to.node("Slice", [inputs[0], *(to.whole_numbers(one) for one in numbers)])


def chosen(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Channels by a list."""
    index = call["index"]
    if not isinstance(index, torch.Tensor):
        raise NoOnnxForm("takes its list from another node")
    return to.node("Gather", [inputs[0], to.whole_numbers(index.tolist())], axis=_axis(call, call["dim"]))


def repeated(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Spread to the shape that the call gives."""
    return to.node("Expand", [inputs[0], to.whole_numbers([1, *call.shape])])


def backwards(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Backwards along some axes."""
    axes = [_axis(call, axis) for axis in call["dims"]]
    numbers = ([-1] * len(axes), [BEFORE_ALL] * len(axes), axes, [-1] * len(axes))
    return to.node("Slice", [inputs[0], *(to.whole_numbers(one) for one in numbers)])


def moved_on(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Along some axes, the last ones to the front."""
    value = inputs[0]
    for shift, given in zip(call["shifts"], call["dims"], strict=True):
        axis = _axis(call, given)
        length = call.inputs[0][axis - 1]
        value = picked(to, value, axis, [(place - shift) % length for place in range(length)], length)
    return value


def padded(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """A constant around the map, or the map's own rows and columns."""
    if call["mode"] != "constant":
        return by_places(to, call, inputs)
    amounts = list(zip(call["pad"][::2], call["pad"][1::2], strict=True))[::-1]
    amounts = [(0, 0)] * (len(call.shape) + 1 - len(amounts)) + amounts
    pads = [*(before for before, _ in amounts), *(behind for _, behind in amounts)]
    return to.node("Pad", [inputs[0], to.whole_numbers(pads), to.constant(float(call["value"] or 0.0))])


def shuffled(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Channels by groups, the groups in another order."""
    channels, *size = call.inputs[0]
    if "groups" in call.args:
        parts, order = [call["groups"], channels // call["groups"]], [1, 0]
    else:
        parts, order = list(call["parts"]), list(call["order"])
    behind = range(len(parts), len(parts) + len(size))
    return turned(to, inputs[0], [*parts, *size], [*order, *behind], call.shape)


def rearranged(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """All numbers of a map in another order."""
    return turned(to, inputs[0], call["parts"], call["order"], call.shape)


def squares_laid_out(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Channels as squares of places."""
    channels, rows, cols = call.inputs[0]
    step = int(call["upscale_factor"])
    return turned(to, inputs[0], [channels // step**2, step, step, rows, cols], [0, 3, 1, 4, 2], call.shape)


def squares_gathered(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Squares of places as channels."""
    channels, rows, cols = call.inputs[0]
    step = int(call["downscale_factor"])
    return turned(to, inputs[0], [channels, rows // step, step, cols // step, step], [0, 2, 4, 1, 3], call.shape)


def _axis(call: Call, given: int) -> int:
    """Counted from the batch on."""
    return given % (len(call.inputs[0]) + 1)
