"""Parts in which a map's own numbers decide about it: gates, and normalisations by its statistics."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.laws.modules import AlongAxes, Attended, ChannelsLast, Efficient, Gate, ResponseNorm, Selective
from tests.laws.parts.making import Part, calling, part, two_maps


def _spread(x: Tensor, seen: Tensor) -> Tensor:
    return torch.sigmoid(seen.mean((2, 3), keepdim=True)).expand_as(x) * x


def _enlarged(x: Tensor, seen: Tensor) -> Tensor:
    small = torch.sigmoid(functional.avg_pool2d(seen, 2))
    return x * functional.interpolate(small, scale_factor=2, mode="nearest")


GATES: tuple[Part, ...] = (
    part("gate of channel", "gate sigmoid", lambda c, *_: Gate(c, "channel"), rises=True, beyond=True),
    part("gate of place", "gate sigmoid", lambda c, *_: Gate(c, "place"), rises=True),
    part("gate of both", "gate sigmoid", lambda c, *_: Gate(c, "both"), rises=True),
    part("product", "product", lambda c, *_: Gate(c, "product")),
    part("sum of two sizes", "add", lambda c, *_: Gate(c, "sum"), rises=True, beyond=True),
    two_maps(
        "hard gate",
        "gate hardsigmoid",
        lambda x, seen: x * functional.hardsigmoid(seen.mean((2, 3), True)),
        rises=True,
        beyond=True,
    ),
    two_maps("gate that is spread", "gate", _spread, rises=True, beyond=True),
    two_maps("gate that is enlarged", "gate upsample_nearest2d", _enlarged, even=True),
    two_maps("gate by shares", "gate softmax", lambda x, seen: x * torch.softmax(seen, 1)),
    calling("shares", "softmax", lambda x: x * torch.softmax(x, 1)),
    calling("glu", "gate slice", partial(functional.glu, dim=1), multiple=2),
    calling("simple gate", "product slice", lambda x: torch.mul(*x.chunk(2, 1)), multiple=2),
    part("efficient", "channel_conv", lambda *_: Efficient(), side=2, rises=True, beyond=True),
    part("selective", "branch_softmax", lambda c, *_: Selective(c), most=8, beyond=True),
    part("attended", "adaptive_max_pool2d max mean", lambda c, *_: Attended(c), side=2, rises=True, beyond=True),
    part("along axes", "mean gate", lambda c, *_: AlongAxes(c), side=2, rises=True),
)

STATISTICS: tuple[Part, ...] = (
    part("over its norm", "norm quotient", lambda c, *_: Gate(c, "norm"), multiple=2),
    calling("normalised", "norm quotient", lambda x: functional.normalize(x, dim=1), multiple=2),
    part("response norm", "norm quotient", lambda c, *_: ResponseNorm(c), side=2, beyond=True),
    part("group norm", "group_norm", lambda c, *_: nn.GroupNorm(2, c), multiple=4, beyond=True),
    part("group norm of all", "group_norm", lambda c, *_: nn.GroupNorm(1, c), side=2, beyond=True),
    part("layer norm", "layer_norm", lambda *shape: nn.LayerNorm(shape), side=2, beyond=True),
    part("layer norm of places", "layer_norm", lambda c, *plane: nn.LayerNorm(plane), side=2, beyond=True),
    part("rms norm", "rms_norm", lambda *shape: nn.RMSNorm(shape), side=2, beyond=True),
    part("instance norm", "instance_norm", lambda c, *_: nn.InstanceNorm2d(c, affine=True), side=2, beyond=True),
    part("channel norm", "channel_norm", lambda c, *_: ChannelsLast(nn.LayerNorm(c), "norm"), multiple=2),
    part("channel rms norm", "channel_rms_norm", lambda c, *_: ChannelsLast(nn.RMSNorm(c), "norm"), multiple=2),
    part("response", "local_response_norm", lambda *_: nn.LocalResponseNorm(3, alpha=0.5, k=2.0)),
    part("batch norm", "batch_norm", lambda c, *_: nn.BatchNorm2d(c), rises=True),
    calling(
        "by variance", "var quotient",
        lambda x: (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True) + 0.1).sqrt(), multiple=2,
    ),
    calling("by torch.var", "var", lambda x: x / (torch.var(x, (2, 3), False, True) + 0.5), side=2, beyond=True),
    calling("by deviation", "std quotient", lambda x: x / (x.std((2, 3), keepdim=True) + 0.1), side=2, beyond=True),
    calling("by torch.std", "std", lambda x: x / (torch.std(x, (1,), False, True) + 0.5), multiple=2),
    calling("with deviation", "std cat", lambda x: torch.cat([x, x.std((1,), keepdim=True)], 1), multiple=2),
    calling("rms by hand", "gate rsqrt", lambda x: x * torch.rsqrt(x.square().mean(1, True) + 0.1)),
)  # fmt: skip
