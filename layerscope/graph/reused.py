"""What the user's network has computed is not computed once more for the graph.

A convolution or a matrix product of the very same numbers, lying the same way, gives the very same numbers: where the
graph makes the call that the network has just made, it takes a copy of what came of it. A graph that was read wrongly
makes another call, or makes it on other numbers, and that is computed. So the proof says what it said, for half of the
arithmetic.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

aten = torch.ops.aten

DEAR = frozenset({aten.convolution.default, aten.addmm.default, aten.mm.default, aten.bmm.default})
# Bytes of maps that wait for the graph; it follows a call or two behind, unless no module of the network says where
# they are.
MOST = 2**28


class _Made(NamedTuple):
    """A call and its result, with the tensors' versions: what was written over since is no longer what it was."""

    func: Any
    args: tuple[Any, ...]
    result: Tensor
    versions: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Of the maps: weights are there anyway."""
        return self.args[0].nbytes + self.result.nbytes

    @property
    def as_it_was(self) -> bool:
        return self.versions == _versions(self.args, self.result)


class Reused:
    """The dear calls that a network made last, and that the graph did not make yet."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._made = most, list[_Made]()

    def keep(self, func: Any, args: Sequence[Any], result: Any) -> None:
        """Note what the network has just computed."""
        if func not in DEAR or not self._most or not all(map(_plain, (*args, result))):
            return
        self._made.append(_Made(func, tuple(args), result, _versions(args, result)))
        while self._made and sum(made.bytes for made in self._made) > self._most:
            del self._made[0]

    def taken(self, func: Any, args: Sequence[Any]) -> Tensor | None:
        """What came of this very call, for the graph to have as its own; None where the network did not make it."""
        if func not in DEAR:
            return None
        for place, made in enumerate(self._made):
            if made.func is func and made.as_it_was and _same(made.args, args):
                del self._made[place]
                # A copy: the network may write over its own.
                return made.result.clone()
        return None

    def let_go(self) -> None:
        """Nothing is kept any longer."""
        self._made.clear()


def _versions(args: Sequence[Any], result: Tensor) -> tuple[int, ...]:
    return tuple(value._version for value in (*args, result) if isinstance(value, Tensor))


def _plain(value: Any) -> bool:
    """True for what can be kept: a tensor that says when it is written over, and whatever is no tensor."""
    return not isinstance(value, Tensor) or (type(value) in (Tensor, Parameter) and not value.is_inference())


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """True for arguments that a call cannot tell apart."""
    if len(one) != len(other):
        return False
    pairs = list(zip(one, other, strict=True))
    plain = all(_alike(a, b) for a, b in pairs)
    return plain and all(_equal(a, b) for a, b in pairs if isinstance(a, Tensor))


def _alike(one: Any, other: Any) -> bool:
    """The same but for the numbers in tensors: asked first, as it costs nothing."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        facts = (one.shape, one.dtype, one.device, one.stride())
        return facts == (other.shape, other.dtype, other.device, other.stride())
    return type(one) is type(other) and one == other


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() or torch.equal(one, other)
