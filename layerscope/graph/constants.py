"""Constants: what has no path from the network's input is worked out once, when the network is traced.

A kernel that weight norm, a mask or a standardisation makes, a buffer seen with other axes, the scale of frozen
statistics: to whoever runs the network it is one tensor. How it is made from a state dict is kept as plain data, so
that a graph can be read again with other weights. What is drawn at random, or changed by every run, or as long as the
batch, is no constant.
"""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Node as FxNode

from layerscope.graph.args import bind
from layerscope.graph.ops.calls import Weight

aten = torch.ops.aten

# Taking one output of a call that gives several is no ATen call; a recipe calls it by this word.
GETITEM = "getitem"


@dataclass(frozen=True, slots=True)
class TensorName:
    """In a step's arguments: the tensor of this name, taken, literal or made by an earlier step."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One step: the tensor `name` is what the ATen overload `target` ("aten.mul.Tensor") gives for these arguments."""

    name: str
    target: str
    args: Mapping[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightsRecipe:
    """How the tensors that a graph names are made from a state dict; plain data, without the state's values.

    taken: names of the state dict. literals: tensors that stand in the network's code and in no state dict, by value.
    derived: the steps, in order. named: the tensors that the graph's Weights name.
    """

    taken: tuple[str, ...] = ()
    literals: Mapping[str, Tensor]
    derived: tuple[Derived, ...] = ()
    named: tuple[str, ...] = ()

    def weights(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that the graph names, those of the state dict first, and all where that lies.

        Raises KeyError for a name that is not in the state dict.
        """
        known: dict[str, Any] = {name: state[name].detach() for name in self.taken}
        device = next((tensor.device for tensor in known.values()), None)
        for name, tensor in self.literals.items():
            known[name] = tensor.to(device) if device is not None else tensor
        with torch.no_grad():
            for step in self.derived:
                known[step.name] = _made(step, known, device)
        # A network's number type is that of its own weights, whatever numbers stand in its code.
        return {name: known[name] for name in sorted(self.named, key=lambda name: name not in self.taken)}


def _made(step: Derived, known: Mapping[str, Any], device: torch.device | None) -> Any:
    args = {name: _filled(value, known) for name, value in step.args.items()}
    if step.target == GETITEM:
        return operator.getitem(args["of"], args["index"])
    if device is not None and args.get("device") is not None:
        args["device"] = device
    return overload(step.target)(**args)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, TensorName):
        return known[value.name]
    return [_filled(v, known) for v in value] if isinstance(value, tuple) else value


def overload(target: str) -> OpOverload:
    """The overload of a name such as "aten.mul.Tensor"."""
    found: Any = torch.ops
    for part in target.split("."):
        found = getattr(found, part)
    return found


class Constants:
    """What of an exported program is constant, and the recipe of what its graph asks for."""

    def __init__(self, program: ExportedProgram) -> None:
        self._state = dict(_state_names(program))
        self._literals = {
            name: tensor for name, tensor in program.constants.items()
            if isinstance(tensor, Tensor) and name not in program.state_dict
        }  # fmt: skip
        signature = program.graph_signature
        changed = {*signature.buffers_to_mutate.values(), *signature.parameters_to_mutate.values()}
        self._constant: set[FxNode] = set()
        for fx in program.graph.nodes:
            if fx.op == "placeholder":
                name = self._state.get(fx.name)
                constant = name is not None and name not in changed
            else:
                constant = fx.op == "call_function" and _is_made_alike(fx) and self._holds_all(fx)
            if constant:
                self._constant.add(fx)
        self._names: dict[FxNode, str] = {}
        self._taken: dict[str, None] = {}
        self._used: dict[str, Tensor] = {}
        self._steps: list[Derived] = []
        self._named: dict[str, None] = {}
        self._words = {*self._state.values(), *program.state_dict}

    def __contains__(self, fx: FxNode) -> bool:
        return fx in self._constant

    def weight(self, fx: FxNode, wish: str) -> Weight:
        """A constant as a Weight. wish: its name, where it is neither of the state dict nor a tensor of the code."""
        name = self._name(fx, wish)
        self._named[name] = None
        return Weight(name, tuple(int(size) for size in fx.meta["val"].shape))

    def recipe(self) -> WeightsRecipe:
        """How all that was asked for is made."""
        return WeightsRecipe(
            taken=tuple(self._taken), literals=dict(self._used), derived=tuple(self._steps), named=tuple(self._named)
        )

    def changed(self, fx: FxNode) -> str:
        """The name of the tensor that a placeholder stands for and every run changes, or nothing."""
        return "" if fx in self._constant else self._state.get(fx.name, "")

    def _holds_all(self, fx: FxNode) -> bool:
        return all(source in self._constant for source in fx.all_input_nodes)

    def _name(self, fx: FxNode, wish: str) -> str:
        while is_copy(fx):
            (fx,) = fx.all_input_nodes
        if fx not in self._names:
            self._names[fx] = self._placed(fx) if fx.op == "placeholder" else self._derived(fx, wish)
        return self._names[fx]

    def _placed(self, fx: FxNode) -> str:
        name = self._state[fx.name]
        if name in self._literals:
            self._used[name] = self._literals[name].detach()
        else:
            self._taken[name] = None
        return name

    def _derived(self, fx: FxNode, wish: str) -> str:
        # Inner steps are named after what they are for; a name is never one of the state dict's.
        raw: dict[str, Any]
        if fx.target is operator.getitem:
            target, raw = GETITEM, {"of": fx.args[0], "index": fx.args[1]}
        else:
            assert isinstance(fx.target, OpOverload)
            target, raw = str(fx.target), bind(fx.target, fx.args, fx.kwargs)
        args = {key: self._value(value, f"{wish} <- {key}") for key, value in raw.items()}
        name = self._unique(wish)
        self._steps.append(Derived(name=name, target=target, args=args))
        return name

    def _value(self, value: Any, wish: str) -> Any:
        if isinstance(value, FxNode):
            return TensorName(self._name(value, wish))
        return tuple(self._value(v, wish) for v in value) if isinstance(value, list | tuple) else value

    def _unique(self, wish: str) -> str:
        name, number = wish, 1
        while name in self._words:
            number += 1
            name = f"{wish}@{number}"
        self._words.add(name)
        return name


def is_copy(fx: FxNode) -> bool:
    """Calls that hand on what they get, number for number."""
    return fx.op == "call_function" and fx.target in _COPIES


_COPIES = (aten.clone.default, aten.alias.default, aten.contiguous.default, aten.detach.default, aten.detach_.default)
_COPIES += (aten.lift_fresh_copy.default,)


def _is_made_alike(fx: FxNode) -> bool:
    """True for a call that gives the same tensors in every run, whatever the number of pictures."""
    if fx.target is not operator.getitem and (
        not isinstance(fx.target, OpOverload) or torch.Tag.nondeterministic_seeded in fx.target.tags
    ):
        return False
    value = fx.meta.get("val")
    parts = value if isinstance(value, list | tuple) else [value]
    return bool(parts) and all(isinstance(p, Tensor) and all(isinstance(s, int) for s in p.shape) for p in parts)


def _state_names(program: ExportedProgram) -> Iterator[tuple[str, str]]:
    """Placeholder -> name in the state dict or among the constants, for whatever is a tensor."""
    signature = program.graph_signature
    groups = (signature.inputs_to_parameters, signature.inputs_to_buffers, signature.inputs_to_lifted_tensor_constants)
    for group in groups:
        for placeholder, name in group.items():
            if isinstance(program.state_dict.get(name, program.constants.get(name)), Tensor):
                yield placeholder, name
