"""What is known of sizes: the arithmetic that exporters write around a Shape, done in Python's own numbers.

An array here holds constants of the file, or sizes of maps, of which the number of pictures may be a symbol. A node all
of whose inputs are such arrays is no operation of the network: it is worked out while the network is traced.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.models.onnx.calls import OnnxCall, Unread, one, whole

Array = np.ndarray


def fold(call: OnnxCall, given: list[Array | None]) -> list[Array]:
    """The outputs of a node whose inputs are known; its operator has a row here. Raises Unread."""
    found = FOLDS[call.op](call, *given)
    return list(found) if isinstance(found, tuple) else [found]


def shape_of(call: OnnxCall, sizes: tuple[Any, ...]) -> Array:
    """What Shape says of a map of these sizes."""
    return array(list(sizes)[call.given("start", 0) : call.given("end")])


def array(values: list[Any]) -> Array:
    """Numbers in a row, symbols among them."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _each(function: Callable[..., Any]) -> Callable[..., Array]:
    """A function of numbers, on arrays."""
    ways = {count: np.frompyfunc(function, count, 1) for count in (1, 2, 3)}

    def folded(call: OnnxCall, *given: Array) -> Array:
        return np.asarray(ways[len(given)](*(np.asarray(one, dtype=object) for one in given)), dtype=object)

    return folded


def _many(function: Callable[[Any, Any], Any]) -> Callable[..., Array]:
    """A function of two numbers, on as many arrays as there are."""
    way = np.frompyfunc(function, 2, 1)

    def folded(call: OnnxCall, first: Array, *others: Array) -> Array:
        found = np.asarray(first, dtype=object)
        for other in others:
            found = np.asarray(way(found, np.asarray(other, dtype=object)), dtype=object)
        return found

    return folded


def _divided(a: Any, b: Any) -> Any:
    if isinstance(a, torch.SymInt) or isinstance(b, torch.SymInt):
        return a // b
    if isinstance(a, int | np.integer) and isinstance(b, int | np.integer):
        return -(-a // b) if (a < 0) != (b < 0) else a // b
    return a / b


def _cast(call: OnnxCall, x: Array) -> Array:
    to = call.attributes["to"]
    if to in (1, 10, 11, 16):  # floating types
        return np.asarray(np.frompyfunc(float, 1, 1)(x), dtype=object)
    if to == 9:
        return np.asarray(np.frompyfunc(bool, 1, 1)(x), dtype=object)
    if to == 8:
        raise Unread("makes text of numbers")
    kept = np.frompyfunc(lambda v: v if isinstance(v, torch.SymInt) else int(v), 1, 1)
    return np.asarray(kept(x), dtype=object)


def _gather(call: OnnxCall, x: Array, places: Array) -> Array:
    return np.asarray(np.take(x, places.astype(np.int64), axis=call.given("axis", 0)))


def _concat(call: OnnxCall, *given: Array) -> Array:
    return np.concatenate([np.asarray(one, dtype=object) for one in given], axis=call.attributes["axis"])


def _unsqueeze(call: OnnxCall, x: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(x, tuple(whole(axes) if axes is not None else call.attributes["axes"]))


def _squeeze(call: OnnxCall, x: Array, axes: Array | None = None) -> Array:
    places = whole(axes) if axes is not None else call.given("axes")
    return np.squeeze(x) if places is None else np.squeeze(x, tuple(places))


def _slice(call: OnnxCall, x: Array, *given: Array | None) -> Array:
    starts, ends, axes, steps = slicing(call, [None if one is None else whole(one) for one in given], x.ndim)
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cut[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(cut)]


def slicing(call: OnnxCall, given: list[list[Any] | None], rank: int) -> tuple[list[Any], ...]:
    """Starts, ends, axes and steps of a Slice, from its inputs behind the first or, of old, its attributes."""
    given = [*given, *[None] * (4 - len(given))]
    starts, ends = (
        given[place] if call.opset >= 10 else list(call.attributes[name])
        for place, name in ((0, "starts"), (1, "ends"))
    )
    axes = given[2] if call.opset >= 10 else call.given("axes")
    assert starts is not None and ends is not None
    places = [axis % rank for axis in (axes or range(len(starts)))]
    return starts, ends, places, given[3] or [1] * len(starts)


def _reshape(call: OnnxCall, x: Array, shape: Array) -> Array:
    sizes = whole(shape)
    if not call.given("allowzero", 0):
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(sizes)


def _filled(call: OnnxCall, shape: Array) -> Array:
    value = call.given("value")
    found = np.empty(whole(shape), dtype=object)
    found[...] = 0.0 if value is None else one(value)
    return found


def _split(call: OnnxCall, x: Array, sizes: Array | None = None) -> tuple[Array, ...]:
    axis, parts = call.given("axis", 0), len(call.outputs)
    lengths = whole(sizes) if sizes is not None else call.given("split", [-(-x.shape[axis] // parts)] * parts)
    return tuple(np.split(x, np.cumsum(lengths)[:-1], axis=axis))


def _reduced(function: Callable[..., Any]) -> Callable[..., Array]:
    def folded(call: OnnxCall, x: Array, axes: Array | None = None) -> Array:
        places = whole(axes) if axes is not None else call.given("axes")
        kept = bool(call.given("keepdims", 1))
        return np.asarray(function(x, axis=None if places is None else tuple(places), keepdims=kept), dtype=object)

    return folded


def _where(call: OnnxCall, condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition.astype(bool), np.asarray(x, dtype=object), np.asarray(y, dtype=object))


def _clip(call: OnnxCall, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    below, above = (call.given(name) if bound is None else one(bound) for name, bound in (("min", low), ("max", high)))
    found = x if below is None else _many(max)(call, x, np.asarray(below, dtype=object))
    return found if above is None else _many(min)(call, found, np.asarray(above, dtype=object))


FOLDS: dict[str, Callable[..., Array | tuple[Array, ...]]] = {
    "Identity": lambda call, x: x,
    "Cast": _cast,
    "Gather": _gather,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
    "Split": _split,
    "Reshape": _reshape,
    "Transpose": lambda call, x: np.transpose(x, call.given("perm")),
    "Expand": lambda call, x, shape: np.array(
        np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(whole(shape)))), dtype=object
    ),
    "Tile": lambda call, x, times: np.tile(x, whole(times)),
    "ConstantOfShape": _filled,
    "Range": lambda call, start, limit, delta: array(list(range(*map(one, (start, limit, delta))))),
    "Size": lambda call, x: np.array(x.size, dtype=object),
    "Shape": lambda call, x: shape_of(call, x.shape),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "Add": _each(lambda a, b: a + b),
    "Sub": _each(lambda a, b: a - b),
    "Mul": _each(lambda a, b: a * b),
    "Div": _each(_divided),
    "Mod": _each(lambda a, b: a % b),
    "Pow": _each(lambda a, b: a**b),
    "Neg": _each(lambda a: -a),
    "Abs": _each(abs),
    "Sqrt": _each(lambda a: a**0.5),
    "Floor": _each(lambda a: a if isinstance(a, torch.SymInt) else float(math.floor(a))),
    "Ceil": _each(lambda a: a if isinstance(a, torch.SymInt) else float(math.ceil(a))),
    "Clip": _clip,
    "Relu": _each(lambda a: max(a, 0)),
    "Min": _many(min),
    "Max": _many(max),
    "Equal": _each(lambda a, b: a == b),
    "Less": _each(lambda a, b: a < b),
    "LessOrEqual": _each(lambda a, b: a <= b),
    "Greater": _each(lambda a, b: a > b),
    "GreaterOrEqual": _each(lambda a, b: a >= b),
    "Not": _each(lambda a: not a),
    "And": _each(lambda a, b: bool(a) and bool(b)),
    "Or": _each(lambda a, b: bool(a) or bool(b)),
    "Where": _where,
}  # fmt: skip


def shape(x: Tensor, *, start: int, end: int | None) -> Array:
    """The sizes of a map."""
    return array(list(x.shape)[start:end])


def folded(*given: Any, op: str, opset: int, parts: int, attributes: Sequence[tuple[str, Any]]) -> Any:
    """What is known of sizes, worked out."""
    call = OnnxCall(op=op, opset=opset, attributes=dict(attributes), outputs=(True,) * parts)
    found = fold(call, [None if one is None else np.asarray(one, dtype=object) for one in given])
    return tuple(found) if parts > 1 else found[0]
