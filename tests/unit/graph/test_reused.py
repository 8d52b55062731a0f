"""What the network has computed is the graph's without computing it again: only the very same call, only as it was."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import layerscope as ls
from layerscope.core.replay import Replay
from layerscope.graph import Program, Reading, prepared, read_module, replay
from layerscope.graph.reused import DEAR, Reused
from layerscope.testing.slow import slow_paths
from tests.helpers.mutations import MUTATIONS, mutants
from tests.helpers.networks import CASES, Case

aten = torch.ops.aten
REST = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)


class Functions(nn.Module):
    """Without modules, so that the graph follows at the end only; what a convolution gave is written over."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(3)
        self.weights = nn.ParameterList([torch.randn(4, c, 3, 3, generator=random) for c in (3, 4, 4)])
        self.last = nn.Parameter(torch.randn(5, 4, generator=random))

    def forward(self, x: Tensor) -> Tensor:
        for weight in self.weights:
            x = functional.conv2d(x, weight, padding=1).relu_()
        return functional.linear(x.mean((2, 3)), self.last)


SAMPLES = (*(case for case in CASES if case.name in ("residual", "concat")), Case("functions", Functions, 3, 9, 11))


def replays(case: Case) -> Iterator[Callable[[], Replay]]:
    """Of a network as it was read, and with a mistake of each kind where it can be told."""
    twin, input = (
        prepared(case.model().float()),
        ls.Input(height=case.height, width=case.width, std=(0.3 / case.scale,) * 3),
    )
    right = read_module(twin, input.shape)
    layers = ls.Network(case.name, input, Program(right.graph, right.weights)).layers
    wrong = (mutant.traced for name in MUTATIONS for mutant in islice(mutants(name, right), 1))
    for one in (right, *wrong):
        reading = Reading(Program(one.graph, one.weights), one.recipe, layers, one.returned)
        yield partial(replay, twin.module, reading, input)


@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case.name)
@pytest.mark.thin(3)
def test_a_replay_says_the_same_when_all_is_computed_twice(case: Case) -> None:
    faults = set()
    for said in replays(case):
        fast = said()
        with slow_paths("one computation in a replay"):
            slow = said()
        assert (fast.fault, fast.where, fast.pictures) == (slow.fault, slow.where, 3)
        assert fast.worst == pytest.approx(slow.worst, rel=1e-6, abs=1e-11)
        faults.add(fast.fault)
    assert faults >= {"", "reading"}


def test_every_convolution_of_a_network_is_computed_once() -> None:
    """What the graph computes itself is the picture that is run alone."""
    said = next(replays(SAMPLES[0]))
    taken, found = Reused.taken, list[Any]()

    def counted(self: Reused, func: Any, args: Any) -> Tensor | None:
        result = taken(self, func, args)
        if func in DEAR and args[0].shape[0] == 3:
            found.append(result)
        return result

    with mock.patch.object(Reused, "taken", counted):
        assert said().pictures == 3
    assert found and all(isinstance(result, Tensor) for result in found)


@pytest.fixture
def call() -> tuple[Any, ...]:
    random = torch.Generator().manual_seed(0)
    return (torch.randn(2, 3, 5, 6, generator=random), torch.randn(4, 3, 3, 3, generator=random), None, *REST)


@pytest.fixture
def kept(call: tuple[Any, ...]) -> tuple[Reused, Tensor]:
    """A call that was made, and what came of it."""
    reused, result = Reused(), aten.convolution.default(*call)
    reused.keep(aten.convolution.default, call, result)
    return reused, result


def taken(reused: Reused, call: tuple[Any, ...]) -> Tensor | None:
    return reused.taken(aten.convolution.default, call)


def test_the_same_call_has_the_same_result_once(kept: tuple[Reused, Tensor], call: tuple[Any, ...]) -> None:
    reused, result = kept
    found = taken(reused, (call[0].clone(), *call[1:]))
    assert found is not None and torch.equal(found, result) and found.data_ptr() != result.data_ptr()
    assert taken(reused, call) is None


def other_calls(call: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    pictures, weight, *rest = call
    one = pictures.clone()
    one[1, 2, 3, 4] += 1e-6
    return {
        "one number": (one, weight, *rest),
        "the weights": (pictures, weight * 1.0001, *rest),
        "a picture less": (pictures[:1], weight, *rest),
        "the stride": (pictures, weight, None, [2, 2], *REST[1:]),
        "a bias": (pictures, weight, torch.zeros(4), *REST),
        "the order in memory": (pictures.to(memory_format=torch.channels_last), weight, *rest),
        "the type": (pictures.double(), weight.double(), *rest),
    }


@pytest.mark.parametrize("what", list(other_calls((torch.zeros(2, 3, 5, 6), torch.zeros(4, 3, 3, 3), None, *REST))))
def test_another_call_is_computed(what: str, kept: tuple[Reused, Tensor], call: tuple[Any, ...]) -> None:
    assert taken(kept[0], other_calls(call)[what]) is None


@pytest.mark.parametrize("what", ["its result", "its input"])
def test_what_was_written_over_is_not_taken(what: str, kept: tuple[Reused, Tensor], call: tuple[Any, ...]) -> None:
    before = (call[0].clone(), *call[1:])
    (kept[1] if what == "its result" else call[0]).relu_()
    assert taken(kept[0], before) is None


def test_what_does_not_say_when_it_is_written_over_is_not_kept(call: tuple[Any, ...]) -> None:
    reused = Reused()
    with torch.inference_mode():
        result = aten.convolution.default(*call)
        reused.keep(aten.convolution.default, call, result)
    assert taken(reused, call) is None


def test_no_more_is_kept_than_there_is_room_for(call: tuple[Any, ...]) -> None:
    result = aten.convolution.default(*call)
    reused = Reused(most=call[0].nbytes + result.nbytes)
    for number in range(3):
        reused.keep(aten.convolution.default, (call[0] + number, *call[1:]), result)
    assert [taken(reused, (call[0] + number, *call[1:])) is None for number in range(3)] == [True, True, False]
