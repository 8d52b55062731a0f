"""Names and `auto` on drawn graphs of modules: what the plan of each says, the traced network says."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from torch import nn

import layerscope as ls
from layerscope.core.errors import UnknownOp, UsageError
from tests.helpers.networks import Sine
from tests.laws.drawings import Box, Drawing, Stage, Unknown, drawings
from tests.laws.strategies import FEW

# Each of these traces a larger network, or two.
FEWER = settings(FEW, max_examples=max(1, settings().max_examples // 10))
INPUT = ls.Input(channels=3, height=6, width=5)
HEAD = nn.Sequential(Sine(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1))


class Plan:
    """What a drawing's steps say by themselves: the name of each call, what it stands on, and whether it can be had."""

    def __init__(self, drawing: Drawing) -> None:
        self.names: list[str] = []
        self.before: list[set[int]] = []
        self.known: list[bool] = []
        self.first_value: list[int] = []
        made_by, times = [-1], Counter[int]()
        for number, step in enumerate(drawing.steps):
            times[step.module] += 1
            suffix = f"@{times[step.module]}" if times[step.module] > 1 else ""
            self.names.append(f"parts.{step.module}{suffix}")
            sources = {made_by[source] for source in step.sources} - {-1}
            self.before.append(sources.union(*(self.before[source] for source in sources)))
            unknown = isinstance(drawing.parts[step.module], Unknown)
            self.known.append(not unknown and all(self.known[source] for source in sources))
            self.first_value.append(len(made_by))
            made_by += [number] * len(step.kept)

    def stands_before(self, number: int, name: str) -> bool:
        """True where the call of this name is the step itself, or reads in the end what it gives."""
        other = self.names.index(name)
        return number == other or number in self.before[other]


def around(net: ls.Network, layer: ls.Layer) -> str:
    """The outermost call of a module that a layer is computed in."""
    return net.program.graph.nodes[layer.node].calls[0]


@pytest.mark.wide
@FEWER
@given(drawing=drawings())
def test_no_convolution_that_can_be_had_is_left_behind(drawing: Drawing) -> None:
    """Each lies in or before a layer of `auto`, and a refused head, whatever it holds, takes none of them away."""
    plan = Plan(drawing)
    net = ls.trace(drawing, INPUT)
    chosen = [layer for layer in net.layers if layer.auto]
    for number, step in enumerate(drawing.steps):
        if plan.known[number] and isinstance(drawing.parts[step.module], Box | Stage):
            assert any(plan.stands_before(number, around(net, layer)) for layer in chosen), plan.names[number]
    headed = ls.trace(Drawing(list(drawing.parts), drawing.steps, HEAD), INPUT)
    assert {layer.path for layer in chosen} <= {layer.path for layer in headed.layers if layer.auto}


@FEWER
@given(drawing=drawings())
def test_a_call_is_named_by_what_leaves_it_alone(drawing: Drawing) -> None:
    """One map that is kept: the call's name means it, by its numbers. Two: neither. Behind a refusal: none."""
    plan = Plan(drawing)
    net = ls.trace(drawing, INPUT)
    x = torch.rand(1, *INPUT.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        values = drawing.eval().values(x)
    for number, step in enumerate(drawing.steps):
        name = plan.names[number]
        if not plan.known[number]:
            with pytest.raises(UnknownOp):
                net[name]
        elif len(step.kept) > 1:
            with pytest.raises(UsageError, match="gives 2 outputs"):
                net[name]
        else:
            given_ = torch.from_numpy(net.activations(x, name))
            torch.testing.assert_close(given_, values[plan.first_value[number]])
