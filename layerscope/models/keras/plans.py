"""How one Keras layer is made anew in torch: a plan, made once of the layer, and the module that carries it out.

Keras' maps are [n, h, w, c], torch's and layerscope's [n, c, h, w]. A plan holds what is plain (numbers, words), the
layer's weights in torch's order of axes, and a function of this package that computes the layer on maps in torch's
order; nothing of Keras is left in it, so that it is copied, exported and run in float64 like any other module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


class Unplanned(Exception):
    """A layer with an argument that no plan speaks for: Keras itself is called for it."""


@dataclass(frozen=True, kw_only=True)
class TorchPlan:
    """run: (module, maps) -> map. weights, statistics: by the names that Keras gives them. arguments: plain values."""

    run: Callable[..., Tensor]
    weights: Mapping[str, Tensor | None] = field(default_factory=dict)
    statistics: Mapping[str, Tensor | None] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


class KerasLayer(nn.Module):
    """A layer by its plan. Its parameters are the layer's weights, its buffers what Keras does not train."""

    # What plans hold, each of its own layers alone.
    kernel: Tensor
    depthwise_kernel: Tensor
    pointwise_kernel: Tensor
    bias: Tensor | None
    gamma: Tensor | None
    beta: Tensor | None
    alpha: Tensor
    moving_mean: Tensor
    moving_variance: Tensor
    mean: Tensor
    deviation: Tensor
    scale: Tensor
    offset: Tensor
    constant: Tensor

    def __init__(self, plan: TorchPlan) -> None:
        super().__init__()
        self.run, self.arguments = plan.run, dict(plan.arguments)
        for name, value in plan.weights.items():
            self.register_parameter(name, None if value is None else nn.Parameter(value))
        for name, value in plan.statistics.items():
            self.register_buffer(name, value)

    def forward(self, *maps: Tensor) -> Tensor:
        """What the layer gives for maps in torch's order of axes."""
        return self.run(self, *maps)


@dataclass(frozen=True, kw_only=True)
class AxisPlan:
    """In which order a Keras model has the axes of its maps. last: the channels are the last ("channels_last")."""

    last: bool

    def place(self, axis: int, rank: int) -> int:
        """Where an axis of a Keras tensor of `rank` axes, batch and all, is in torch's order."""
        axis %= rank
        return {0: 0, 1: 2, 2: 3, 3: 1}[axis] if self.last and rank == 4 else axis

    def is_channels(self, axis: Any, rank: int) -> bool:
        """Whether an axis, or a list of one, is that of the channels."""
        if isinstance(axis, list | tuple):
            return len(axis) == 1 and self.is_channels(axis[0], rank)
        return isinstance(axis, int) and self.place(axis, rank) == 1

    def theirs(self, value: Tensor) -> Tensor:
        """A map in Keras' order."""
        return value.permute(0, 2, 3, 1) if self.last and value.dim() == 4 else value

    def ours(self, value: Tensor) -> Tensor:
        """A map of Keras' in torch's order."""
        return value.permute(0, 3, 1, 2) if self.last and value.dim() == 4 else value

    def spread(self, value: Tensor, rank: int) -> Tensor:
        """A constant that Keras spreads over maps of `rank` axes, so that torch spreads it over the same places."""
        value = value.reshape((1,) * (rank - value.dim()) + tuple(value.shape))
        return self.ours(value).contiguous() if rank == 4 else value


def number(variable: Any) -> Tensor | None:
    """A Keras variable, or what is computed of some, as a tensor of its own, no coarser than float32; None for none."""
    if variable is None:
        return None
    value = getattr(variable, "value", variable)
    value = value if isinstance(value, Tensor) else torch.as_tensor(value)
    value = value.detach().cpu().clone()
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value


def pair(value: Any) -> tuple[int, int]:
    """Two numbers of one, or of two."""
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))


def size_of(value: Tensor) -> tuple[int, int]:
    """Rows and columns of a map."""
    return int(value.shape[2]), int(value.shape[3])
