"""Smooth and bounded activations, and other functions of a single number: one table, a line for each.

The papers of the methods state rules for rectifiers. Of these functions those that rise from about zero are taken for
rectifiers: the deconvnet clamps its signal, and guided multiplies that by the secant slope (y - y(0)) / x, which is
what a ReLU's mask is to a ReLU. Those that saturate or let both signs through have the secant slope for both methods.
What is no activation (a square, a root, a logarithm) is differentiated by every method.
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.rules import GRADIENT, HeldGates, Rule, constant_output, holding
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten

# Exporting takes softsign apart, and tracing puts it together again under this name.
_library = torch.library.Library("layerscope", "FRAGMENT")
_library.define("softsign(Tensor input) -> Tensor")
_library.impl("softsign", F.softsign, "CompositeImplicitAutograd")
softsign = torch.ops.layerscope.softsign.default


class Function(NamedTuple):
    """One line of the table.

    target, args: the ATen overload, and its arguments behind the map in each sample. way: "rises", "saturates", or
    "other" for what is no activation; or a function of the call. turns: where, beside the ends, its values may be
    lowest or highest. above: its arguments lie above this. also: further overloads with arguments of a sample. jumps:
    as in `Op`.
    """

    name: str
    sentence: str
    target: Any
    args: tuple[tuple[Any, ...], ...] = ((),)
    way: str | Callable[[Call], str] = "rises"
    turns: tuple[float, ...] = ()
    above: float = -inf
    also: tuple[tuple[Any, tuple[Any, ...]], ...] = ()
    jumps: bool = False

    @property
    def targets(self) -> tuple[Any, ...]:
        return (self.target, *(target for target, _ in self.also))


def _cut_way(call: Call) -> str:
    """Cut off at zero or above it is a rectifier with an offset."""
    return "rises" if call["min"] is not None and call["min"] >= 0 else "saturates"


FUNCTIONS = (
    Function("silu", "x times its sigmoid (swish)", aten.silu.default, turns=(-1.2784645427610738,)),
    Function("hardswish", "x times its hardsigmoid", aten.hardswish.default, turns=(-1.5,)),
    Function(
        "gelu", "x times the normal distribution's share below it", aten.gelu.default,
        ((), ("none",), ("tanh",)), turns=(-0.7517915246935645, -0.7524614220710162),
    ),
    Function("mish", "x times the hyperbolic tangent of its softplus", aten.mish.default, turns=(-1.1924312145,)),
    Function("elu", "x, and below zero an exponential", aten.elu.default, ((), (0.5, 1.5, 2.0)), turns=(0.0,)),
    Function("selu", "an ELU that keeps mean and variance", aten.selu.default),
    Function("celu", "an ELU whose slope is continuous", aten.celu.default, ((), (0.5,))),
    Function("softplus", "a smooth rectifier, log(1 + exp x)", aten.softplus.default, ((), (2.0, 5.0))),
    Function(
        "threshold", "what is not above a threshold becomes one value", aten.threshold.default,
        ((0.5, 0.0), (-1.0, -2.0)), turns=(0.0,), jumps=True,
    ),
    Function(
        "clamp", "cut off below, above or on both sides", aten.clamp.default,
        ((-1.0, 2.0), (0.5,), (None, 1.0)), way=_cut_way,
    ),
    Function("sigmoid", "from 0 to 1", aten.sigmoid.default, way="saturates"),
    Function("hardsigmoid", "from 0 to 1, by three straight lines", aten.hardsigmoid.default, way="saturates"),
    Function("tanh", "from -1 to 1", aten.tanh.default, way="saturates"),
    Function("softsign", "x over one more than its size", softsign, way="saturates"),
    Function("log_sigmoid", "the logarithm of the sigmoid", aten.log_sigmoid.default, way="saturates"),
    Function(
        "hardshrink", "what is near zero becomes zero", aten.hardshrink.default, ((), (1.5,)), "saturates", jumps=True,
    ),
    Function("softshrink", "all drawn towards zero by a constant", aten.softshrink.default, ((), (1.5,)), "saturates"),
    Function("abs", "without its sign", aten.abs.default, way="other", turns=(0.0,)),
    Function("sign", "its sign alone", aten.sign.default, way="other", jumps=True),
    Function(
        "pow", "to a constant power", aten.pow.Tensor_Scalar, ((2,), (3,)), way="other", turns=(0.0,),
        also=((aten.pow.Tensor_Tensor, (torch.tensor([2.0], dtype=torch.float64),)),),
    ),
    Function("sqrt", "the square root", aten.sqrt.default, way="other", above=0.0),
    Function("rsqrt", "one over the square root", aten.rsqrt.default, way="other", above=0.0),
    Function("reciprocal", "one over x", aten.reciprocal.default, way="other", above=0.0),
    Function("exp", "the exponential", aten.exp.default, way="other"),
    Function("log", "the logarithm", aten.log.default, way="other", above=0.0),
    Function("log1p", "the logarithm of 1 + x", aten.log1p.default, way="other", above=-1.0),
)  # fmt: skip


def secant(call: Call) -> Tensor:
    """(y - y(0)) / x at each number of the call's input; near zero the slope half way there, to which it tends."""
    (x,) = call.tensors
    near = x.abs() < torch.finfo(x.dtype).eps ** (1 / 3)
    slope = (call.run(x) - call.run(torch.zeros_like(x))) / torch.where(near, 1.0, x)
    # Elsewhere asking would take longer than the limits do.
    if x.device.type == "cpu" and not bool(near.any()):
        return slope
    (limit,) = GRADIENT(torch.ones_like(x), call.knowing((x / 2,)))
    return torch.where(near, limit, slope)


def _clamped(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal.clamp(min=0),)


def _clamped_and_scaled(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal.clamp(min=0) * secant(call),)


def _scaled(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    return (signal * secant(call),)


def _held_scaled(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Times (y - y(0)) / x; nothing goes through what has no value at zero."""
    if bool(torch.isfinite(_at_zero(call)).all()):
        return (signal * secant(call),)
    return (signal * torch.where(torch.isfinite(_at_zero(call)), secant(call), 0),)


def _at_zero(call: Call) -> Tensor:
    (x,) = call.tensors
    return call.run(torch.zeros_like(x[:1]))


def _held_beside(call: Call) -> Tensor | None:
    """y(0); all of y where that is no number: there the output counts as a constant."""
    zero = _at_zero(call)
    if not bool(zero.any()):
        return None
    finite = torch.isfinite(zero)
    return zero if bool(finite.all()) else torch.where(finite, zero, call.run(*call.tensors))


def _held(function: Function) -> HeldGates:
    if function.jumps and function.way == "other":
        return constant_output("a sign counts as a constant")
    note = (
        "" if function.name not in ("rsqrt", "reciprocal", "log") else "what has no value at zero counts as a constant"
    )
    return HeldGates(holding(_held_scaled), _held_beside, note)


_SECANT = Rule(_scaled, inputs=True, word="secant")
_RULES = {
    "rises": {"deconvnet": Rule(_clamped), "guided": Rule(_clamped_and_scaled, inputs=True, word="both")},
    "saturates": {"deconvnet": _SECANT, "guided": _SECANT},
    "other": {},
}


def _either(way: Callable[[Call], str], method: str) -> Rule:
    def back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
        return _RULES[way(call)][method](signal, call)

    return Rule(back, inputs=True, word="bounds")


def _rules(function: Function) -> dict[str, Rule]:
    if callable(function.way):
        return {method: _either(function.way, method) for method in ("deconvnet", "guided")}
    return _RULES[function.way]


def _range(function: Function) -> Callable[[Call, tuple[Range, ...]], Range]:
    def within(call: Call, inputs: tuple[Range, ...]) -> Range:
        low, high = inputs[0]
        exponent = call.args.get("exponent", 1.0)
        if not isinstance(exponent, int | float):
            return Range(0.0) if low >= 0 else ANYTHING
        if low < function.above or (low < 0 and exponent < 0):
            return ANYTHING
        points = [low, high, *(turn for turn in function.turns if low < turn < high)]
        ends = torch.tensor([points], dtype=torch.float64)
        values = call.run(ends)
        # At infinity itself some give no number where they have a limit.
        values = torch.where(values.isnan(), call.run(ends.clamp(-1e300, 1e300)), values).nan_to_num(0.0, inf, -inf)
        return Range(float(values.min()), float(values.max()))

    return within


def _samples(function: Function) -> Callable[[], Iterator[Sample]]:
    def made() -> Iterator[Sample]:
        x = torch.linspace(-3, 9, 2 * 2 * 3 * 2, dtype=torch.float64).sin().reshape(2, 2, 3, 2) * 5
        x = function.above + x.abs() + 0.1 if function.above > -inf else x
        for target, args in (*((function.target, args) for args in function.args), *function.also):
            yield Sample(target, (x,), (NodeInput(0), *args), above=function.above)

    return made


ROWS = tuple(
    Op(
        name=function.name,
        sentence=function.sentence,
        targets=function.targets,
        window=pointwise,
        samples=_samples(function),
        linear=False,
        # Beyond the border it is given what it is defined for, or nothing times infinity would be no number.
        pad=0.0 if function.way != "other" else 1.0,
        role="other" if function.way == "other" else "activation",
        activation=None if function.way == "other" else "smooth",
        range=_range(function),
        rules=_rules(function),
        held=_held(function),
        stated=False,
        jumps=function.jumps,
    )
    for function in FUNCTIONS
)
