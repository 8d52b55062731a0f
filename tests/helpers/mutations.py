"""What a reader could get wrong, as changes of a graph that was read rightly: each changes one call, or its weights.

A row says whether it can be told at a node at all: a stride means nothing where a map is one position, a dilation
nothing to a kernel of one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from layerscope.graph import Graph, Node, Traced
from layerscope.graph.ops.calls import NodeInput, Weight

Weights = Mapping[str, Tensor]
# The call as it would have been read, the weights it would have had; None where the fault cannot happen or be told.
Change = Callable[[Graph, Weights, Node], tuple[Node, dict[str, Tensor]] | None]


@dataclass(frozen=True)
class Mutant:
    """A graph with one fault. node: the name of the call that was misread."""

    node: str
    traced: Traced


def mutants(name: str, traced: Traced) -> Iterator[Mutant]:
    """The graph with this fault at one node, for every node where it can be told."""
    graph, weights = traced.graph, traced.weights
    for node in graph.nodes[1:]:
        changed = None if node.refused or graph.behind[node.id] else MUTATIONS[name](graph, weights, node)
        if changed is not None:
            nodes = tuple(changed[0] if other.id == node.id else other for other in graph.nodes)
            mutated = replace(graph, nodes=nodes)
            yield Mutant(node.name, replace(traced, graph=mutated, weights={**weights, **changed[1]}))


def _args(node: Node, **changed: Any) -> tuple[Node, dict[str, Tensor]]:
    return replace(node, args={**node.args, **changed}), {}


def _pair(value: Any) -> tuple[int, int]:
    values = (value,) if isinstance(value, int) else tuple(value)
    return (values[0], values[-1])


def _weight(node: Node, weights: Weights, name: str = "weight") -> Tensor | None:
    value = node.args.get(name)
    return weights[value.name] if isinstance(value, Weight) else None


def _bias_dropped(graph: Graph, weights: Weights, node: Node) -> Any:
    bias = _weight(node, weights, "bias")
    return _args(node, bias=None) if bias is not None and bool(bias.any()) else None


def _stride(graph: Graph, weights: Weights, node: Node) -> Any:
    """(1, 2) read as (2, 1); a square stride as the next larger one."""
    if not node.args.get("stride") or len(node.shape) != 3:
        return None
    rows, cols = _pair(node.args["stride"])
    other = (cols, rows) if rows != cols else (rows + 1, cols + 1)
    differing = [size > 1 and a != b for size, a, b in zip(node.shape[1:], (rows, cols), other, strict=True)]
    return _args(node, stride=other) if any(differing) else None


def _eps(graph: Graph, weights: Weights, node: Node) -> Any:
    """Another eps, and one where the network states none, which stands for that of its numbers."""
    if "eps" not in node.args:
        return None
    return _args(node, eps=1e-5 if node.args["eps"] is None else node.args["eps"] * 1.01)


def _padding(graph: Graph, weights: Weights, node: Node) -> Any:
    if "padding" not in node.args or isinstance(node.args["padding"], str):
        return None
    rows, cols = _pair(node.args["padding"])
    return _args(node, padding=(rows - 1 if rows else 1, cols - 1 if cols else 1))


def _order(graph: Graph, weights: Weights, node: Node) -> Any:
    tensors = node.args.get("tensors")
    if not isinstance(tensors, tuple) or len(set(node.sources)) < 2:
        return None
    return _args(node, tensors=tensors[::-1])


def _alpha(graph: Graph, weights: Weights, node: Node) -> Any:
    return _args(node, alpha=1) if node.args.get("alpha", 1) != 1 else None


def _transposed(graph: Graph, weights: Weights, node: Node) -> Any:
    weight = _weight(node, weights)
    if weight is None or weight.dim() < 2 or weight.shape[-1] != weight.shape[-2] or weight.shape[-1] == 1:
        return None
    return node, {node.args["weight"].name: weight.transpose(-1, -2).contiguous()}


def _relu_dropped(graph: Graph, weights: Weights, node: Node) -> Any:
    """A leaky ReLU of slope one is no ReLU. Behind what is never below zero it cannot be told."""
    if node.op != "relu" or graph.nodes[node.sources[0]].op not in ("conv2d", "batch_norm", "linear"):
        return None
    args = {"self": NodeInput(0), "negative_slope": 1.0}
    return replace(node, op="leaky_relu", target="aten.leaky_relu.default", args=args), {}


def _flipped(argument: str) -> Change:
    """A switch that was read the wrong way round, where the call itself gives something else then."""

    def change(graph: Graph, weights: Weights, node: Node) -> Any:
        if not isinstance(node.args.get(argument), bool):
            return None
        other, _ = _args(node, **{argument: not node.args[argument]})
        x = 1 + torch.rand((1, *graph.nodes[node.sources[0]].shape), generator=torch.Generator().manual_seed(0))
        found = [graph.call(call).run(x) for call in (node, other)]
        same = found[0].shape == found[1].shape and torch.allclose(*found)
        return None if same else (other, {})

    return change


def _dilation(graph: Graph, weights: Weights, node: Node) -> Any:
    if "dilation" not in node.args:
        return None
    weight = _weight(node, weights)
    kernel = tuple(weight.shape[-2:]) if weight is not None else _pair(node.args["kernel_size"])
    differing = [k > 1 and d > 1 for k, d in zip(kernel, _pair(node.args["dilation"]), strict=True)]
    return _args(node, dilation=(1, 1)) if any(differing) else None


def _groups(graph: Graph, weights: Weights, node: Node) -> Any:
    weight = _weight(node, weights)
    if weight is None or node.args.get("groups", 1) == 1:
        return None
    return node, {node.args["weight"].name: weight.roll(len(weight) // node.args["groups"], 0)}


def _statistics(graph: Graph, weights: Weights, node: Node) -> Any:
    mean = _weight(node, weights, "running_mean")
    if mean is None or not bool(mean.any()):
        return None
    return node, {node.args["running_mean"].name: torch.zeros_like(mean)}


def _divisor(graph: Graph, weights: Weights, node: Node) -> Any:
    return _args(node, divisor_override=None) if node.args.get("divisor_override") else None


def _slope(graph: Graph, weights: Weights, node: Node) -> Any:
    return _args(node, negative_slope=0.01) if node.args.get("negative_slope", 0.01) != 0.01 else None


def _operands(graph: Graph, weights: Weights, node: Node) -> Any:
    """a - b read as b - a."""
    if node.op != "sub":
        return None
    return _args(node, self=node.args["other"], other=node.args["self"])


def _factor(graph: Graph, weights: Weights, node: Node) -> Any:
    other = node.args.get("other")
    differs = node.op in ("mul", "div") and isinstance(other, int | float) and other != 1
    return _args(node, other=1) if differs else None


def _neighbours(graph: Graph, weights: Weights, node: Node) -> Any:
    """Of local response normalisation."""
    return _args(node, size=node.args["size"] + 2) if node.op == "local_response_norm" else None


def _exchanged(graph: Graph, weights: Weights, node: Node) -> Any:
    """The weights of the next call that has others of the same shape."""
    weight = _weight(node, weights)
    if weight is None:
        return None
    for other in graph.nodes[node.id + 1 :]:
        found = _weight(other, weights)
        if found is not None and found.shape == weight.shape and other.args["weight"] != node.args["weight"]:
            return _args(node, weight=other.args["weight"])
    return None


def _averaged(graph: Graph, weights: Weights, node: Node) -> Any:
    """A maximum read as a mean."""
    if node.op != "max_pool2d" or "dilation" not in node.args or _pair(node.args["dilation"]) != (1, 1):
        return None
    kept = {name: node.args[name] for name in ("self", "kernel_size", "stride", "padding", "ceil_mode")}
    return replace(node, target="aten.avg_pool2d.default", op="avg_pool2d", args=kept), {}


MUTATIONS: dict[str, Change] = {
    "a bias is dropped": _bias_dropped,
    "a stride is swapped or larger": _stride,
    "another eps": _eps,
    "a padding is off by one": _padding,
    "branches are joined in another order": _order,
    "the alpha of a sum is dropped": _alpha,
    "square weights are transposed": _transposed,
    "a ReLU is dropped": _relu_dropped,
    "ceil_mode is flipped": _flipped("ceil_mode"),
    "count_include_pad is flipped": _flipped("count_include_pad"),
    "a dilation is ignored": _dilation,
    "groups are permuted": _groups,
    "running means are dropped": _statistics,
    "a divisor is dropped": _divisor,
    "a slope is the default one": _slope,
    "a difference is turned round": _operands,
    "a factor is dropped": _factor,
    "more neighbours are counted": _neighbours,
    "weights of another layer": _exchanged,
    "a maximum is a mean": _averaged,
}
