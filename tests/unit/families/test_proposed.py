"""The sweep's check of an engine that proposes: what it calls the same, and what it notices."""

import pytest
import torch
from torch import nn

import layerscope as ls
from families import proposed
from families.kinds import Given, held
from layerscope.core.engines import ENGINES, Engine
from layerscope.graph import Program
from layerscope.pipeline.deciding import Deciding
from layerscope.scan import proposed as proposing


def opened(*modules: nn.Module) -> tuple[ls.Network, Given]:
    """A chain of these, its weights drawn."""
    torch.manual_seed(0)
    given = held(nn.Sequential(*modules), 20)
    return ls.trace(given.network, given.input), given


def test_proposed_peaks_are_held_to_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the same, though pictures were left out; and peaks that an engine loses without noticing are noticed."""
    net, given = opened(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
    monkeypatch.setattr(proposed, "COUNT", 70)
    found = proposed.check(net, given, [])
    assert all(one["differ"] == 0 and one["outcome"] == "decided" for one in (found, found["narrow"]))
    assert 0 < found["again"] < found["images"] == 70 and found["units"] == 8 and found["narrow"]["units"] == 4
    monkeypatch.setattr(proposing, "MARGIN", 1e-3)
    assert proposed.check(net, given, [])["outcome"] == "fell back"
    monkeypatch.setattr(Deciding, "wrong", lambda self: [])
    other = Engine(name="own", sentence="", open=ENGINES["local"].open, exact=False, proposer=another_network)
    monkeypatch.setitem(ENGINES.own, "own", other)
    monkeypatch.setattr(proposed, "ENGINE", "own")
    found = proposed.check(net, given, [])
    assert found["differ"] > 0 and found["at"] and found["outcome"] == "decided"


def another_network(program: Program) -> Program:
    """The same network with weights of its own."""
    random = torch.Generator().manual_seed(0)
    return Program(program.graph, {name: torch.randn(w.shape, generator=random) for name, w in program.weights.items()})


def test_what_an_engine_declines_is_told() -> None:
    """What jumps has no bound; its sentence is kept, and its peaks are those of the plain scan."""
    found = proposed.check(*opened(nn.Conv2d(3, 4, 3), nn.Hardshrink()), [])
    assert found["outcome"] == "declined" and "(hardshrink) jumps" in found["why"] and found["differ"] == 0
