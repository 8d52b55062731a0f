"""Convolution and the dense layer: the rows with weights to learn; and a convolution along the channels."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.rules import HeldGates, adjoint, vjp
from layerscope.graph.ops.table import Op, everything, pointwise

aten = torch.ops.aten


def _along_channels(x: Tensor, weight: Tensor, bias: Tensor | None, margin: int, dilation: int) -> Tensor:
    places = x.reshape(*x.shape[:2], -1).transpose(1, 2)
    found = F.conv1d(places.flatten(0, 1).unsqueeze(1), weight, bias, 1, margin, dilation)
    return found.reshape(*places.shape[:2], -1).transpose(1, 2).reshape(x.shape[0], -1, *x.shape[2:])


# ATen has it as a one-dimensional convolution of a single channel; tracing makes calls of this.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("channel_conv(Tensor input, Tensor weight, Tensor? bias, int margin, int dilation) -> Tensor")
_library.impl("channel_conv", _along_channels, "CompositeImplicitAutograd")
channel_conv = torch.ops.layerscope.channel_conv.default


def _padding(call: Call) -> tuple[int, int]:
    """What is padded before the first row and the first column; "same" pads the odd px behind."""
    if call["padding"] == "valid":
        return 0, 0
    if call["padding"] == "same":
        kernel, dilation = call["weight"].shape[-2:], call.pair("dilation")
        return dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2
    return call.pair("padding")


def _conv_window(call: Call) -> tuple[Field, ...]:
    kernel, stride, dilation, padding = (
        call["weight"].shape[-2:],
        call.pair("stride"),
        call.pair("dilation"),
        _padding(call),
    )
    rows, cols = (
        Window(size=dilation[axis] * (kernel[axis] - 1) + 1, step=stride[axis], start=-padding[axis]) for axis in (0, 1)
    )
    return (Field(rows=rows, cols=cols),)


def _conv_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The transposed convolution (Zeiler & Fergus 2013, section 2.1: the same filters, flipped); no bias."""
    weight, stride, dilation, groups = call["weight"], call.pair("stride"), call.pair("dilation"), call["groups"]
    if groups > 1 or (stride != (1, 1) and (weight.shape[1] > 4 or dilation != (1, 1))):
        full = F.conv_transpose2d(signal, weight, None, stride, 0, 0, groups, dilation)
    elif stride == (1, 1):
        reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[-2:], strict=True)]
        flipped = call.once("flipped", lambda: _channels_last(weight.flip(-2, -1).transpose(0, 1)))
        full = F.conv2d(signal, flipped, None, 1, reach, dilation)
    else:
        full = _to_few_channels(signal, call, stride)
    return (_inside(full, call),)


def _channels_last(weight: Tensor) -> Tensor:
    return weight.contiguous(memory_format=torch.channels_last)


def _inside(full: Tensor, call: Call) -> Tensor:
    """The part of the padded input plane that is the input itself; px that no window reached are zero."""
    (top, left), (rows, cols) = _padding(call), call.inputs[0][-2:]
    missing = (max(left + cols - full.shape[-1], 0), max(top + rows - full.shape[-2], 0))
    if any(missing):
        full = F.pad(full, (0, missing[0], 0, missing[1]))
    return full[..., top : top + rows, left : left + cols]


def _to_few_channels(signal: Tensor, call: Call, stride: tuple[int, int]) -> Tensor:
    """A strided transposed convolution to a picture's channels, as one stride-1 convolution.

    Each of the stride's phases becomes channels of a plain convolution, which are then laid side by side: a wide
    product in place of a three-channel one (equal to rounding; several times as fast for AlexNet's conv1).
    """
    weight = call["weight"]
    channels, kernel = weight.shape[1], weight.shape[-2:]
    taps = [-(-size // step) for size, step in zip(kernel, stride, strict=True)]
    phases = call.once("phases", lambda: _phases(weight, stride))
    wide = F.conv2d(signal, phases, padding=(taps[0] - 1, taps[1] - 1))
    m, _, rows, cols = wide.shape
    laid = wide.reshape(m, channels, stride[0], stride[1], rows, cols).permute(0, 1, 4, 2, 5, 3)
    full = laid.reshape(m, channels, rows * stride[0], cols * stride[1])
    height = (signal.shape[-2] - 1) * stride[0] + kernel[0]
    width = (signal.shape[-1] - 1) * stride[1] + kernel[1]
    return full[..., :height, :width]


def _phases(weight: Tensor, stride: tuple[int, int]) -> Tensor:
    """The filters of `_to_few_channels`: [channels * phases, filters, taps, taps], channels-last."""
    filters, channels, *kernel = weight.shape
    taps = [-(-size // step) for size, step in zip(kernel, stride, strict=True)]
    padded = F.pad(weight, (0, taps[1] * stride[1] - kernel[1], 0, taps[0] * stride[0] - kernel[0]))
    parts = padded.reshape(filters, channels, taps[0], stride[0], taps[1], stride[1]).permute(1, 3, 5, 0, 2, 4)
    return _channels_last(parts.flip(-2, -1).reshape(-1, filters, *taps))


def bias_of(call: Call) -> Tensor | None:
    """What is added to each channel, to be spread over the map."""
    return None if call["bias"] is None else call["bias"].reshape(1, -1, *(1,) * (len(call.shape) - 1))


def _one_bias(call: Call) -> Tensor | None:
    return call["bias"]


def _conv_samples() -> Iterator[Sample]:
    x = torch.linspace(-1, 1, 2 * 4 * 9 * 8, dtype=torch.float64).sin().reshape(2, 4, 9, 8)

    def weight(*shape: int) -> Tensor:
        return torch.linspace(-2, 3, torch.Size(shape).numel(), dtype=torch.float64).cos().reshape(shape)

    yield Sample(aten.conv2d.default, (x,), (NodeInput(0), weight(5, 4, 3, 3), weight(5), [1, 1], [1, 1]))
    yield Sample(aten.conv2d.default, (x,), (NodeInput(0), weight(5, 4, 3, 2), None, [2, 1], [0, 1]))
    yield Sample(aten.conv2d.default, (x[:, :3],), (NodeInput(0), weight(5, 3, 5, 3), None, [3, 2], [2, 1]))
    yield Sample(aten.conv2d.default, (x,), (NodeInput(0), weight(6, 2, 3, 3), None, [1, 2], [2, 2], [2, 1], 2))
    yield Sample(aten.conv2d.default, (x,), (NodeInput(0), weight(4, 1, 1, 3), None, [1, 1], [0, 1], [1, 1], 4))
    yield Sample(aten.conv2d.padding, (x,), (NodeInput(0), weight(5, 4, 4, 3), None, [1, 1], "same"))
    yield Sample(aten.conv2d.padding, (x,), (NodeInput(0), weight(5, 4, 3, 3), None, [1, 1], "valid"))


def _linear_window(call: Call) -> tuple[Field, ...]:
    if len(call.inputs[0]) != 1:
        raise Declined(f"is a dense layer on {len(call.inputs[0])} dimensions; only one, after flattening, is known")
    return everything(call)


def _linear_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal @ call["weight"],)


def _linear_samples() -> Iterator[Sample]:
    x = torch.linspace(-1, 1, 2 * 6, dtype=torch.float64).sin().reshape(2, 6)
    yield Sample(
        aten.linear.default,
        (x,),
        (NodeInput(0), torch.linspace(-2, 3, 24, dtype=torch.float64).cos().reshape(4, 6), None),
    )


def _along_window(call: Call) -> tuple[Field, ...]:
    if call.inputs[0] != call.shape:
        raise Declined("is a convolution along the channels that changes their number")
    return pointwise(call)


def _along_samples() -> Iterator[Sample]:
    x = torch.linspace(-1, 1, 2 * 6 * 3 * 2, dtype=torch.float64).sin().reshape(2, 6, 3, 2)
    weight = torch.tensor([[[0.5, -1.0, 2.0]]], dtype=torch.float64)
    yield Sample(channel_conv, (x[..., 0, 0],), (NodeInput(0), weight, None, 1, 1))
    yield Sample(channel_conv, (x,), (NodeInput(0), weight, weight.new_ones(1), 2, 2))


ROWS = (
    Op(
        name="channel_conv",
        sentence="a convolution along the channels, the same at each place",
        targets=(channel_conv,),
        window=_along_window,
        samples=_along_samples,
        linear=True,
        gradient=adjoint(vjp),
        held=HeldGates(beside=_one_bias),
    ),
    Op(
        name="conv2d",
        sentence="a sum over filters that slide over the map: the convolution of pictures",
        targets=(aten.conv2d.default, aten.conv2d.padding),
        window=_conv_window,
        samples=_conv_samples,
        linear=True,
        role="filters",
        gradient=adjoint(_conv_back),
        held=HeldGates(beside=bias_of),
    ),
    Op(
        name="linear",
        sentence="a dense layer: every output is a weighted sum of all inputs",
        targets=(aten.linear.default,),
        window=_linear_window,
        samples=_linear_samples,
        linear=True,
        role="filters",
        gradient=adjoint(_linear_back),
        held=HeldGates(beside=bias_of),
    ),
)
