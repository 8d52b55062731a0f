"""Every method of ours keeps the laws of methods; and the laws notice a rule that breaks them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.methods import METHODS, Method
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.rules import Rule, vjp
from layerscope.testing import methods


@pytest.mark.parametrize("law", methods.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", METHODS.own)
@pytest.mark.thin(3)
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
    with pytest.raises(Exception, match=r'the method "bare" gives no Rule for \w+, but a function'):
        methods.laws(row)


def relevance(signal: torch.Tensor, call: Call) -> tuple[torch.Tensor, ...]:
    """LRP-0 (Bach et al. 2015, eq. 56): what an input gave of a sum, of the relevance of that sum."""
    share = torch.where(call.output != 0, signal / call.output, 0)
    return tuple(x * back for x, back in zip(call.tensors, vjp(share, call), strict=True))


@pytest.mark.parametrize(
    "pool", [pytest.param(nn.MaxPool2d(2), marks=pytest.mark.wide), nn.AvgPool2d(2, 1, 1)], ids=["max", "average"]
)
def test_relevance_propagation_can_be_written_from_outside(pool: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that read every operation's inputs and output, linear ones too. In a ReLU network without biases LRP-0 is
    the picture times the gradient (Shrikumar et al. 2016), and sums up to the activation."""
    row = Method(
        name="relevance", sentence="s", limits="l", source="s",
        rules=lambda name: None if name == "relu" else Rule(relevance, inputs=True, output=True),
    )  # fmt: skip
    monkeypatch.setitem(METHODS.own, "relevance", row)
    torch.manual_seed(2)
    convolutions = [nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.Conv2d(5, 4, 3, 2, bias=False)]
    model = nn.Sequential(convolutions[0], nn.ReLU(), pool, convolutions[1], nn.ReLU()).double()
    x = torch.randn((1, 3, 20, 23), dtype=torch.float64, requires_grad=True)
    values = model(x)
    unit, r, c = map(int, np.unravel_index(int(values.argmax()), values.shape[1:]))
    (slope,) = torch.autograd.grad(values[0, unit, r, c], x)
    net = ls.trace(model, methods.INPUT)
    found = net.project(x.detach(), "4", image=[0], unit=[unit], row=[r], col=[c], method="relevance").full()
    np.testing.assert_allclose(found, (x * slope).detach().numpy(), atol=1e-12)
    assert found.sum() == pytest.approx(float(values[0, unit, r, c].detach()))
    methods.projections_are_the_rules_on_whole_maps(row)
