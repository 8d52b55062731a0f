"""Parts that move numbers, choose among them or weigh their neighbours: channels, sizes, borders."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.laws.modules import Called, ChannelsLast, Unpooled, With
from tests.laws.parts.making import Part, calling, module, part, two_maps


def _shuffled(x: Tensor) -> Tensor:
    parts = x.view(-1, 2, x.shape[1] // 2, *x.shape[2:])
    return parts.transpose(1, 2).reshape(-1, *x.shape[1:])


def _reversed(x: Tensor) -> Tensor:
    return torch.stack(x.unbind(1)[::-1], 1)


def _odd_order(x: Tensor) -> Tensor:
    one, other = x.chunk(2, 1)
    return torch.cat([other, x, one], 1)


def _focused(x: Tensor) -> Tensor:
    return torch.cat([x[..., row::2, col::2] for col in (0, 1) for row in (0, 1)], 1)


def _maxout(x: Tensor) -> Tensor:
    return x.view(-1, x.shape[1] // 2, 2, *x.shape[2:]).max(2)[0]


def _all_maxout(x: Tensor) -> Tensor:
    return x.view(-1, 2, x.shape[1] // 2, *x.shape[2:]).amax(1)


def _written_into(x: Tensor) -> Tensor:
    x = x.clone()
    x[:, 1:] += x[:, :1]
    x[:, -1] = 0.5 * x[:, -1] + x[:, 0]
    return x


def _picked(channels: int) -> nn.Module:
    chosen = torch.tensor([channels - 1, 0, *range(channels - 1)])
    return Called(lambda x: x[:, chosen], "picked")


CHANNELS: tuple[Part, ...] = (
    calling("but the first", "slice", lambda x: x[:, 1:], multiple=2),
    calling("every other", "slice", lambda x: x[:, ::2], rises=True),
    calling("split", "slice cat", lambda x: torch.cat([x.split([1, x.shape[1] - 1], 1)[k] for k in (1, 0, 1)], 1),
             multiple=2, rises=True),
    calling("odd order", "slice cat", _odd_order, multiple=2, rises=True),
    calling("written into", "slice cat", _written_into, multiple=2, rises=True),
    calling("stacked", "select unsqueeze", _reversed, most=4, rises=True),
    calling("first of all", "slice add", lambda x: x + x[:, 0].unsqueeze(1), rises=True),
    calling("one as three", "expand", lambda x: torch.cat([x, x[:, :1].expand(-1, 3, -1, -1)], 1), rises=True),
    calling("repeated", "cat", lambda x: x.repeat(1, 2, 1, 1), most=6, rises=True),
    part("picked", "index", lambda c, *_: _picked(c), most=8, rises=True),
    calling("shuffled", "shuffle", _shuffled, multiple=4, rises=True),
    module("shuffle", lambda: nn.ChannelShuffle(2), multiple=2, rises=True),
    calling("flipped channels", "flip", lambda x: x.flip(1), rises=True),
    calling("flipped", "flip", lambda x: x.flip(3)),
    calling("rolled channels", "roll", lambda x: x.roll(1, 1), rises=True),
    calling("rolled", "roll", lambda x: x.roll((1, -2), (2, 3))),
    module("pixel_shuffle", lambda: nn.PixelShuffle(2), multiple=4),
    module("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), even=True, most=4, rises=True),
    calling("cropped", "crop", lambda x: x[..., 1:, :-1], side=3, rises=True),
    calling("every other place", "crop", lambda x: x[:, :, 1::2, ::3], side=4, rises=True),
    calling("focused", "crop cat", _focused, even=True, most=4, rises=True),
    calling("transposed", "rearrange", lambda x: x.transpose(2, 3)),
    calling("maxout", "branch_max", _maxout, multiple=2, rises=True),
    calling("maxout of all", "branch_max", _all_maxout, multiple=2, rises=True),
    calling("largest channel", "amax", lambda x: torch.cat([x, x.amax(1, keepdim=True)], 1), rises=True),
    calling("sum of channels", "sum add", lambda x: x + x.sum(1, keepdim=True), rises=True),
    two_maps("maximum", "maximum", torch.maximum, rises=True),
    two_maps("minimum", "minimum", torch.minimum),
)  # fmt: skip


def _resized(name: str, row: str, **settings: Any) -> Part:
    return calling(name, row, partial(functional.interpolate, **settings), side=4)


def _transposed(channels: int, **settings: Any) -> nn.Module:
    return nn.ConvTranspose2d(channels, channels, **settings)


def _upward(name: str, **settings: Any) -> Part:
    return part(name, "conv_transpose2d", lambda c, *_: _transposed(c, **settings), side=2)


RESAMPLING: tuple[Part, ...] = (
    _resized("nearest", "upsample_nearest2d", scale_factor=2),
    _resized("nearest to 7x9", "upsample_nearest2d", size=(7, 9)),
    _resized("bilinear", "upsample_bilinear2d", scale_factor=2, mode="bilinear"),
    _resized("bilinear at corners", "upsample_bilinear2d", size=(7, 9), mode="bilinear", align_corners=True),
    _resized("bicubic", "upsample_bicubic2d", scale_factor=(2, 1), mode="bicubic"),
    _resized("bilinear, smoothed", "upsample_bilinear2d_aa", size=(3, 4), mode="bilinear", antialias=True),
    _resized("bicubic, smoothed", "upsample_bicubic2d_aa", size=(3, 4), mode="bicubic", antialias=True),
    _upward("transposed 2", kernel_size=2, stride=2),
    _upward("transposed 3", kernel_size=3, stride=2, padding=1, output_padding=1, bias=False),
    _upward("transposed 4", kernel_size=(4, 3), stride=(2, 3), padding=(1, 0), groups=1),
    part("transposed of stride 1", "conv2d", lambda c, *_: _transposed(c, kernel_size=3, padding=1)),
    part("unpooled", "max_unpool2d", lambda c, *_: Unpooled(c), side=2),
)

PADS: tuple[Part, ...] = (
    module("pad", lambda: nn.ZeroPad2d((0, 1, 0, 1))),
    # With a window in which no position sees padding only: no field can say that it sees nothing.
    part(
        "padded", "pad conv2d", lambda c, *_: nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(c, c, 2)), rises=True
    ),
    module("pad", lambda: nn.ConstantPad2d((1, 2, 0, 1), 0.5)),
    module("pad", lambda: nn.ReflectionPad2d(1), side=2),
    module("pad", lambda: nn.ReplicationPad2d((1, 0, 2, 1)), side=2),
    module("pad", lambda: nn.CircularPad2d(1), side=2),
    part("same", "conv2d", lambda c, *_: nn.Conv2d(c, c, (2, 3), padding="same")),
    part("mirrored", "pad conv2d", lambda c, *_: nn.Conv2d(c, c, 3, padding=1, padding_mode="reflect"), side=2),
    part("dense, channels last", "conv2d", lambda c, *_: ChannelsLast(nn.Linear(c, c), "dense")),
)


def _dense(channels: int, rows: int, cols: int) -> nn.Module:
    """A dense layer on all of a map, its units a map of two by two places."""
    dense = nn.Linear(channels * rows * cols, 12)
    return With(lambda x, dense: dense(x.flatten(1)).relu().view(-1, 3, 2, 2), "dense", dense)


# What networks draw by strategies of their own, in more ways.
PLAIN: tuple[Part, ...] = (
    part("convolution", "conv2d", lambda c, *_: nn.Conv2d(c, 3, (3, 2), (2, 1), padding=(0, 1), dilation=(1, 2))),
    module("max_pool2d", partial(nn.MaxPool2d, 3, 2, 1)),
    module("avg_pool2d", partial(nn.AvgPool2d, 3, 2, 1, count_include_pad=False)),
    module("adaptive_avg_pool2d", partial(nn.AdaptiveAvgPool2d, 1)),
    part("dense", "linear flatten", _dense),
)
