"""Convolutions, there and back, and the dense layer, in ONNX."""

from collections.abc import Sequence

from torch import Tensor

from layerscope.graph.forms.nodes import NoOnnxForm, OnnxNodes, shaped, weights
from layerscope.graph.ops.calls import Call


def _learned(to: OnnxNodes, weight: Tensor, bias: Tensor | None) -> list[str]:
    return [to.constant(weight), *([] if bias is None else [to.constant(bias)])]


def convolution(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """With what it pads written out: "same" pads the odd px behind."""
    weight, bias = weights(call, "weight", "bias")
    assert weight is not None
    kernel, dilation = tuple(weight.shape[-2:]), call.pair("dilation")
    reach = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    if call["padding"] == "same":
        before, behind = [total // 2 for total in reach], [total - total // 2 for total in reach]
    else:
        before = behind = [0, 0] if call["padding"] == "valid" else list(call.pair("padding"))
    return to.node(
        "Conv", [inputs[0], *_learned(to, weight, bias)], kernel_shape=kernel, strides=call.pair("stride"),
        pads=[*before, *behind], dilations=dilation, group=call["groups"],
    )  # fmt: skip


def transposed(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The transposed convolution, whose filters lie in the same order as here."""
    weight, bias = weights(call, "weight", "bias")
    assert weight is not None
    return to.node(
        "ConvTranspose", [inputs[0], *_learned(to, weight, bias)], kernel_shape=tuple(weight.shape[-2:]),
        strides=call.pair("stride"), pads=[*call.pair("padding"), *call.pair("padding")],
        output_padding=call.pair("output_padding"), dilations=call.pair("dilation"), group=call["groups"],
    )  # fmt: skip


def along_channels(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The channels of a place, one below the other, as a column of a map with one channel."""
    weight, bias = weights(call, "weight", "bias")
    assert weight is not None
    column = shaped(to, inputs[0], 1, call.inputs[0][0], -1)
    size, margin = int(weight.shape[-1]), int(call["margin"])
    found = to.node(
        "Conv", [column, *_learned(to, weight[..., None], bias)], kernel_shape=[size, 1], strides=[1, 1],
        pads=[margin, 0, margin, 0], dilations=[int(call["dilation"]), 1],
    )  # fmt: skip
    return shaped(to, found, *call.shape)


def dense(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """A dense layer on what is flat."""
    weight, bias = weights(call, "weight", "bias")
    assert weight is not None
    if len(call.shape) != 1:
        raise NoOnnxForm(f"is a dense layer on {len(call.shape)} dimensions")
    return to.node("Gemm", [inputs[0], *_learned(to, weight, bias)], transB=1)
