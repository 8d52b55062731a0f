"""Every row of the operation table keeps its word: the public laws, on its own samples, and what only ours must keep.

A new row is tested by its samples; nothing here needs an edit for it.
"""

from pathlib import Path

import pytest
import torch

from layerscope.core.methods import METHODS
from layerscope.graph.ops import OPERATIONS, ROWS
from layerscope.graph.ops.rules import vjp
from layerscope.testing import ops

# What deconvnet and guided do to the signal, by row: the papers' words, written out apart from the rows.
FORMULAS = {
    "local_response_norm": lambda signal, inputs, call: (signal,),
    "gate": lambda signal, inputs, call: (signal * inputs[1], torch.zeros_like(inputs[1])),
    "softmax": lambda signal, inputs, call: (signal * inputs[0].exp() / inputs[0].exp().sum(1, keepdim=True),),
    "branch_softmax": lambda signal, inputs, call: (signal * shares_of_branches(inputs[0], call),),
    "quotient": lambda signal, inputs, call: fixed_divisor(signal, *inputs),
    "channel_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], [1], call),
    "channel_rms_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], [1], call, centred=False),
    "layer_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], last(call), call),
    "rms_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], last(call), call, centred=False),
    "group_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], [2], call, groups=call["num_groups"]),
    "instance_norm": lambda signal, inputs, call: fixed_deviation(signal, inputs[0], [2, 3], call),
}
# The smooth activations that rise from about zero, as a rectifier does.
RISING = ("silu", "hardswish", "gelu", "mish", "elu", "selu", "celu", "softplus", "threshold")


def fixed_divisor(signal, x, divisor):
    """A divisor that is smaller than the map is a constant; one of its size is differentiated."""
    own = signal / divisor
    return own, -signal * x / divisor**2 if divisor.shape == x.shape else torch.zeros_like(divisor)


def shares_of_branches(x, call):
    parts = x.exp().reshape(x.shape[0], call["outer"], call["count"], call["inner"], *x.shape[2:])
    return (parts / parts.sum(2, keepdim=True)).reshape(x.shape)


def last(call) -> list[int]:
    return [-1 - axis for axis in range(len(call["normalized_shape"]))]


def fixed_deviation(signal, x, axes, call, *, groups=None, centred=True):
    """The gradient of weight * (x - m) / d, where the mean m and the deviation d of x count as constants."""
    shape, weight = x.shape, call.args["weight"]
    if groups:
        x = x.reshape(shape[0], groups, -1)
    eps = call["eps"] if call["eps"] is not None else torch.finfo(x.dtype).eps
    mean = x.mean(axes, keepdim=True) if centred else 0.0
    deviation = ((x - mean) ** 2).mean(axes, keepdim=True) + eps
    back = (torch.ones_like(x) / deviation.sqrt()).reshape(shape) * signal
    if weight is None:
        return (back,)
    return (back * (weight if "normalized_shape" in call.args else weight.reshape(-1, *[1] * (len(shape) - 2))),)


GOLDEN = Path(__file__).parents[1] / "golden" / "ops.txt"


@pytest.mark.parametrize("law", ops.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", OPERATIONS.own)
def test_laws(name: str, law) -> None:
    """Window, border, linearity, gradient, range and number type are true of every sample of every row."""
    for case in ops.cases(OPERATIONS.own[name]):
        law(case)


@pytest.mark.parametrize("name", OPERATIONS.own)
def test_methods_are_their_formulas(name: str) -> None:
    """Deconvnet rectifies the signal as a rectifier rectifies its input, without a ceiling and whatever the input;
    guided then takes the gradient of that, or the secant slope where an activation is smooth; one that saturates has
    that for both; what is no activation and has no formula of its own goes by the gradient."""
    row = OPERATIONS.own[name]
    for case in ops.cases(row):
        inputs, signal = case.random(7), case.signal(8)
        rules = {method: case.back(method, signal, inputs) for method in METHODS.own}
        if row.activation == "rectifier":
            slope = -case.call.run(torch.full_like(signal[:1], -1.0))
            rectified = torch.where(signal > 0, signal, slope * signal)
            assert torch.equal(rules["deconvnet"][0], rectified)
            assert not row.rule("deconvnet").inputs
            torch.testing.assert_close(rules["guided"][0], vjp(rectified, case.call.knowing(inputs))[0])
        elif row.activation == "smooth":
            rises = case.call["min"] is not None and case.call["min"] >= 0 if name == "clamp" else name in RISING
            secant = (case.call.run(inputs[0]) - case.call.run(0 * inputs[0])) / inputs[0]
            clamped = torch.where(signal > 0, signal, 0.0)
            torch.testing.assert_close(rules["deconvnet"][0], clamped if rises else signal * secant)
            torch.testing.assert_close(rules["guided"][0], (clamped if rises else signal) * secant)
        elif row.rules:
            expected = FORMULAS[name](signal, inputs, case.call)
            torch.testing.assert_close(rules["deconvnet"], expected)
            torch.testing.assert_close(rules["guided"], expected)
        assert all(row.rule(method) is row.gradient for method in METHODS.own if method not in row.rules)


def test_names_are_stable() -> None:
    """Atlases store the rows' names: a row may be added to the list, none may be renamed or lose a target."""
    lines = [f"{row.name}: {', '.join(map(str, row.targets))}" for row in ROWS]
    assert sorted(lines) == GOLDEN.read_text().splitlines()


def test_every_target_has_exactly_one_row() -> None:
    """The table is the rows, turned around; names are unique and every row shows each of its targets by a sample."""
    pairs = [(target, row) for row in ROWS for target in row.targets]
    assert dict(pairs) == dict(OPERATIONS.targets) and len(dict(pairs)) == len(pairs)
    assert tuple(OPERATIONS.own) == tuple(row.name for row in ROWS)
    for row in ROWS:
        ops.every_target_has_a_sample(row)
