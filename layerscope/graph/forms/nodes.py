"""What a form in ONNX writes to, and the words in which all of them are written.

A form writes one call, with its weights in place, as nodes of ONNX, and names the value that comes of it. Nothing is
written that computes otherwise: a call that a form cannot speak for is declined, with the reason.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput


class NoOnnxForm(Exception):
    """A call has no form in ONNX; the message is the reason, a clause without a subject."""


@runtime_checkable
class OnnxNodes(Protocol):
    """Where a form writes to; every value has a name."""

    def node(self, operator: str, inputs: Sequence[str], /, **attributes: Any) -> str:
        """Adds a node of one output, and names that. An input that it does without is an empty name."""
        ...

    def constant(self, value: Tensor | float, /) -> str:
        """Adds numbers, as float32."""
        ...

    def whole_numbers(self, values: Sequence[int], /) -> str:
        """Adds whole numbers, such as a shape."""
        ...


# Where to, the call, and the names of the call's inputs -> the name of what it gives.
OnnxForm = Callable[[OnnxNodes, Call, Sequence[str]], str]


def side(to: OnnxNodes, value: Any, inputs: Sequence[str]) -> str:
    """An argument that is a map or a constant."""
    return inputs[value.index] if isinstance(value, NodeInput) else to.constant(value)


def weights(call: Call, *names: str) -> tuple[Tensor | None, ...]:
    """Weights, None for those that the call does without. Raises NoOnnxForm where another node makes them."""
    found = tuple(call[name] for name in names)
    if not all(value is None or isinstance(value, Tensor) for value in found):
        raise NoOnnxForm("takes its weights from another node")
    return found


def per_channel(weight: Tensor, call: Call) -> Tensor:
    """A number for each channel, to be spread over a map."""
    return weight.reshape(1, -1, *(1,) * (len(call.shape) - 1))


def shaped(to: OnnxNodes, value: str, *shape: int) -> str:
    """In another shape, of each picture."""
    # 0 takes over the batch.
    return to.node("Reshape", [value, to.whole_numbers([0, *shape])])


def turned(to: OnnxNodes, value: str, parts: Sequence[int], order: Sequence[int], shape: Sequence[int]) -> str:
    """Cut into parts along all axes but the batch, the parts put into another order, and laid out in a shape."""
    cut = shaped(to, value, *parts)
    return shaped(to, to.node("Transpose", [cut], perm=[0, *(1 + part for part in order)]), *shape)


def picked(to: OnnxNodes, value: str, axis: int, indices: Sequence[int], length: int) -> str:
    """Those of an axis's places that are listed, in this order."""
    if list(indices) == list(range(length)):
        return value
    return to.node("Gather", [value, to.whole_numbers(indices)], axis=axis)


def plain(operator: str, **attributes: Any) -> OnnxForm:
    """An operation of one map whose settings are always the same."""
    return lambda to, call, inputs: to.node(operator, inputs[:1], **attributes)


def pair(operator: str) -> OnnxForm:
    """An operation of two maps."""
    return lambda to, call, inputs: to.node(operator, inputs[:2])
