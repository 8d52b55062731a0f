"""Which activation a piece of arithmetic is, told by its numbers: x * sigmoid(x) is SiLU however it was written.

Around a node that bends numbers, the nodes between one value and a later one are run on numbers from -12 to 12, and
held to the activations that are known.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper

Array = np.ndarray
_POINTS = np.concatenate([np.linspace(-12, 12, 97), [-3.0, -1e-3, 0.0, 1e-3, 3.0]])
_MOST = 8
_CLOSE = 2e-6


def _erf(x: Array) -> Array:
    return np.array([math.erf(one) for one in x])


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _clip(x: Array, low: float, high: float) -> Array:
    return np.minimum(np.maximum(x, low), high)


_SLOPE = math.sqrt(2 / math.pi)
# What an activation is called in the table, with its attributes, and what it is.
_KNOWN: tuple[tuple[str, dict[str, Any], Callable[[Array], Array]], ...] = (
    ("Gelu", {"approximate": "none"}, lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2)))),
    (
        "Gelu",
        {"approximate": "tanh"},
        lambda x: 0.5 * x * (1 + np.tanh(_SLOPE * (x + 0.044715 * x**3))),
    ),
    ("Swish", {"alpha": 1.0}, lambda x: x * _sigmoid(x)),
    ("Mish", {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    ("HardSwish", {}, lambda x: x * _clip(x / 6 + 0.5, 0, 1)),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, lambda x: _clip(x / 6 + 0.5, 0, 1)),
)
_NAMED = [(op, attributes, function(_POINTS)) for op, attributes, function in _KNOWN]

_TWO: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power,
}  # fmt: skip
_ONE: Mapping[str, Callable[[Array], Array]] = {
    "Erf": _erf, "Sigmoid": _sigmoid, "Tanh": np.tanh, "Softplus": lambda x: np.log1p(np.exp(x)),
    "Identity": lambda x: x,
}  # fmt: skip

WrittenOut = tuple[str, dict[str, Any], str, list[NodeProto]]


def written_out(
    giver: Mapping[str, NodeProto], readers: Mapping[str, Sequence[NodeProto]],
    number: Callable[[str], float | None], node: NodeProto, kept: set[str],
) -> WrittenOut | None:  # fmt: skip
    """The activation around a node: its name and attributes, the value that it is of, the nodes that it is made of.

    giver, readers: of each value. number: a constant by its name. kept: names of what the network gives.
    """
    starts = _before(giver, number, node)
    for end in reversed(_behind(readers, node, kept)):
        for start in starts:
            parts = _between(giver, number, start, end)
            if parts is None or node not in parts:
                continue
            found = _recognised(_run(parts, start, number))
            if found is not None and (len(parts) > 1 or parts[0].op_type != found[0]):
                return *found, start, parts
    return None


def _before(giver: Mapping[str, NodeProto], number: Callable[[str], float | None], node: NodeProto) -> list[str]:
    """Values that a node is made of, the farthest first."""
    todo, found = [node], list[str]()
    while todo and len(found) < _MOST:
        one = todo.pop(0)
        for name in one.input:
            if name and name not in found and number(name) is None:
                found.append(name)
                if name in giver and _acts_on_each(giver[name]):
                    todo.append(giver[name])
    return found[::-1]


def _behind(readers: Mapping[str, Sequence[NodeProto]], node: NodeProto, kept: set[str]) -> list[NodeProto]:
    """The node, and those behind it as long as there is one that acts on each number."""
    found = [node]
    while len(found) < _MOST and found[-1].output[0] not in kept:
        following = [one for one in readers.get(found[-1].output[0], ()) if _acts_on_each(one)]
        if len(following) != 1 or len(readers[found[-1].output[0]]) != 1:
            break
        found.append(following[0])
    return found


def _acts_on_each(node: NodeProto) -> bool:
    return not node.domain and (node.op_type in _TWO or node.op_type in _ONE or node.op_type in ("Clip", "HardSigmoid"))


def _between(
    giver: Mapping[str, NodeProto], number: Callable[[str], float | None], start: str, end: NodeProto
) -> list[NodeProto] | None:
    """The nodes that make a value out of another, in order; None where something else goes in."""
    found: list[NodeProto] = []

    def visit(node: NodeProto) -> bool:
        if node in found:
            return True
        if not _acts_on_each(node) or len(found) > 2 * _MOST:
            return False
        for name in node.input:
            if not name or name == start or number(name) is not None:
                continue
            if name not in giver or not visit(giver[name]):
                return False
        found.append(node)
        return True

    return found if visit(end) else None


def _run(parts: list[NodeProto], start: str, number: Callable[[str], float | None]) -> Array | None:
    known: dict[str, Array] = {start: _POINTS}
    with np.errstate(all="ignore"):
        for node in parts:
            given = [known[name] if name in known else _constant(number, name) for name in node.input]
            attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
            if node.op_type in _TWO:
                known[node.output[0]] = _TWO[node.op_type](given[0], given[1])
            elif node.op_type in _ONE:
                known[node.output[0]] = _ONE[node.op_type](given[0])
            elif node.op_type == "Clip":
                low = given[1] if len(given) > 1 and node.input[1] else attributes.get("min", -math.inf)
                high = given[2] if len(given) > 2 and node.input[2] else attributes.get("max", math.inf)
                known[node.output[0]] = np.minimum(np.maximum(given[0], low), high)
            else:
                slope, offset = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
                known[node.output[0]] = _clip(given[0] * slope + offset, 0, 1)
    return known[parts[-1].output[0]]


def _constant(number: Callable[[str], float | None], name: str) -> Array:
    value = number(name) if name else None
    return np.array(math.nan if value is None else value)


def _recognised(values: Array | None) -> tuple[str, dict[str, Any]] | None:
    if values is None or values.shape != _POINTS.shape or not np.isfinite(values).all():
        return None
    for op, attributes, expected in _NAMED:
        if np.abs(values - expected).max() < _CLOSE * (1 + np.abs(expected).max()):
            return op, attributes
    return None
