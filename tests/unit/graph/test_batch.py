"""The pictures of a batch are never mixed: what plain torch shows to depend on the others of a batch is refused."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from layerscope.core.errors import TraceError
from layerscope.graph import Program, read_program, trace_module
from tests.helpers.sweep import swept

SHAPE = (3, 8, 6)


class Between(nn.Module):
    """A convolution, what a test puts behind it, and a convolution."""

    def __init__(self, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.last, self.call = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1), call

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.call(self.conv(x).relu()))


# Each reads a map [n, 4, 8, 6] and gives a map of that shape.
MIXES: dict[str, Callable[[Tensor], Tensor]] = {
    "divided by the batch's size": lambda x: x / x.size(0),
    "less the batch's size": lambda x: x - x.shape[0],
    "times twice the batch's size": lambda x: x * (x.shape[0] * 2),
    "plus half of it": lambda x: x + x.shape[0] / 2,
    "plus the sum of the batch": lambda x: x + x.sum(0, keepdim=True),
    "plus the mean of everything": lambda x: x + x.mean(),
    "plus the first picture": lambda x: x + x[:1],
    "plus the last picture": lambda x: x + x[-1],
    "turned over in the batch": lambda x: x.flip(0),
    "rolled in the batch": lambda x: x.roll(1, 0),
    "rows folded into the batch, and other ones taken out": lambda x: x.view(-1, 8, 6).roll(1, 0).view(-1, 4, 8, 6),
    "in order of size over the batch": lambda x: x.sort(0).values,
    "the largest of the batch": lambda x: x + x.max(0).values,
    "a running sum over the batch": lambda x: x.cumsum(0),
    "a product over the batch": lambda x: x + x.prod(0, keepdim=True),
}


@pytest.mark.parametrize("kind", swept(MIXES, 4))
def test_what_mixes_pictures_is_refused(kind: str) -> None:
    """Plain torch gives another value for a picture alone than in its batch: the map before it can be had, no other."""
    torch.manual_seed(0)
    model, x = Between(MIXES[kind]).double().eval(), torch.randn(5, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        alone = torch.cat([model(one[None]) for one in x])
        assert not torch.allclose(model(x), alone), "a case that mixes nothing shows nothing"
    graph = trace_module(model, SHAPE).graph
    named = {node.name: node.id for node in graph.nodes}
    assert not graph.behind[named["relu_1"]]
    assert graph.behind[named["last"]]


REREADS: dict[str, Callable[[Tensor], Tensor]] = {
    "batch and channels exchanged, and read as before": lambda x: x.transpose(0, 1).contiguous().view(x.shape),
    "rows of all pictures read in another order": lambda x: x.permute(2, 0, 1, 3).contiguous().view(x.shape),
}


@pytest.mark.parametrize("kind", swept(REREADS, 2))
def test_what_reads_the_batch_in_another_order_is_not_even_exported(kind: str) -> None:
    """Where the batch is read as another axis the exporter itself finds no free batch; that is said."""
    with pytest.raises(TraceError, match="it holds for one number of pictures only"):
        trace_module(Between(REREADS[kind]), SHAPE)


FOLDS: dict[str, Callable[[Tensor], Tensor]] = {
    "groups of channels": lambda x: x.view(x.shape[0] * 2, 2, 8, 6).relu().view(x.shape[0], 4, 8, 6),
    "rows of places": lambda x: x.view(-1, 4, 2, 6).relu().view(-1, 4, 8, 6),
    "two pictures of each": lambda x: torch.cat([x, -x], 0)[: x.shape[0]],
    "stacked": lambda x: torch.stack([x, x]).prod(0),
}


@pytest.mark.parametrize("kind", swept(FOLDS, 2))
def test_what_is_folded_into_the_batch_is_refused_though_it_is_led_back(kind: str) -> None:
    """An axis that is not the batch is told by name once, where it arises; nothing behind it is had."""
    graph = trace_module(Between(FOLDS[kind]), SHAPE).graph
    refusals = [node.refused for node in graph.nodes if "first axis is not the batch" in node.refused]
    assert len(refusals) == 1 and graph.behind[graph.nodes[-1].id]


KEEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "a view of the batch's size": lambda x: x.view(x.size(0), -1).view(x.size(0), -1),
    "a view that leaves the batch out": lambda x: x.view(-1, 4 * 8 * 6),
    "flattened": lambda x: x.flatten(1),
    "a mean over the places": lambda x: x.mean((2, 3)),
    "the size taken and not used": lambda x: (x * 2, x.shape[0])[0].flatten(1),
}


@pytest.mark.parametrize("kind", swept(KEEPS, 3))
def test_what_keeps_each_picture_by_itself_opens(kind: str) -> None:
    """A batch of five gives what each of the five gives alone, and nothing is refused."""
    call = KEEPS[kind]

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return call(self.conv(x).relu())

    plain, x = Plain().double(), torch.randn(5, *SHAPE, dtype=torch.float64)
    traced = trace_module(plain, SHAPE)
    assert not any(node.refused for node in traced.graph.nodes)
    (output,) = traced.graph.outputs
    program = Program(traced.graph, traced.weights)
    with torch.no_grad():
        torch.testing.assert_close(program.run(x, {output})[output], torch.cat([plain(one[None]) for one in x]))


def test_a_program_of_one_batch_size_says_so() -> None:
    """What was exported for two pictures keeps its maps; the view that holds the two is told, with what to do."""
    example = torch.zeros(2, *SHAPE)
    fixed = torch.export.export(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(96, 2)), (example,))
    graph = read_program(fixed).graph
    assert [node.refused for node in graph.nodes][1] == ""
    assert "holds for a batch of 2 only" in graph.nodes[2].refused and graph.behind[3]


def test_a_number_made_of_a_tensor_is_told_as_such() -> None:
    """It is not the batch's: a weight that forward turns into a Python number."""

    class Scaled(Between):
        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x) * self.last.bias[0].item()

    graph = trace_module(Scaled(nn.Identity()), SHAPE).graph
    assert graph.nodes[-1].refused == "it makes a Python number of the values in a tensor"
