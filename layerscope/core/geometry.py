"""Where an output looks: windows along one axis, boxes in a plane.

A ``Window`` says which inputs an output can see, along one axis, for all positions at once: output ``i`` sees
``range(start + i * step, start + i * step + size)``. Windows compose along a chain and join over branches, so the
receptive field of every node follows from one window per operation (Araujo, Norris & Sim, Distill 2019).
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from layerscope.core.errors import UnalignedBranches

Rational = int | Fraction


def _plain(value: Rational) -> Rational:
    """An integer wherever the value is one, so that records compare and print plainly."""
    fraction = Fraction(value)
    return int(fraction) if fraction.denominator == 1 else fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The inputs that each output sees along one axis; step 0 means that all outputs see the same."""

    size: Rational
    step: Rational
    start: Rational

    def __post_init__(self) -> None:
        for name in ("size", "step", "start"):
            object.__setattr__(self, name, _plain(getattr(self, name)))

    @classmethod
    def whole(cls, length: int) -> "Window":
        """Every output sees all of an axis of this length."""
        return cls(size=length, step=0, start=0)

    def span(self, index: int) -> tuple[int, int]:
        """The half-open interval of inputs that output `index` sees; it may cross the border."""
        low = self.start + index * self.step
        return math.floor(low), math.ceil(low + self.size)

    def after(self, inner: "Window") -> "Window":
        """This window, seen through `inner`, the window of the operation before it.

        Behind what enlarges a map (a step that is a fraction) it may be wider than what is seen, by less than twice
        the step of `inner`, and is never narrower.
        """
        outer = self if self.plain or (inner.plain and inner.step in (0, 1)) else self._spread()
        return Window(
            size=inner.step * (outer.size - 1) + inner.size,
            step=inner.step * outer.step,
            start=inner.start + inner.step * outer.start,
        )

    @property
    def plain(self) -> bool:
        """True where no fraction stands in it: then every output sees as much as the others."""
        return all(isinstance(value, int) for value in (self.size, self.step, self.start))

    def _spread(self) -> "Window":
        """As wide as the whole positions that its fractions touch, whichever output looks."""
        parts = math.lcm(*(Fraction(value).denominator for value in (self.size, self.step, self.start)))
        slack = Fraction(parts - 1, parts)
        return Window(size=self.size + 2 * slack, step=self.step, start=self.start - slack)

    def hull(self, other: "Window", count: int) -> "Window":
        """The smallest window that holds both, for `count` outputs.

        Raises UnalignedBranches where the steps differ and neither is 0: then no single window is true.
        """
        if self.step != other.step and 0 not in (self.step, other.step):
            raise UnalignedBranches(f"branches meet whose steps differ: {self.step} px and {other.step} px a position")
        if self.step == other.step:
            low = min(self.start, other.start)
            return Window(size=max(self.end, other.end) - low, step=self.step, start=low)
        reach = [w.start + (count - 1) * w.step + w.size for w in (self, other)]
        low = min(self.start, other.start)
        return Window(size=max(reach) - low, step=0, start=low)

    @property
    def end(self) -> Rational:
        """One past the last input that output 0 sees."""
        return self.start + self.size


IDENTITY = Window(size=1, step=1, start=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A half-open rectangle, in px of the plane that the field holding it names; it may cross the border."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def clipped(self, height: int, width: int) -> "Box":
        """The part inside a plane of this size."""
        return Box(
            top=min(max(self.top, 0), height),
            left=min(max(self.left, 0), width),
            bottom=min(max(self.bottom, 0), height),
            right=min(max(self.right, 0), width),
        )

    def moved_inside(self, height: int, width: int) -> "Box":
        """The same size, moved to lie inside a plane that is at least as large."""
        top = min(max(self.top, 0), height - self.height)
        left = min(max(self.left, 0), width - self.width)
        return Box(top=top, left=left, bottom=top + self.height, right=left + self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The receptive field of a node: which input px each of its positions can see.

    rows, cols: one window per axis. note: empty where the windows are exact; otherwise why the field had to be
    taken as the whole picture. beyond: empty where the windows hold all that a position depends on; otherwise what
    gives it strength from beyond them (a gate, the statistics of the whole map), as a clause. least: of an operation
    that mirrors the border, the size of whoever's window reads it, rows and cols, from which on the windows are exact.
    """

    rows: Window
    cols: Window
    note: str = ""
    beyond: str = ""
    least: tuple[int, int] = (1, 1)

    def box(self, row: int, col: int) -> Box:
        """The input px that the position (row, col) can see; the box may cross the picture's border."""
        top, bottom = self.rows.span(row)
        left, right = self.cols.span(col)
        return Box(top=top, left=left, bottom=bottom, right=right)

    @property
    def whole(self) -> bool:
        """True where every position sees the same px."""
        return self.rows.step == 0 and self.cols.step == 0

    @property
    def sees_all(self) -> bool:
        """True where a position sees the whole picture, or has to be taken as if it did."""
        return self.whole or bool(self.note)

    def share(self, height: int, width: int) -> float:
        """The field's area over the picture's, each axis at most 1, in 0..1."""
        return float(min(self.rows.size / height, 1) * min(self.cols.size / width, 1))
