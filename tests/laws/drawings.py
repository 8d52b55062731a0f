"""Graphs of modules drawn by hypothesis: calls side by side, behind one another and around each other."""

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional


class Box(nn.Module):
    """A block of two convolutions that gives two maps, a later one of a head of its own; who calls it may drop one."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = (nn.Conv2d(3, 3, size, padding=size // 2) for size in (3, 3, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = functional.relu(self.two(functional.relu(self.one(x))) + x)
        return x, self.head(x)


class Stage(nn.Module):
    """A convolution with its rectifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.rectifier = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.rectifier(self.conv(x)),)


class Total(nn.Module):
    """The sum of two maps."""

    def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor]:
        return (one + other,)


class Unknown(nn.Module):
    """What is drawn anew in every run: it cannot be run for what lies behind it."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x * torch.rand_like(x),)


@dataclass(frozen=True)
class Step:
    """One call of a drawn graph. module: which module. sources: the values it reads. kept: which of its outputs are
    values that later steps may read; the network returns those that none does."""

    module: int
    sources: tuple[int, ...]
    kept: tuple[int, ...]


class Drawing(nn.Module):
    """A graph of modules: value 0 is the picture, every step adds the values that it keeps."""

    def __init__(self, modules: list[nn.Module], steps: list[Step], head: nn.Module | None = None) -> None:
        super().__init__()
        self.parts, self.steps, self.head = nn.ModuleList(modules), steps, head

    def values(self, x: Tensor) -> list[Tensor]:
        """What every step keeps, in order."""
        found = [x]
        for step in self.steps:
            given = self.parts[step.module](*(found[source] for source in step.sources))
            found += [given[kept] for kept in step.kept]
        return found

    def forward(self, x: Tensor) -> list[Tensor]:
        found = self.values(x)
        read = {source for step in self.steps for source in step.sources}
        returned = [value for index, value in enumerate(found) if index not in read and index]
        return returned if self.head is None else [*returned, self.head(found[-1])]


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Up to eight calls of up to eight modules, side by side, behind one another and around each other."""
    modules: list[nn.Module] = []
    steps: list[Step] = []
    values = 1
    for _ in range(draw(st.integers(2, 8))):
        kind = draw(st.sampled_from([Box, Box, Stage, Stage, Total, Unknown]))
        again = [number for number, module in enumerate(modules) if isinstance(module, kind)]
        if again and draw(st.integers(0, 3)) == 0:
            number = draw(st.sampled_from(again))
        else:
            number = len(modules)
            modules.append(kind())
        # Mostly the newest value, so that networks are deep.
        source = st.one_of(st.just(values - 1), st.integers(0, values - 1))
        sources = (draw(source), draw(source)) if kind is Total else (draw(source),)
        kept = draw(st.sampled_from([(0,), (1,), (0, 1)])) if kind is Box else (0,)
        steps.append(Step(number, sources, kept))
        values += len(kept)
    return Drawing(modules, steps)
