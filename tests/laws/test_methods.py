"""Every method of ours keeps the laws of methods; and the laws notice a rule that breaks them."""

from dataclasses import replace

import pytest
import torch

from layerscope.core.methods import METHODS, Method
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.rules import Rule, vjp
from layerscope.testing import methods


@pytest.mark.parametrize("law", methods.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", METHODS.own)
def test_laws(name: str, law) -> None:
    """It is told in words, has a rule at every operation, and projects on cones as on whole maps."""
    law(METHODS.own[name])


def mixed(signal: torch.Tensor, call: Call) -> tuple[torch.Tensor, ...]:
    return tuple(part + part.mean(0) for part in vjp(signal, call))


def offset(signal: torch.Tensor, call: Call) -> tuple[torch.Tensor, ...]:
    return tuple(part + 1e-6 for part in vjp(signal, call))


def of_the_whole(signal: torch.Tensor, call: Call) -> tuple[torch.Tensor, ...]:
    return tuple(part * (1 + call.tensors[0].mean((1, 2, 3), keepdim=True)) for part in vjp(signal, call))


BROKEN = {
    "mixes the entries": Rule(mixed, inputs=True),
    "makes something of no signal": Rule(offset, inputs=True),
    "not the same on": Rule(of_the_whole, inputs=True),
    "does not scale": Rule(lambda signal, call: vjp(signal**2, call), inputs=True),
    "gives other shapes": Rule(lambda signal, call: (signal[..., :-1],)),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_rule_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule, at max pooling alone, that mixes entries, ignores its signal's size, or looks beyond its window."""
    row = replace(
        METHODS.own["gradient"], name="odd", rules=lambda name: BROKEN[fault] if name == "max_pool2d" else None
    )
    monkeypatch.setitem(METHODS.own, "odd", row)
    with pytest.raises(AssertionError, match=f"max_pool2d: odd {fault}|max_pool2d: odd is {fault}"):
        methods.laws(row)


def test_what_is_no_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that hands over a bare function is told which operation and what was given."""
    row = Method(name="bare", sentence="s", limits="l", source="s", rules=lambda name: vjp)
    monkeypatch.setitem(METHODS.own, "bare", row)
    with pytest.raises(Exception, match='the method "bare" gives no Rule for conv2d, but a function'):
        methods.laws(row)
