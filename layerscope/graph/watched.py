"""The calls that a network makes while it runs, watched: what each gives, and what is said by how it gives it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from layerscope.graph.reused import Reused

# Calls that give back what they were given by their nature, whatever the numbers are.
COPIES = ("clone", "_to_copy", "copy_", "detach", "lift_fresh_copy", "contiguous")


class ResultWatch(TorchDispatchMode):
    """Sees every result of the network's own calls, and notes where numbers of this type become coarser ones, and which
    calls change nothing. eps: of the coarsest numbers that a call made out of none."""

    def __init__(self, dtype: torch.dtype, seen: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.dtype, self.seen = dtype, seen
        self.coarser, self._paused = False, False
        self.eps = torch.finfo(dtype).eps
        self.idle: set[int] = set()
        self._count, self._reused = 0, Reused()

    def let_go(self) -> None:
        """Whoever saw the results is not held any longer, nor is any of them."""
        self.seen = _unseen
        self._reused.let_go()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Calls of ours do not count; what the network has computed before is not computed again."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self._paused:
            made = None if kwargs else self._reused.taken(func, args)
            return func(*args, **(kwargs or {})) if made is None else made
        before = args[0].clone() if func._schema.is_mutable and args and isinstance(args[0], Tensor) else None
        results = func(*args, **(kwargs or {}))
        self._count += 1
        if not kwargs:
            self._reused.keep(func, args, results)
        if _changes_nothing(func, args, before, results):
            self.idle.add(self._count)
        fine = any(isinstance(given, Tensor) and given.dtype == self.dtype for given in args)
        of_none = not any(isinstance(given, Tensor) and given.is_floating_point() for given in args)
        for result in results if isinstance(results, tuple | list) else (results,):
            if isinstance(result, Tensor) and result.is_floating_point():
                self.coarser |= fine and torch.finfo(result.dtype).eps > torch.finfo(self.dtype).eps
                self.eps = max(self.eps, torch.finfo(result.dtype).eps if of_none else 0.0)
                with self.paused():
                    self.seen(result)
        return results


def _unseen(result: Tensor) -> None:
    """Nobody looks any more."""


def _changes_nothing(func: Any, args: Sequence[Any], before: Tensor | None, result: Any) -> bool:
    """True where a call that could change its first argument's numbers gave them back as they were. before: a copy of
    that argument where the call writes over it."""
    if not (args and isinstance(args[0], Tensor) and isinstance(result, Tensor)) or func.is_view:
        return False
    given = args[0] if before is None else before
    if not given.is_floating_point() or given.shape != result.shape or func._schema.name.split("::")[1] in COPIES:
        return False
    return torch.equal(given, result)
