"""The batch is never taken on trust: every value's first axis must be the pictures, each of them by itself.

While a program is exported the number of pictures is a symbol; an axis of another length, or a number that is worked
out from it, tells that pictures were folded, mixed or counted.
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import Node as FxNode


class BatchDim:
    """The first axis of a program's input: a symbol, or a number where the program was exported for just so many."""

    def __init__(self, input: FxNode) -> None:
        self.size = input.meta["val"].shape[0]

    def is_size(self, size: Any) -> bool:
        """True for the number of pictures itself."""
        if isinstance(self.size, torch.SymInt):
            return isinstance(size, torch.SymInt) and size.node.expr == self.size.node.expr
        return isinstance(size, int) and size == self.size

    def times(self, number: Any) -> int | None:
        """How many times the number of pictures a size is; None where it is no multiple of it."""
        if self.is_size(number):
            return 1
        if isinstance(self.size, torch.SymInt) and isinstance(number, torch.SymInt):
            factor: Any = number.node.expr / self.size.node.expr  # pyright: ignore[reportOperatorIssue]
            return int(factor) if factor.is_Integer and factor > 0 else None
        return None

    def kept(self, fx: FxNode) -> bool:
        """True where the pictures are still told apart in what a call gives, though perhaps not by its first axis."""
        value = fx.meta.get("val")
        parts = [part for part in (value if isinstance(value, list | tuple) else [value]) if isinstance(part, Tensor)]
        return bool(parts) and all(any(self.times(size) for size in part.shape) for part in parts)

    def counted(self, number: Any) -> str:
        """Why a call cannot be had that reads a number which is known only while the program runs."""
        symbols = number.node.expr.free_symbols if isinstance(number, torch.SymInt | torch.SymFloat) else set()
        if isinstance(self.size, torch.SymInt) and not self.size.node.expr.free_symbols & symbols:
            return "it makes a Python number of the values in a tensor"
        return "its values depend on the number of pictures in a batch"

    def mixed(self, fx: FxNode) -> str:
        """Why a call does not give each picture a value of its own, or nothing."""
        value = first(fx)
        if not isinstance(value, Tensor):
            return ""
        if not value.shape:
            return "it gives one number for the whole batch"
        if self.is_size(value.shape[0]):
            return "" if isinstance(self.size, torch.SymInt) else self._fixed(fx)
        return "its first axis is not the batch: values of several pictures, or several parts of one, are put together"

    def _fixed(self, fx: FxNode) -> str:
        """Why a call holds for the batch only that a program was exported for, or nothing."""
        shape = next((a for a in fx.args[1:] if isinstance(a, list | tuple)), ())
        if str(fx.target) in ("aten.view.default", "aten.reshape.default") and list(shape[:1]) == [self.size]:
            return (
                f"it holds for a batch of {self.size} only, for which the program was exported: "
                "export it with a dynamic batch"
            )
        return ""


def first(fx: FxNode) -> Any:
    """What a call gives while it is exported; of several outputs the first."""
    value = fx.meta.get("val")
    return value[0] if isinstance(value, list | tuple) and value else value


def is_number(fx: FxNode) -> bool:
    """True for what is worked out from sizes: a number of Python's, while the program runs."""
    return isinstance(fx.meta.get("val"), torch.SymInt | torch.SymFloat | torch.SymBool | int | float | bool)
