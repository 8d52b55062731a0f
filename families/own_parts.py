"""The parts of networks that people write themselves which need weights or more than a line."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


class PositionAdded(nn.Module):
    """A learned map added to the features."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 8, 64, 64))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.position


class Scaled(nn.Module):
    """A bare parameter and what is done with it."""

    def __init__(self, shape: tuple[int, ...], step: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.step = nn.Parameter(torch.rand(shape) + 0.5), step

    def forward(self, x: Tensor) -> Tensor:
        return self.step(x, self.weight)


class Through(nn.Module):
    """A layer of another layout, with what turns the map before it and back behind it."""

    def __init__(
        self, layer: nn.Module, before: Callable[[Tensor], Tensor], behind: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.layer, self.before, self.behind = layer, before, behind

    def forward(self, x: Tensor) -> Tensor:
        return self.behind(self.layer(self.before(x)))


class CBAM(nn.Module):
    """Attention over channels, then over places."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(width, 2, 1), nn.ReLU(), nn.Conv2d(2, width, 1))
        self.places = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        average, highest = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        x = x * torch.sigmoid(self.shared(average) + self.shared(highest))
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.places(both))


class SqueezeLinear(nn.Module):
    """Squeeze and excitation with dense layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, 3), nn.Linear(3, width)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class SqueezeView(nn.Module):
    """Squeeze and excitation as much code has it: pooled, viewed, expanded."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dense = nn.Sequential(nn.Linear(width, 3), nn.ReLU(inplace=True), nn.Linear(3, width), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        b, c, _, _ = x.size()
        return x * self.dense(self.pool(x).view(b, c)).view(b, c, 1, 1).expand_as(x)


class Maxout(nn.Module):
    """The largest of each group of channels."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, self.pieces, x.shape[2], x.shape[3]).max(2).values


class WeightNormed(nn.Module):
    """A convolution whose weight is a direction and a length."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = weight_norm(nn.Conv2d(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class SpectralNormed(nn.Module):
    """A convolution whose weight is divided by its largest singular value."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = spectral_norm(nn.Conv2d(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Normalised(nn.Module):
    """Constants taken off and divided by, as buffers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.rand(shape))
        self.register_buffer("std", torch.rand(shape) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class GeM(nn.Module):
    """Generalised mean pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor([3.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=1e-6).pow(self.power).mean((2, 3)).pow(1 / self.power)


class Bilinear(nn.Module):
    """Products of all pairs of channels, averaged."""

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        return (flat @ flat.transpose(1, 2) / flat.shape[2]).flatten(1)
