"""The form of a row: an operator's name, and the function that reads a node of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from layerscope.models.onnx.calls import OnnxCall


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What computes a node.

    by: a module of torch, or a partial of a function of ours, whose keywords are plain values; None where the first
    input is handed on. inputs: the places of the node's inputs that it is called with, in this order. before: what is
    done to the first of them ahead of it, after: what to its result; themselves such partials, of one argument. plain:
    places of constants that are told as Python's numbers, not as a tensor.
    """

    by: nn.Module | partial[Any] | None
    inputs: tuple[int, ...] = (0,)
    before: partial[Any] | None = None
    after: partial[Any] | None = None
    plain: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OnnxOperator:
    """An operator of ONNX.

    read: a node -> what computes it; raises Unread for what cannot be had. also: operators that are read alike.
    domains: whose operator it is.
    """

    name: str
    read: Callable[[OnnxCall], Computed]
    also: tuple[str, ...] = ()
    domains: tuple[str, ...] = ("",)
