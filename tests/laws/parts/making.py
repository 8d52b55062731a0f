"""A line of the table of parts, and how lines are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from tests.laws.modules import Called, With

Made = Callable[[int, int, int], nn.Module]


@dataclass(frozen=True)
class Part:
    """One line. rows: of the operation table, those that it is there for. make: its module, for maps of so many
    channels, rows and columns. multiple: of what the channels must be. most: so many channels at most. side: the least
    rows and columns. even: both even. rises: no larger number makes a smaller one, and each number counts. writes: over
    the map that it is given. beyond: what it makes of whole maps scales each place."""

    name: str
    rows: frozenset[str]
    make: Made
    multiple: int = 1
    most: int = 64
    side: int = 1
    even: bool = False
    rises: bool = False
    writes: bool = False
    beyond: bool = False

    def fits(self, channels: int, rows: int, cols: int) -> bool:
        """True where it can be called on maps of this size."""
        odd = self.even and (rows % 2 or cols % 2)
        return channels % self.multiple == 0 and channels <= self.most and min(rows, cols) >= self.side and not odd


def part(name: str, rows: str, make: Made, **needs: Any) -> Part:
    return Part(name, frozenset(rows.split()), make, **needs)


def calling(name: str, rows: str, function: Callable[[Tensor], Tensor], **needs: Any) -> Part:
    return part(name, rows, lambda *_: Called(function, name), **needs)


def module(rows: str, make: Callable[[], nn.Module], **needs: Any) -> Part:
    """A module that asks nothing of its map."""
    return part(repr(make()), rows, lambda *_: make(), **needs)


def between(channels: int, function: Callable[..., Tensor], label: str) -> nn.Module:
    """A function of a map and of what a convolution makes of it."""
    return With(lambda x, conv: function(x, conv(x)), label, nn.Conv2d(channels, channels, 1))


def two_maps(name: str, rows: str, function: Callable[..., Tensor], **needs: Any) -> Part:
    return part(name, rows, lambda channels, *_: between(channels, function, name), **needs)
