"""The replay over torchvision's classification networks and drawn ones: what opens agrees, and no mistake passes."""

from collections.abc import Iterable
from functools import cache
from itertools import islice

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from torchvision import models

import layerscope as ls
from layerscope.core.replay import Replay
from layerscope.graph import Program, Reading, Traced, fields_of, layers_of, prepared, read_module, replay
from layerscope.graph.module import Copied
from tests.helpers.mutations import MUTATIONS, Mutant, mutants
from tests.helpers.networks import randomise
from tests.laws.strategies import Drawn, networks

# The largest take minutes and many gigabytes each, and have nothing that their smaller sisters lack.
TOO_LARGE = {
    "vit_h_14", "vit_l_16", "vit_l_32", "regnet_y_128gf", "convnext_large", "efficientnet_b7", "efficientnet_v2_l",
}  # fmt: skip
NAMES = [name for name in models.list_models(module=models) if name not in TOO_LARGE]
# One of each family that opens whole, small enough for some fifty replays.
MUTATED = ("alexnet", "squeezenet1_1", "resnet18", "densenet121", "mobilenet_v2", "googlenet", "shufflenet_v2_x0_5")


def opened(twin: Copied, input: ls.Input) -> tuple[Traced, Reading]:
    traced = read_module(twin, input.shape)
    program = Program(traced.graph, traced.weights)
    layers = layers_of(traced.graph, fields_of(traced.graph))
    return traced, Reading(program, traced.recipe, layers, traced.returned)


def replayed(twin: Copied, reading: Reading, mutated: Traced, input: ls.Input) -> Replay:
    """The replay of a mutated graph, by the layers of the right one."""
    changed = Program(mutated.graph, mutated.weights)
    return replay(twin.module, Reading(changed, mutated.recipe, reading.layers, reading.returned), input)


@pytest.mark.wide
@pytest.mark.parametrize("name", NAMES)
def test_torchvisions_networks_agree(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every network of torchvision that opens, at its own size: within the bound."""
    net = ls.trace(f"torchvision:{name}/none")
    with capsys.disabled():
        print(f"\n{name}: {net.replay.said}")
    assert net.replay.fault == "" and net.replay.pictures == 3
    assert net.replay.worst <= net.replay.bound


@cache
def full(name: str) -> tuple[Copied, Traced, Reading]:
    """A network of torchvision in float64, with random weights and statistics that wake it up, at 96 px."""
    torch.manual_seed(0)
    options = {"init_weights": False} if name == "googlenet" else {}
    model = models.get_model(name, weights=None, **options).double()
    twin = prepared(randomise(model, seed=0, example=torch.randn(2, 3, 96, 96, dtype=torch.float64)))
    return twin, *opened(twin, SMALL)


SMALL = ls.Input(channels=3, height=96, width=96, mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.mark.wide
@pytest.mark.parametrize("name", MUTATED)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_mistake_passes(name: str, mutation: str) -> None:
    """Each mistake at the first, a middle and the last call where it can be told."""
    twin, traced, reading = full(name)
    for mutant in _spread(list(mutants(mutation, traced))):
        found = replayed(twin, reading, mutant.traced, SMALL)
        assert found.fault in ("reading", "running"), f"{mutant.node}: {mutation}, and {found.said}"


def _spread(every: list) -> Iterable:
    return {id(mutant): mutant for mutant in (every[:1] + every[len(every) // 2 :][:1] + every[-1:])}.values()


def _differs(right: Traced, mutant: Mutant, drawn: Drawn) -> bool:
    """False where the call gives the same all the same: behind a layer that is dead, every pool is alike."""
    node = next(node.id for node in right.graph.nodes if node.name == mutant.node)
    x = torch.from_numpy(drawn.images(3))
    expected = Program(right.graph, right.weights).run(x, {node})[node]
    try:
        found = Program(mutant.traced.graph, mutant.traced.weights).run(x, {node})[node]
    except RuntimeError:
        return True
    return found.shape != expected.shape or not torch.allclose(found, expected, rtol=1e-6, atol=0)


@pytest.mark.wide
@settings(max_examples=200, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.too_slow])
@given(drawn=networks())
def test_drawn_networks_agree_and_no_mistake_passes(drawn: Drawn) -> None:
    """Two hundred networks drawn from the whole table, and every mistake at the first call where it can be told."""
    show = None if drawn.channels in (1, 3) else (0, 0, 0)
    input = ls.Input(
        channels=drawn.channels, height=drawn.height, width=drawn.width, mean=(0.5,) * drawn.channels,
        std=(0.15,) * drawn.channels, show=show,
    )  # fmt: skip
    twin = prepared(drawn.model)
    traced, reading = opened(twin, input)
    found = replayed(twin, reading, traced, input)
    assert found.fault == "" and found.worst <= 1e-13
    for mutation in MUTATIONS:
        caught = (mutant for mutant in mutants(mutation, traced) if _differs(traced, mutant, drawn))
        for mutant in islice(caught, 1):
            said = replayed(twin, reading, mutant.traced, input)
            assert said.fault in ("reading", "running"), f"{mutant.node}: {mutation}, and {said.said}"
