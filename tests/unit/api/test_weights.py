"""Weights that are named are used, or refused: in no call are they passed over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.api.dissecting import dissect_atlas
from layerscope.api.verbs import forecast
from layerscope.core.networks import How
from layerscope.sources import open_source
from layerscope.world import World

INPUT = ls.Input(channels=3, height=12, width=13)


def network(seed: int, classes: int = 4) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 8 * 9, classes)
    )


def saved(model: nn.Module, path: Path) -> Path:
    torch.save(model.state_dict(), path)
    return path


def test_a_module_with_a_file_computes_what_the_file_says(tmp_path: Path) -> None:
    """The file's weights go into a copy: the user's module stays as it was."""
    mine, fresh = network(1), network(2)
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    net = ls.trace(fresh, INPUT, weights=saved(mine, tmp_path / "mine.pt"))
    x = torch.randn(2, 3, 12, 13)
    np.testing.assert_allclose(net.activations(x, "3"), mine[:4](x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert all(torch.equal(before[name], tensor) for name, tensor in fresh.state_dict().items())
    assert net.remarks == ()


def test_a_file_that_is_not_there_is_an_error_for_a_module_too(tmp_path: Path) -> None:
    """With an Input and without."""
    for given in ((INPUT,), ()):
        with pytest.raises(ls.UsageError, match="there is no weights file"):
            ls.trace(network(1), *given, weights=tmp_path / "gone.pt")


def test_a_module_without_an_input_still_needs_one(tmp_path: Path) -> None:
    """The weights do not say it."""
    with pytest.raises(ls.UsageError, match="does not say what it expects"):
        ls.trace(network(1), weights=saved(network(2), tmp_path / "w.pt"))


def test_a_fine_tuned_head_is_said_in_a_warning(tmp_path: Path) -> None:
    """The network has the file's nine outputs, and says so, also in `remarks`."""
    path = saved(network(1, classes=9), tmp_path / "nine.pt")
    with pytest.warns(UserWarning, match="5 was made to the file's size: 9 outputs"):
        net = ls.trace(network(2), INPUT, weights=path)
    assert net["5"].units == 9 and net.remarks == ("5 was made to the file's size: 9 outputs",)


def test_a_body_without_its_head_can_be_had(tmp_path: Path) -> None:
    """Layers in front of what is missing compute; what is missing is refused by name and with the file's."""
    mine = network(1)
    torch.save({name: t for name, t in mine.state_dict().items() if not name.startswith("5")}, tmp_path / "body.pt")
    with pytest.warns(UserWarning, match='"body.pt" has no weights for 5.weight, 5.bias'):
        net = ls.trace(network(2), INPUT, weights=tmp_path / "body.pt")
    x = torch.randn(1, 3, 12, 13)
    np.testing.assert_allclose(net.activations(x, "3"), mine[:4](x).detach().numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ls.TraceError, match=r'layer "5" cannot be had: .*its weights are not in "body.pt"'):
        net["5"]
    net.program.check()


UNUSED = {
    "an exported program": lambda file: ls.trace(
        torch.export.export(network(1), (torch.zeros(2, 3, 12, 13),)), INPUT, weights=file
    ),
    "random weights of a spec": lambda file: ls.trace("zfnet64", weights=file, with_weights=False),
    "a module without weights": lambda file: ls.trace(network(1), INPUT, with_weights=False),
    "/none": lambda file: ls.trace("zfnet64/none", weights=file),
}


@pytest.mark.parametrize("case", UNUSED)
def test_what_cannot_be_used_is_refused(case: str, tmp_path: Path) -> None:
    """A file of weights, or a wish for random ones, beside what has its own."""
    with pytest.raises(ls.UsageError, match="weights"):
        UNUSED[case](saved(network(1), tmp_path / "w.pt"))


def test_a_network_that_is_traced_takes_no_weights_in_any_verb(tmp_path: Path) -> None:
    """It has its own: build, forecast and dissect say so before anything begins."""
    world, net, file = World(3, size=16), ls.trace(network(1), INPUT), saved(network(1), tmp_path / "w.pt")
    calls: list[Callable[[], Any]] = [
        lambda: ls.build(net, world, tmp_path / "a.atlas", weights=file),
        lambda: forecast(net, world, weights=file),
        lambda: dissect_atlas(tmp_path / "a.atlas", net, open_source(world), world, how=How.of(file)),
    ]
    for call in calls:
        with pytest.raises(ls.UsageError, match="this network is already traced with its own"):
            call()
    assert not (tmp_path / "a.atlas").exists()


def test_a_complex_weight_of_a_module_is_refused_by_name() -> None:
    """Before anything is traced."""
    model = network(1)
    model.register_buffer("table", torch.zeros(2, dtype=torch.complex64))
    with pytest.raises(ls.TraceError, match=r'the weights "table" of Sequential cannot be used: .*complex'):
        ls.trace(model, INPUT)
