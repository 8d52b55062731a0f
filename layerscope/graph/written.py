"""What was read of a network as bytes, and back: JSON with tensors beside it; all that it can run are ATen calls."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from math import isfinite
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from layerscope.graph.constants import Derived, TensorName, WeightsRecipe
from layerscope.graph.graph import Graph, Node
from layerscope.graph.ops.calls import BatchSize, NodeInput, Weight
from layerscope.graph.trace import Traced


class Unwritable(Exception):
    """Something in a graph that is no plain value."""


# One word for each kind of value that JSON does not know: its type, its value as plain values, and back.
_KINDS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "source": (NodeInput, lambda value: value.index, NodeInput),
    "weight": (Weight, lambda value: [value.name, list(value.shape)], lambda v: Weight(v[0], tuple(v[1]))),
    "batch": (BatchSize, lambda value: value.times, BatchSize),
    "named": (TensorName, lambda value: value.name, TensorName),
    "dtype": (torch.dtype, lambda value: str(value).removeprefix("torch."), lambda v: _torch(v, torch.dtype)),
    "layout": (torch.layout, lambda value: str(value).removeprefix("torch."), lambda v: _torch(v, torch.layout)),
    "memory": (
        torch.memory_format, lambda value: str(value).removeprefix("torch."), lambda v: _torch(v, torch.memory_format)
    ),
    "device": (torch.device, str, torch.device),
}  # fmt: skip


def write_traced(traced: Traced) -> bytes:
    """Graph, recipe and outputs, without the weights. Raises Unwritable."""
    recipe = traced.recipe
    data = {
        "graph": graph_data(traced.graph),
        "taken": recipe.taken,
        "derived": [[step.name, step.target, _arguments(step.args)] for step in recipe.derived],
        "named": recipe.named,
        "literals": list(recipe.literals),
        "returned": traced.returned,
        "left_out": traced.left_out,
    }
    tensors = {str(place): tensor.detach().cpu().contiguous() for place, tensor in enumerate(recipe.literals.values())}
    return save(tensors, {"read": json.dumps(data)})


def read_traced(content: bytes, state: Mapping[str, Tensor]) -> Traced:
    """What was written, with weights from a state dict. Raises KeyError, ValueError and their kin for anything else."""
    length = int.from_bytes(content[:8], "little")
    data = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["read"])
    tensors = load(content)
    recipe = WeightsRecipe(
        taken=tuple(data["taken"]),
        literals={name: tensors[str(place)] for place, name in enumerate(data["literals"])},
        derived=tuple(Derived(name=n, target=t, args=_restored(args)) for n, t, args in data["derived"]),
        named=tuple(data["named"]),
    )
    returned, left_out = tuple(data["returned"]), tuple(data["left_out"])
    return Traced(graph_of(data["graph"]), recipe.weights(state), recipe, returned, left_out)


def graph_data(graph: Graph) -> dict[str, Any]:
    """A graph as plain values. Raises Unwritable."""
    names = [field.name for field in fields(Node)]
    nodes = [
        [_arguments(node.args) if name == "args" else _plain(getattr(node, name)) for name in names]
        for node in graph.nodes
    ]
    return {"fields": names, "nodes": nodes, "outputs": list(graph.outputs), "returned": list(graph.returned)}


def graph_of(data: Mapping[str, Any]) -> Graph:
    """What graph_data gave."""
    nodes = []
    for values in data["nodes"]:
        known = dict(zip(data["fields"], values, strict=True))
        args = _restored(known.pop("args"))
        nodes.append(Node(**{name: _value(value) for name, value in known.items()}, args=args))
    returned = tuple((name, node) for name, node in data["returned"])
    return Graph(tuple(nodes), tuple(data["outputs"]), returned)


def _arguments(args: Mapping[str, Any]) -> list[list[Any]]:
    return [[name, _plain(value)] for name, value in args.items()]


def _restored(args: list[list[Any]]) -> dict[str, Any]:
    return {name: _value(value) for name, value in args}


def _plain(value: Any) -> Any:
    """A value as JSON holds it; tuples are lists, all else that JSON lacks is {word: value}."""
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not isfinite(value):
        return {"float": repr(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    for word, (kind, plain, _) in _KINDS.items():
        if isinstance(value, kind):
            return {word: plain(value)}
    raise Unwritable(f"{type(value).__name__} in a graph")


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_value(v) for v in value)
    if isinstance(value, dict):
        ((word, plain),) = value.items()
        return float(plain) if word == "float" else _KINDS[word][2](plain)
    return value


def _torch(name: str, kind: type) -> Any:
    found = getattr(torch, name)
    if not isinstance(found, kind):
        raise ValueError(f"torch.{name} is no {kind.__name__}")
    return found
