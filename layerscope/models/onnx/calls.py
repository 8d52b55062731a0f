"""One ONNX node as a row of the table is given it: attributes, inputs that are known, shapes of those that are not.

A row answers with what computes the node: a module of torch, or a function. It refuses by `Unread`, with a clause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Unread(Exception):
    """Why a node cannot be read, as a clause that follows "it"."""


@dataclass(frozen=True, kw_only=True)
class OnnxCall:
    """A node of the file. attributes: as Python's values, tensors as arrays. opset: of its domain.

    known: for each input its constant, None for one that is computed. inputs: for each input that is computed a tensor
    of its shape and type, without numbers; an array for what is known of sizes; None for one that is left out.
    outputs: for each output whether anything reads it. batch: the number of pictures that the file is fixed to, None
    where it is free.
    """

    op: str
    opset: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    known: Sequence[np.ndarray | None] = ()
    inputs: Sequence[Any] = ()
    outputs: Sequence[bool] = (True,)
    batch: int | None = None

    def has(self, place: int) -> bool:
        """Whether there is such an input."""
        return place < len(self.inputs) and (self.inputs[place] is not None or self.known[place] is not None)

    def constant(self, place: int, what: str) -> np.ndarray | None:
        """An input that must be constant; None where it is left out. Raises Unread."""
        if not self.has(place):
            return None
        found = self.known[place]
        if found is None:
            raise Unread(f"takes its {what} from the picture, where only a constant is known")
        return found

    def weight(self, place: int) -> Tensor | None:
        """A constant input as numbers to be kept by the module; None where it is left out or computed."""
        found = self.known[place] if self.has(place) else None
        return None if found is None else tensor_of(found)

    def given(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)

    def rank(self, place: int = 0) -> int:
        """How many axes an input has."""
        return len(self.shape(place))

    def shape(self, place: int = 0) -> tuple[int, ...]:
        """The sizes of an input, for one number of pictures."""
        found: Any = self.known[place] if self.known[place] is not None else self.inputs[place]
        return tuple(found.shape)

    def axes(self, place: int, since: int) -> list[int] | None:
        """The axes, which were an attribute before this opset and are an input since; None where there are none."""
        if self.opset < since:
            found = self.given("axes")
        else:
            constant = self.constant(place, "axes")
            found = None if constant is None else whole(constant)
        return None if found is None else list(found)


def tensor_of(array: np.ndarray) -> Tensor:
    """An array's numbers as a tensor of its own; narrow floats as float32, in which networks are computed here."""
    if (array.dtype.kind == "f" and array.dtype.itemsize < 4) or array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    return torch.from_numpy(np.array(array))


def whole(value: Any) -> list[Any]:
    """The whole numbers of an array or of nested tuples, in a row; sizes that are free stay as they are."""
    flat = np.asarray(value, dtype=object).reshape(-1)
    return [one if isinstance(one, torch.SymInt) else int(one) for one in flat]


def one(value: Any) -> Any:
    """The only number of an array, as Python's own."""
    flat = np.asarray(value).reshape(-1)
    return flat[0].item() if hasattr(flat[0], "item") else flat[0]
