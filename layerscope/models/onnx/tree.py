"""Steps become a tree of modules, so that a file's network is read as a torch network is: paths, calls, blocks.

What stands in one scope is one module with one call, where the network allows it: a scope that gives something away and
later reads what became of it is called in parts. A sequence of modules is torch's own; other groups have the class that
the exporter tells, or one that they share with groups of the same parts.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from layerscope.models.onnx.network import PLAIN, TENSOR, VALUE, OnnxGroup, OnnxNetwork, group_class
from layerscope.models.onnx.paths import HOLDER
from layerscope.models.onnx.plan import OnnxPlan
from layerscope.models.onnx.steps import OnnxStep, ValueNamed

_TORCHS = "torch.nn."


class _Unit:
    """What a group calls once: a step of its own (piece ""), or a group below it, by its name there."""

    def __init__(self, piece: str, steps: list[OnnxStep], kind: str) -> None:
        self.piece, self.steps, self.kind = piece, steps, kind
        self.given = {name for step in steps for name in step.outputs}
        self.read = {name for step in steps for name in step.reads} - self.given


def tree(plan: OnnxPlan, picture: str) -> OnnxNetwork:
    """The network of a plan. picture: the name of its input."""
    network = OnnxNetwork()
    _Builder(plan.steps).fill(network, plan.steps, 0, (picture,), tuple(plan.outputs), ())
    return network


class _Builder:
    """Makes groups of steps, each with its own modules below it."""

    def __init__(self, steps: list[OnnxStep]) -> None:
        self.readers: dict[str, set[int]] = defaultdict(set)
        for place, step in enumerate(steps):
            for name in step.reads:
                self.readers[name].add(place)
        self.place = {id(step): place for place, step in enumerate(steps)}
        self.classes: dict[Any, type[OnnxGroup]] = {}
        self.names: set[str] = set()

    def fill(
        self, group: OnnxGroup, steps: list[OnnxStep], depth: int, given: Sequence[str], gives: Sequence[str],
        path: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Give a group its modules and its steps. depth: how many pieces of the steps' scopes lead to it."""
        called: list[Any] = []
        for unit in _ordered(_units(steps, depth)):
            if not unit.piece:
                (step,) = unit.steps
                called.append(self._step(group, step, depth))
            elif (
                len(unit.steps) == 1
                and len(unit.steps[0].scope) == depth + 1
                and isinstance(unit.steps[0].by, nn.Module)
            ):
                (step,) = unit.steps
                name = _put(group, (unit.piece,), step.by)
                called.append((name, _arguments(group, step), step.outputs))
            else:
                called.append(self._group(group, unit, depth, gives, path))
        group.given, group.gives, group.steps = tuple(given), tuple(gives), tuple(called)

    def _step(self, group: OnnxGroup, step: OnnxStep, depth: int) -> Any:
        """One call of a function, or of a module that has no scope to itself."""
        if isinstance(step.by, partial):
            return step.by, _arguments(group, step), step.outputs
        pieces = [piece for piece, _ in step.scope[depth:]]
        held = _held(group, pieces) if pieces else None
        if held is not None and getattr(held, "alike", None) == step.alike:
            return ".".join(pieces), _arguments(group, step), step.outputs
        name = _put(group, (*pieces, *(() if pieces and held is None else (step.op.lower(),))), step.by)
        object.__setattr__(step.by, "alike", step.alike)
        return name, _arguments(group, step), step.outputs

    def _group(self, group: OnnxGroup, unit: _Unit, depth: int, gives: Sequence[str], path: tuple[str, ...]) -> Any:
        own = {self.place[id(step)] for step in unit.steps}
        leaving = [
            name for step in unit.steps for name in step.outputs
            if name in gives or self.readers[name] - own
        ]  # fmt: skip
        given = sorted(unit.read, key=lambda name: min(self.readers[name] & own))
        below = (*path, unit.piece)
        made = OnnxGroup()
        self.fill(made, unit.steps, depth + 1, given, leaving, below)
        module: nn.Module = made
        if _is_sequence(made):
            module = nn.Sequential()
            for name, child in made.named_children():
                module.add_module(name, child)
        else:
            made.__class__ = self._class(made, unit.kind)
        name = _put(group, (unit.piece,), module)
        return name, tuple((VALUE, one) for one in given), tuple(leaving)

    def _class(self, group: OnnxGroup, kind: str) -> type[OnnxGroup]:
        """The class of a group: the exporter's word, or that of a group with nearly the same parts."""
        if kind and not kind.startswith(_TORCHS):
            return self._named(kind, re.sub(r"\W", "_", kind.rpartition(".")[2]) or "Part")
        parts = frozenset(_parts(group))
        for known, found in self.classes.items():
            if isinstance(known, frozenset) and 2 * len(known & parts) > len(known | parts) and len(known & parts) > 1:
                return found
        return self._named(parts, "Part")

    def _named(self, key: Any, word: str) -> type[OnnxGroup]:
        if key not in self.classes:
            name, number = word, 1
            while name in self.names:
                number += 1
                name = f"{word}{number}"
            self.names.add(name)
            self.classes[key] = group_class(name)
        return self.classes[key]


def _units(steps: list[OnnxStep], depth: int) -> list[_Unit]:
    """What a group calls, where each scope below it is one call; scopes that cannot be are taken apart."""
    apart: set[str] = set()
    while True:
        units = _parted(steps, depth, apart)
        knotted = {unit.piece for unit in _knot(units) if unit.piece}
        if not knotted:
            return units
        apart |= knotted


def _parted(steps: list[OnnxStep], depth: int, apart: set[str]) -> list[_Unit]:
    below: dict[str, list[OnnxStep]] = defaultdict(list)
    units: list[_Unit] = []
    for step in steps:
        piece, kind = step.scope[depth] if len(step.scope) > depth else ("", "")
        if not piece or piece in apart or kind == HOLDER:
            units.append(_Unit("", [step], ""))
        else:
            if piece not in below:
                units.append(_Unit(piece, below[piece], kind))
            below[piece].append(step)
    return [_Unit(unit.piece, unit.steps, unit.kind) for unit in units]


def _edges(units: list[_Unit]) -> list[set[int]]:
    """For each unit those that it reads from."""
    giver = {name: place for place, unit in enumerate(units) for name in unit.given}
    return [{giver[name] for name in unit.read if name in giver} for unit in units]


def _knot(units: list[_Unit]) -> list[_Unit]:
    """Units that read, in the end, what they give themselves."""
    before = _edges(units)
    left = set(range(len(units)))
    while True:
        free = {place for place in left if not before[place] & left}
        if not free:
            break
        left -= free
    return [units[place] for place in sorted(left) if _comes_back(place, before, left)]


def _comes_back(place: int, before: list[set[int]], left: set[int]) -> bool:
    """Whether a unit is among those that it reads from in the end."""
    todo, seen = [place], set[int]()
    while todo:
        reached = (before[todo.pop()] & left) - seen
        if place in reached:
            return True
        seen |= reached
        todo.extend(reached)
    return False


def _ordered(units: list[_Unit]) -> list[_Unit]:
    """Units in an order in which each reads from earlier ones, as near to the file's as can be."""
    before, done, found = _edges(units), set[int](), []
    todo = list(range(len(units)))
    while todo:
        place = next(place for place in todo if before[place] <= done)
        todo.remove(place)
        done.add(place)
        found.append(units[place])
    return found


def _arguments(group: OnnxGroup, step: OnnxStep) -> tuple[tuple[str, Any], ...]:
    return tuple(_argument(group, step, argument) for argument in step.arguments)


def _argument(group: OnnxGroup, step: OnnxStep, argument: Any) -> tuple[str, Any]:
    if isinstance(argument, ValueNamed):
        return VALUE, argument.name
    if isinstance(argument, Tensor):
        name = _free(group, f"{step.op.lower()}_constant")
        group.register_buffer(name, argument)
        return TENSOR, name
    return PLAIN, argument


def _put(group: nn.Module, pieces: Sequence[str], module: Any) -> str:
    """Hang a module below a group, where nothing hangs yet; gives its path there."""
    *heads, last = pieces
    for head in heads:
        if head not in group._modules:
            group.add_module(head, nn.Module())
        group = group._modules[head]  # type: ignore[assignment]
    name = _free(group, last)
    group.add_module(name, module)
    return ".".join([*heads, name])


def _held(group: nn.Module, pieces: Sequence[str]) -> nn.Module | None:
    found: nn.Module | None = group
    for piece in pieces:
        found = None if found is None else found._modules.get(piece)
    return found


def _free(group: nn.Module, name: str) -> str:
    taken, wish, number = {*group._modules, *group._buffers, *group._parameters}, name, 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    return name


def _parts(group: nn.Module) -> list[str]:
    """The names of a group's own parts, those with only a number by their class."""
    return [name if not name.isdecimal() else type(child).__name__ for name, child in group.named_children()]


def _is_sequence(group: OnnxGroup) -> bool:
    """Whether a group does what torch's Sequential does: each module, named by a number, reads what the last gave."""
    if not (len(group.given) == len(group.gives) == 1 and group.steps):
        return False
    names = [called for called, _, _ in group.steps]
    if names != [name for name, _ in group.named_children()] or not all(map(str.isdecimal, names)):
        return False
    value = group.given[0]
    for _, arguments, outputs in group.steps:
        if arguments != ((VALUE, value),) or len(outputs) != 1:
            return False
        value = outputs[0]
    return group.gives == (value,) and not group._buffers
