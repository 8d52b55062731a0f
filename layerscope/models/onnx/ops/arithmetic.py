"""What acts on each number by itself, without bending it for its own sake: arithmetic, comparisons, choices."""

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.models.onnx.calls import OnnxCall, Unread, one
from layerscope.models.onnx.ops.table import Computed, OnnxOperator


def _one(function: Callable[[Tensor], Tensor]) -> Callable[[OnnxCall], Computed]:
    return lambda call: Computed(by=partial(function))


def _two(function: Callable[[Any, Any], Any]) -> Callable[[OnnxCall], Computed]:
    return lambda call: Computed(by=partial(function), inputs=(0, 1))


def _several(function: Callable[..., Any]) -> Callable[[OnnxCall], Computed]:
    return lambda call: Computed(by=partial(function), inputs=tuple(range(len(call.inputs))))


def numbers(x: Any) -> Any:
    """Arrays of sizes as what torch computes with; tensors and plain numbers as they are."""
    if isinstance(x, np.ndarray):
        return x.item() if x.ndim == 0 else torch.tensor(x.tolist())
    return x


def add(a: Any, b: Any) -> Any:
    return numbers(a) + numbers(b)


def subtract(a: Any, b: Any) -> Any:
    return numbers(a) - numbers(b)


def multiply(a: Any, b: Any) -> Any:
    return numbers(a) * numbers(b)


def divide(a: Any, b: Any) -> Any:
    a, b = numbers(a), numbers(b)
    exact = any(isinstance(x, float) or (isinstance(x, Tensor) and x.is_floating_point()) for x in (a, b))
    return a / b if exact else torch.div(a, b, rounding_mode="trunc")


def power(a: Any, b: Any) -> Any:
    return numbers(a) ** numbers(b)


def _running_total(call: OnnxCall) -> Computed:
    axis = call.constant(1, "axis")
    if axis is None or call.given("exclusive", 0) or call.given("reverse", 0):
        raise Unread("adds up along an axis otherwise than torch does")
    return Computed(by=partial(running_total, axis=int(one(axis))))


def running_total(x: Tensor, *, axis: int) -> Tensor:
    return x.cumsum(axis)


def _modulo(call: OnnxCall) -> Computed:
    return Computed(by=partial(modulo, sign_of_first=bool(call.given("fmod", 0))), inputs=(0, 1))


def modulo(a: Any, b: Any, *, sign_of_first: bool) -> Any:
    return (torch.fmod if sign_of_first else torch.remainder)(numbers(a), numbers(b))


def largest(first: Any, *others: Any) -> Any:
    return _folded(torch.maximum, first, *others)


def smallest(first: Any, *others: Any) -> Any:
    return _folded(torch.minimum, first, *others)


def total(first: Any, *others: Any) -> Any:
    return _folded(torch.add, first, *others)


def mean(first: Any, *others: Any) -> Any:
    return total(first, *others) / (1 + len(others))


def _folded(function: Callable[[Any, Any], Any], first: Any, *others: Any) -> Any:
    given = [numbers(x) for x in (first, *others)]
    like = next(x for x in given if isinstance(x, Tensor))
    return functools.reduce(function, [x if isinstance(x, Tensor) else like.new_tensor(x) for x in given])


def equal(a: Any, b: Any) -> Any:
    return numbers(a) == numbers(b)


def less(a: Any, b: Any) -> Any:
    return numbers(a) < numbers(b)


def less_or_equal(a: Any, b: Any) -> Any:
    return numbers(a) <= numbers(b)


def greater(a: Any, b: Any) -> Any:
    return numbers(a) > numbers(b)


def greater_or_equal(a: Any, b: Any) -> Any:
    return numbers(a) >= numbers(b)


def choose(condition: Any, x: Any, y: Any) -> Any:
    return torch.where(numbers(condition), numbers(x), numbers(y))


def negative(x: Tensor) -> Tensor:
    return -x


def reciprocal(x: Tensor) -> Tensor:
    return 1 / x


def inverse(x: Tensor) -> Tensor:
    return torch.logical_not(x)


def both(a: Any, b: Any) -> Any:
    return torch.logical_and(numbers(a), numbers(b))


def either(a: Any, b: Any) -> Any:
    return torch.logical_or(numbers(a), numbers(b))


def absolute(x: Tensor) -> Tensor:
    return x.abs()


def root(x: Tensor) -> Tensor:
    return x.sqrt()


def exponential(x: Tensor) -> Tensor:
    return x.exp()


def logarithm(x: Tensor) -> Tensor:
    return x.log()


def error_function(x: Tensor) -> Tensor:
    return torch.erf(x)


def floor(x: Tensor) -> Tensor:
    return x.floor()


def ceiling(x: Tensor) -> Tensor:
    return x.ceil()


def nearest(x: Tensor) -> Tensor:
    return x.round()


def sign(x: Tensor) -> Tensor:
    return x.sign()


def sine(x: Tensor) -> Tensor:
    return x.sin()


def cosine(x: Tensor) -> Tensor:
    return x.cos()


ARITHMETIC = (
    OnnxOperator(name="Add", read=_two(add)),
    OnnxOperator(name="Sub", read=_two(subtract)),
    OnnxOperator(name="Mul", read=_two(multiply)),
    OnnxOperator(name="Div", read=_two(divide)),
    OnnxOperator(name="Pow", read=_two(power)),
    OnnxOperator(name="Mod", read=_modulo),
    OnnxOperator(name="CumSum", read=_running_total),
    OnnxOperator(name="Max", read=_several(largest)),
    OnnxOperator(name="Min", read=_several(smallest)),
    OnnxOperator(name="Sum", read=_several(total)),
    OnnxOperator(name="Mean", read=_several(mean)),
    OnnxOperator(name="Neg", read=_one(negative)),
    OnnxOperator(name="Reciprocal", read=_one(reciprocal)),
    OnnxOperator(name="Abs", read=_one(absolute)),
    OnnxOperator(name="Sqrt", read=_one(root)),
    OnnxOperator(name="Exp", read=_one(exponential)),
    OnnxOperator(name="Log", read=_one(logarithm)),
    OnnxOperator(name="Erf", read=_one(error_function)),
    OnnxOperator(name="Floor", read=_one(floor)),
    OnnxOperator(name="Ceil", read=_one(ceiling)),
    OnnxOperator(name="Round", read=_one(nearest)),
    OnnxOperator(name="Sign", read=_one(sign)),
    OnnxOperator(name="Sin", read=_one(sine)),
    OnnxOperator(name="Cos", read=_one(cosine)),
)

COMPARISONS = (
    OnnxOperator(name="Equal", read=_two(equal)),
    OnnxOperator(name="Less", read=_two(less)),
    OnnxOperator(name="LessOrEqual", read=_two(less_or_equal)),
    OnnxOperator(name="Greater", read=_two(greater)),
    OnnxOperator(name="GreaterOrEqual", read=_two(greater_or_equal)),
    OnnxOperator(name="Where", read=_several(choose)),
    OnnxOperator(name="Not", read=_one(inverse)),
    OnnxOperator(name="And", read=_two(both)),
    OnnxOperator(name="Or", read=_two(either)),
)
ROWS = (*ARITHMETIC, *COMPARISONS)
