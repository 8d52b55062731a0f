"""How a tensor of the network lies in the value that stands for it: which of its axes is channel, row or column.

A network may hold a map with its channels last, its places in a row, or its channels in groups. The graph holds one
value for all of these, channels first; what differs is only told: each axis of the network's tensor is made of parts of
the value's axes, a part being so many indices at such a stride. Exchanging and reshaping axes then moves no number.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from torch import Tensor

# A part that no axis of the value has: the numbers are the same for each of its indices.
REPEATED = -1


class Part(NamedTuple):
    """`size` indices of an axis of the value, `step` apart; the axes are counted without the batch."""

    axis: int
    step: int
    size: int


# For each axis of the network's tensor, the batch left out, its parts, the outer first.
Lie = tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Axes:
    """How one tensor lies. base: the shape of the value, own: the tensor's axes; both without the batch."""

    base: tuple[int, ...]
    own: Lie

    @classmethod
    def plain(cls, shape: Sequence[int]) -> "Axes":
        """Of a tensor that is the value itself."""
        return cls(tuple(shape), tuple((Part(axis, 1, size),) if size != 1 else () for axis, size in enumerate(shape)))

    @classmethod
    def lying(cls, base: Sequence[int], own: Lie) -> "Axes":
        """Of a lie that may have been read from plain tuples."""
        return cls(tuple(base), tuple(tuple(Part(*part) for part in parts) for parts in own))

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(prod(part.size for part in parts) for parts in self.own)

    @property
    def is_plain(self) -> bool:
        return self.own == Axes.plain(self.base).own

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of the tensor."""
        return tuple(part for parts in self.own for part in parts)

    @property
    def in_order(self) -> bool:
        """True where the tensor's numbers come in the order of the value's: a reshape gives one of the other."""
        return self.parts == tuple(sorted(self.parts, key=_in_base)) and not self.repeats

    @property
    def repeats(self) -> bool:
        return any(part.axis == REPEATED for part in self.parts)

    @property
    def permutes(self) -> bool:
        """True where each axis of the tensor is one of the value's, as it is."""
        return len(self.own) == len(self.base) and not self.repeats and all(len(parts) < 2 for parts in self.own)

    def of(self, parts: Sequence[Part]) -> tuple[int, ...] | None:
        """The axes of the value that these parts are, all of each; None where they are pieces of axes."""
        axes = sorted({part.axis for part in parts})
        whole = prod(self.base[axis] for axis in axes) if REPEATED not in axes else 0
        return tuple(axes) if whole == prod(part.size for part in parts) else None

    def with_own(self, own: Sequence[Sequence[Part]]) -> "Axes":
        """Another tensor of the same value."""
        return Axes(self.base, tuple(_merged(parts) for parts in own))

    def permuted(self, order: Sequence[int]) -> "Axes":
        """With axes exchanged; counted without the batch."""
        return self.with_own([self.own[axis] for axis in order])

    def viewed(self, shape: Sequence[int]) -> "Axes | None":
        """Reshaped, without the batch; None where an axis would be cut across."""
        left, own = list(self.parts), []
        for size in shape:
            axis: list[Part] = []
            while size > 1:
                if not left:
                    return None
                part = left.pop(0)
                if part.size > size:
                    if part.size % size:
                        return None
                    inner = part.size // size
                    left.insert(0, part._replace(size=inner))
                    part = Part(part.axis, part.step * inner, size)
                if size % part.size:
                    return None
                axis.append(part)
                size //= part.size
            own.append(axis)
        return self.with_own(own) if not left else None

    def split_like(self, sizes: Sequence[int], axis: int) -> tuple[Part, ...] | None:
        """The parts of one axis of the tensor, cut into these sizes."""
        cut = Axes(self.base, (self.own[axis],)).viewed(sizes)
        return None if cut is None else tuple(part for parts in cut.own for part in parts)


def _in_base(part: Part) -> tuple[int, int]:
    return part.axis, -part.step


def _merged(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Neighbours that are one piece of one axis, as one part."""
    found: list[Part] = []
    for part in parts:
        before = found[-1] if found else None
        if before is not None and before.axis == part.axis and before.step == part.step * part.size:
            found[-1] = Part(part.axis, part.step, before.size * part.size)
        else:
            found.append(part)
    return tuple(found)


def shapes(base: Sequence[int], lies: Sequence[Lie]) -> set[tuple[int, ...]]:
    """The shapes of a value and of the network's own tensors that lie in it, without the batch."""
    return {tuple(base), *(Axes.lying(base, own).shape for own in lies)}


def seen_as(value: Tensor, lies: Sequence[Lie]) -> Iterator[Tensor]:
    """A value, and the network's own tensors that lie in it."""
    yield value
    for own in lies:
        yield to_own(value, Axes.lying(value.shape[1:], own))


# Makes a call of "reshape", "permute", "expand" on a tensor, or on what stands for one in a program.
Emit = Callable[[str, Any, tuple[int, ...]], Any]


def on_tensors(word: str, tensor: Any, numbers: tuple[int, ...]) -> Any:
    return getattr(tensor, word)(numbers)


def to_own(value: Any, axes: Axes, emit: Emit = on_tensors, batch: int = -1) -> Any:
    """The network's tensor, of a value with the batch in front. batch: how its number is written in shapes."""
    real = sorted((part for part in axes.parts if part.axis != REPEATED), key=_in_base)
    sizes = tuple(part.size for part in real)
    if sizes != axes.base:
        value = emit("reshape", value, (batch, *sizes))
    order = [part for part in axes.parts if part.axis != REPEATED]
    if order != real:
        value = emit("permute", value, (0, *(1 + real.index(part) for part in order)))
    sizes = tuple(part.size for part in order)
    if axes.repeats:
        value = emit("reshape", value, (batch, *(1 if p.axis == REPEATED else p.size for p in axes.parts)))
        value = emit("expand", value, (-1, *(part.size for part in axes.parts)))
        sizes = tuple(part.size for part in axes.parts)
    return value if sizes == axes.shape else emit("reshape", value, (batch, *axes.shape))


def constant_to_base(constant: Any, shape: Sequence[int], axes: Axes, emit: Emit) -> Any:
    """A constant that is met with a tensor, in the axes of the value. shape: of the constant, the batch's 1 in front or
    left out; it may be 1 where the tensor is not."""
    given = [1] * (len(axes.own) + 1 - len(shape)) + list(shape)
    parts = [part for parts in axes.own for part in parts]
    sizes = [part.size if size != 1 else 1 for size, parts in zip(given[1:], axes.own, strict=True) for part in parts]
    real = sorted((part for part in parts if part.axis != REPEATED), key=_in_base)
    if list(shape) != sizes:
        constant = emit("reshape", constant, tuple(sizes))
    order = tuple(parts.index(part) for part in real)
    if order != tuple(range(len(order))):
        constant = emit("permute", constant, order)
    kept = [sizes[index] for index in order]
    met = {axis: [s for s, p in zip(kept, real, strict=True) if p.axis == axis] for axis in range(len(axes.base))}
    whole = [max(met[p.axis]) > 1 for p in real]
    full = [part.size if fills else 1 for part, fills in zip(real, whole, strict=True)]
    if full != kept:
        constant = emit("expand", constant, tuple(full))
    final = tuple(size if any(s > 1 for s in met[axis]) else 1 for axis, size in enumerate(axes.base))
    final = (1, *final)
    return constant if tuple(full) == final else emit("reshape", constant, final)
