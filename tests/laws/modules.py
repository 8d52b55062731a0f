"""What random networks are put together of where PyTorch has no module for it: functions, branches, gates."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Called(nn.Module):
    """A function in the place of a module; `label` is what a failing example prints."""

    def __init__(self, function: Callable[[Tensor], Tensor], label: str) -> None:
        super().__init__()
        self.function, self.label = function, label

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)

    def extra_repr(self) -> str:
        return self.label


class With(nn.Module):
    """A function of a map and of modules of its own."""

    def __init__(self, function: Callable[..., Tensor], label: str, *modules: nn.Module) -> None:
        super().__init__()
        self.function, self.label, self.own = function, label, nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.own)

    def extra_repr(self) -> str:
        return self.label


class Sum(nn.Module):
    """body(x) + shortcut(x), or their difference."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, sign: str) -> None:
        super().__init__()
        self.body, self.shortcut, self.sign = body, shortcut, sign

    def forward(self, x: Tensor) -> Tensor:
        out = self.body(x)
        if self.sign == "+=":
            out += self.shortcut(x)
            return out
        return out + self.shortcut(x) if self.sign == "+" else out - self.shortcut(x)

    def extra_repr(self) -> str:
        return f"sign={self.sign!r}"


class Join(nn.Module):
    """Branches concatenated along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Gate(nn.Module):
    """A map times what one of its own branches says of each channel, each place or both; or over its own norm."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(channels, 1 if kind == "place" else channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "norm":
            return x / (x.norm(dim=1, keepdim=True) + 0.1)
        if self.kind == "sum":
            return x + self.conv(functional.adaptive_avg_pool2d(x, 1))
        if self.kind == "product":
            return x * self.conv(x)
        seen = functional.adaptive_avg_pool2d(x, 1) if self.kind == "channel" else x
        return torch.sigmoid(self.conv(seen)) * x

    def extra_repr(self) -> str:
        return self.kind


class ResponseNorm(nn.Module):
    """Global response normalisation, as ConvNeXt V2 has it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, channels).view(1, -1, 1, 1))
        self.bias = nn.Parameter(torch.linspace(0, 1, channels).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(p=2, dim=(2, 3), keepdim=True)
        share = norm / (norm.mean(1, keepdim=True) + 1e-6)
        return x + (self.bias + self.weight * (x * share))


class Efficient(nn.Module):
    """Efficient channel attention: a gate of channels that each look at their neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = x.mean((2, 3)).unsqueeze(1)
        return x * torch.sigmoid(self.conv(seen)).view(-1, x.shape[1], 1, 1)


class Selective(nn.Module):
    """Two branches, and for each channel the share that each of them has in the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 1)
        self.shares = nn.Conv2d(channels, 2 * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.stack([self.one(x), self.other(x)], 1)
        seen = both.sum(1).mean((2, 3), keepdim=True)
        shares = self.shares(seen).view(-1, 2, x.shape[1], 1, 1).softmax(1)
        return (both * shares).sum(1)


class Attended(nn.Module):
    """A gate of places that sees the largest and the mean of the channels, behind one of channels (CBAM)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.places = nn.Conv2d(channels, channels, 1), nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        most, mean = functional.adaptive_max_pool2d(x, 1), functional.adaptive_avg_pool2d(x, 1)
        x = x * torch.sigmoid(self.channels(most) + self.channels(mean))
        seen = torch.cat([x.max(1, keepdim=True)[0], x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.places(seen))


class AlongAxes(nn.Module):
    """A gate of rows times one of columns (coordinate attention)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rows, self.cols = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows, cols = x.mean(3, keepdim=True), x.mean(2, keepdim=True)
        return x * self.rows(rows).sigmoid() * self.cols(cols).sigmoid()


class ChannelsLast(nn.Module):
    """A function or module between permutations, where the channels stand last."""

    def __init__(self, inner: Callable[[Tensor], Tensor], label: str) -> None:
        super().__init__()
        self.inner, self.label = inner, label

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return self.label


class Unpooled(nn.Module):
    """A pool, something on the smaller map, and the pool undone at the places of its maxima (SegNet)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        small, places = self.pool(x)
        return self.unpool(self.conv(small), places, output_size=x.shape[-2:])


class Skip(nn.Module):
    """Down, something, up again, and beside it what went around: one step of a U-Net. order: of the two in the join."""

    def __init__(self, down: nn.Module, up: nn.Module, order: int) -> None:
        super().__init__()
        self.down, self.up, self.order = down, up, order

    def forward(self, x: Tensor) -> Tensor:
        up = self.up(self.down(x))
        rows, cols = (min(a, b) for a, b in zip(x.shape[-2:], up.shape[-2:], strict=True))
        pair = [part[..., :rows, :cols] for part in (x, up)]
        return torch.cat(pair[:: self.order], 1)


def called(label: str, function: Callable[..., Any], **settings: Any) -> Callable[..., nn.Module]:
    """What makes a module of a function, for a table."""
    return lambda *_: Called(lambda x: function(x, **settings), label)
