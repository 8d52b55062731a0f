"""What each operation is in ONNX: one row an operation, by the name of its row in the table of operations.

A form writes a call with the weights in place as nodes of ONNX, and names the value that comes of it. An operation
without a form cannot be written, nor a call that its form declines: nothing is written that computes otherwise.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput


class NoOnnxForm(Exception):
    """A call has no form in ONNX; the message is the reason, a clause without a subject."""


@runtime_checkable
class OnnxNodes(Protocol):
    """Where a form writes to; every value has a name."""

    def node(self, operator: str, inputs: Sequence[str], /, **attributes: Any) -> str:
        """Adds a node of one output, and names that."""
        ...

    def constant(self, value: Tensor | float, /) -> str:
        """Adds numbers, as float32."""
        ...

    def whole_numbers(self, values: Sequence[int], /) -> str:
        """Adds whole numbers, such as a shape."""
        ...


# Where to, the call, and the names of the call's inputs -> the name of what it gives.
OnnxForm = Callable[[OnnxNodes, Call, Sequence[str]], str]


def _side(to: OnnxNodes, value: Any, inputs: Sequence[str]) -> str:
    """An argument that is a map or a constant."""
    return inputs[value.index] if isinstance(value, NodeInput) else to.constant(value)


def _weights(call: Call, *names: str) -> tuple[Tensor | None, ...]:
    """Weights, None for those that the call does without. Raises NoOnnxForm where another node makes them."""
    found = tuple(call[name] for name in names)
    if not all(value is None or isinstance(value, Tensor) for value in found):
        raise NoOnnxForm("takes its weights from another node")
    return found


def _convolution(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    weight, bias = _weights(call, "weight", "bias")
    assert weight is not None
    kernel, dilation = tuple(weight.shape[-2:]), call.pair("dilation")
    reach = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    if call["padding"] == "same":
        before, behind = [total // 2 for total in reach], [total - total // 2 for total in reach]
    else:
        before = behind = [0, 0] if call["padding"] == "valid" else list(call.pair("padding"))
    given = [inputs[0], to.constant(weight), *([] if bias is None else [to.constant(bias)])]
    return to.node(
        "Conv", given, kernel_shape=kernel, strides=call.pair("stride"), pads=[*before, *behind], dilations=dilation,
        group=call["groups"],
    )  # fmt: skip


def _dense(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    weight, bias = _weights(call, "weight", "bias")
    assert weight is not None
    if len(call.shape) != 1:
        raise NoOnnxForm(f"is a dense layer on {len(call.shape)} dimensions")
    given = [inputs[0], to.constant(weight), *([] if bias is None else [to.constant(bias)])]
    return to.node("Gemm", given, transB=1)


def _batch_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    weight, bias, mean, variance = _weights(call, "weight", "bias", "running_mean", "running_var")
    assert mean is not None and variance is not None
    learned = (torch.ones_like(mean) if weight is None else weight, torch.zeros_like(mean) if bias is None else bias)
    given = [inputs[0], *(to.constant(values) for values in (*learned, mean, variance))]
    return to.node("BatchNormalization", given, epsilon=float(call["eps"]))


def _response_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    if call["size"] % 2 == 0:
        raise NoOnnxForm("has an even number of neighbours, which lie otherwise in ONNX")
    numbers = {"alpha": float(call["alpha"]), "beta": float(call["beta"]), "bias": float(call["k"])}
    return to.node("LRN", inputs[:1], size=int(call["size"]), **numbers)


def _clipped(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    low, high = (call.args.get(name, usual) for name, usual in (("min_val", 0.0), ("max_val", 6.0)))
    return to.node("Clip", [inputs[0], to.constant(low), to.constant(high)])


def _prelu(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    (slopes,) = _weights(call, "weight")
    assert slopes is not None
    return to.node("PRelu", [inputs[0], to.constant(slopes.reshape(-1, *(1,) * (len(call.shape) - 1)))])


def _windows(call: Call) -> dict[str, list[int]]:
    """Kernel, strides and paddings of a pooling, as much behind as its last windows need: then nothing is rounded."""
    kernel, before = call.pair("kernel_size"), call.pair("padding")
    stride = call.pair("stride") if call["stride"] else kernel
    dilation = call.pair("dilation") if "dilation" in call.args else (1, 1)
    behind = [
        (call.shape[axis - 2] - 1) * stride[axis]
        + dilation[axis] * (kernel[axis] - 1) + 1
        - call.inputs[0][axis - 2] - before[axis]
        for axis in (0, 1)
    ]  # fmt: skip
    pads = [*before, *(max(beyond, 0) for beyond in behind)]
    return {"kernel_shape": list(kernel), "strides": list(stride), "pads": pads}


def _highest(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    return to.node("MaxPool", inputs[:1], dilations=call.pair("dilation"), **_windows(call))


def _average(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    windows, padding = _windows(call), call.pair("padding")
    counted = bool(call["count_include_pad"]) and any(padding)
    beyond = any(last > own for last, own in zip(windows["pads"][2:], padding, strict=True))
    if call["divisor_override"] or (counted and beyond):
        raise NoOnnxForm("divides its windows by a number of its own")
    return to.node("AveragePool", inputs[:1], count_include_pad=int(counted), **windows)


def _adaptive(operator: str) -> OnnxForm:
    """Windows that part the map evenly; others lie irregularly."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        sizes = list(zip(call.inputs[0][-2:], call.shape[-2:], strict=True))
        if any(length % count for length, count in sizes):
            raise NoOnnxForm("pools to a size that does not part the map evenly")
        if tuple(call.shape[-2:]) == (1, 1):
            return to.node(f"Global{operator}", inputs[:1])
        steps = [length // count for length, count in sizes]
        return to.node(operator, inputs[:1], kernel_shape=steps, strides=steps)

    return form


def _in_a_row(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    if prod(call.inputs[0]) != prod(call.shape):
        raise NoOnnxForm("reshapes the batch")
    # 0 takes over the batch.
    return to.node("Reshape", [inputs[0], to.whole_numbers([0, *call.shape])])


def _side_by_side(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    given = [_side(to, value, inputs) for value in call["tensors"]]
    return to.node("Concat", given, axis=int(call["dim"]) % (len(call.shape) + 1))


def _two(operator: str) -> OnnxForm:
    """A sum, difference, product or quotient of maps and constants; the second may be taken `alpha` times."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        own, other = (_side(to, call[name], inputs) for name in ("self", "other"))
        times = call.args.get("alpha", 1)
        if times != 1:
            other = to.node("Mul", [other, to.constant(float(times))])
        return to.node(operator, [own, other])

    return form


def _plain(operator: str) -> OnnxForm:
    """An operator of one map without settings."""
    return lambda to, call, inputs: to.node(operator, inputs[:1])


def _reduced(operator: str) -> OnnxForm:
    """Over axes of a map; which of them are kept, the call says."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        given = call["dim"]
        axes = sorted(axis % (len(call.inputs[0]) + 1) for axis in ((given,) if isinstance(given, int) else given))
        return to.node(operator, inputs[:1], axes=axes, keepdims=int(call["keepdim"]))

    return form


def _leaky(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    return to.node("LeakyRelu", inputs[:1], alpha=float(call["negative_slope"]))


def _silu(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    return to.node("Mul", [inputs[0], to.node("Sigmoid", inputs[:1])])


ONNX_FORMS: dict[str, OnnxForm] = {
    "adaptive_avg_pool2d": _adaptive("AveragePool"),
    "adaptive_max_pool2d": _adaptive("MaxPool"),
    "add": _two("Add"),
    "amax": _reduced("ReduceMax"),
    "avg_pool2d": _average,
    "batch_norm": _batch_norm,
    "cat": _side_by_side,
    "conv2d": _convolution,
    "div": _two("Div"),
    "flatten": _in_a_row,
    "hardtanh": _clipped,
    "leaky_relu": _leaky,
    "linear": _dense,
    "local_response_norm": _response_norm,
    "max_pool2d": _highest,
    "mean": _reduced("ReduceMean"),
    "mul": _two("Mul"),
    "prelu": _prelu,
    "relu": _plain("Relu"),
    "sigmoid": _plain("Sigmoid"),
    "silu": _silu,
    "sub": _two("Sub"),
    "tanh": _plain("Tanh"),
}
