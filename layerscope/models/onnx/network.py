"""The modules that compute a file: those of torch, and the groups that hold and call them in the file's order."""

from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

# How a step's argument is told: a value by its name, a tensor by that of an attribute, anything plain as it is.
VALUE, TENSOR, PLAIN = "value", "tensor", "plain"


class OnnxGroup(nn.Module):
    """A part of a network, with what it calls in order.

    given: names of the values that it is called with. gives: names of those that it returns. steps: (path of a module
    below it or a function, arguments, names of what comes out).
    """

    given: tuple[str, ...]
    gives: tuple[str, ...]
    steps: tuple[tuple[Any, tuple[tuple[str, Any], ...], tuple[str, ...]], ...]

    def forward(self, *values: Any) -> Any:
        known: dict[str, Any] = dict(zip(self.given, values, strict=True))
        for called, arguments, outputs in self.steps:
            by = called if isinstance(called, partial) else self.get_submodule(called)
            result = by(*(self._argument(kind, value, known) for kind, value in arguments))
            results = result if isinstance(result, tuple | list) else (result,)
            known.update(zip(outputs, results, strict=False))
        found = tuple(known[name] for name in self.gives)
        return found if len(found) != 1 else found[0]

    def _argument(self, kind: str, value: Any, known: dict[str, Any]) -> Any:
        if kind == VALUE:
            return known[value]
        return getattr(self, value) if kind == TENSOR else value


class OnnxNetwork(OnnxGroup):
    """A network that was read from an ONNX file: one batch of pictures, channels first, to what the file gives."""

    def forward(self, pictures: Tensor) -> Any:
        return super().forward(pictures)


def group_class(name: str) -> type[OnnxGroup]:
    """A class of groups of its own: by their classes a network's blocks are told from each other."""
    return type(name, (OnnxGroup,), {"__module__": __name__, "__qualname__": name})


def plain(value: Any) -> Any:
    """An argument as the step of a group holds it."""
    return value.tolist() if isinstance(value, np.ndarray) else value
