"""One call of a network that was read from a file: what is called, with what, where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from layerscope.models.onnx.paths import Scope


@dataclass(frozen=True)
class ValueNamed:
    """In a step's arguments: a value that an earlier step gave, by its name in the file."""

    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxStep:
    """One call of a network that was read.

    by: a module or function. arguments: ValueNamed, tensors that are constant, plain values. outputs: names of what it
    gives. scope: where in the network it stands. alike: what a step must have the same to be another call of this one.
    """

    op: str
    by: nn.Module | partial[Any]
    arguments: tuple[Any, ...]
    outputs: tuple[str, ...]
    scope: Scope
    alike: tuple[Any, ...] = ()

    @property
    def reads(self) -> list[str]:
        """The names of the values that it reads."""
        return [argument.name for argument in self.arguments if isinstance(argument, ValueNamed)]


def needed(steps: list[OnnxStep], outputs: list[str]) -> Iterator[OnnxStep]:
    """The steps that the outputs depend on, in order."""
    wanted, kept = set(outputs), []
    for step in reversed(steps):
        if wanted.intersection(step.outputs):
            wanted.update(step.reads)
            kept.append(step)
    return reversed(kept)
