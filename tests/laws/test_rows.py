"""Every row of the operation table is drawn in networks and compared with the reference: a row that is not fails here.

A new row needs a line in tests/laws/parts, and a rule in tests/helpers/ways.py where the methods do not go by its
gradient.
"""

from collections import defaultdict

import numpy as np
import pytest
import torch
from jaxtyping import Float64
from torch import Tensor, nn

import layerscope as ls
from layerscope.graph.ops import OPERATIONS
from tests.helpers.networks import randomise
from tests.helpers.reference import METHODS, Reference
from tests.laws.checks import assert_equal, compare, traced
from tests.laws.parts import LINES, Part

CHANNELS, ROWS, COLS = 4, 10, 12
# What of the table no network can be drawn with, and why.
NEVER: dict[str, str] = {}
# The first line of each row, in two networks of lines side by side, each traced once; and all others, by `make laws`.
FIRST = {row: part for part in reversed(LINES) for row in part.rows}
GROUPS: tuple[tuple[Part, ...], ...] = tuple(
    tuple(part for part in LINES if (part in FIRST.values()) is first)[half::2]
    for first in (True, False) for half in (0, 1)
)  # fmt: skip


class Beside(nn.Module):
    """Parts side by side behind one convolution; what they give of one size goes into one convolution more."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, CHANNELS, 3, padding=1)
        self.parts = nn.ModuleList(part.make(CHANNELS, ROWS, COLS) for part in parts)
        self.writes = [part.writes for part in parts]
        self.sizes: dict[tuple[int, int], list[int]] = defaultdict(list)
        channels: dict[tuple[int, int], int] = defaultdict(int)
        with torch.no_grad():
            for index, made in enumerate(self.double().eval().made(torch.zeros(1, 2, ROWS, COLS, dtype=torch.float64))):
                size = (made.shape[2], made.shape[3])
                self.sizes[size].append(index)
                channels[size] += made.shape[1]
        self.joined = nn.ModuleList(nn.Conv2d(channels[size], 4, 1, padding=0) for size in self.sizes)

    def made(self, x: Tensor) -> list[Tensor]:
        x = self.first(x)
        return [part(x.clone() if w else x) for part, w in zip(self.parts, self.writes, strict=True)]

    def forward(self, x: Tensor) -> list[Tensor]:
        made = self.made(x)
        kin = self.sizes.values()
        return [conv(torch.cat([made[i] for i in own], 1)) for conv, own in zip(self.joined, kin, strict=True)]


def network(group: int) -> tuple[Beside, ls.Network]:
    """The network of a group of lines, and its trace."""
    model = Beside(GROUPS[group])
    randomise(model.double(), seed=group)
    return model, traced(model, 2, ROWS, COLS)


def images(group: int) -> Float64[np.ndarray, "n c h w"]:
    return 2 * np.random.default_rng(group).standard_normal((1, 2, ROWS, COLS))


def test_every_row_is_drawn() -> None:
    """Each row of ours stands in a line of the table of parts, or is named with the reason why not."""
    drawn = {row for part in LINES for row in part.rows}
    assert drawn | set(NEVER) == set(OPERATIONS.own), set(OPERATIONS.own) ^ (drawn | set(NEVER))
    assert drawn.isdisjoint(NEVER)


@pytest.mark.parametrize("group", [0, 1, *(pytest.param(group, marks=pytest.mark.wide) for group in (2, 3))])
def test_every_line_calls_its_rows_and_equals_the_reference(group: int) -> None:
    """What a line is there for it calls, no call is refused, and signals go back through all of them as by autograd on
    the eager module."""
    model, net = network(group)
    graph, picture = net.program.graph, images(group)
    assert [(node.name, node.refused) for node in graph.nodes if node.refused] == []
    # Numbers are put in another order where somebody needs them so: the call that joins them, which no part holds.
    outside = {node.op for node in graph.nodes if not node.calls}
    for index, part in enumerate(GROUPS[group]):
        called = outside | {node.op for node in graph.nodes if f"parts.{index}" in node.calls}
        assert part.rows <= called, f"{part.name} calls {sorted(called)}, and not {sorted(part.rows - called)}"
    reference = Reference(model, picture[0])
    for index in range(len(model.joined)):
        found = compare(net, net[f"joined.{index}"], [reference], picture, limit=5)
        assert_equal(found)
        assert all(any(c.peak > 0 for c in found if c.method == method) for method in METHODS)
