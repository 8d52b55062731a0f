"""What trace-check found: a network's own forward beside ours, from picture files on, as plain values and in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf, isfinite
from typing import Any

from layerscope.core.numbers import counted

# The rounding of another way of resizing: by so many gray levels of 255 anywhere, and so many in the mean.
LEVELS, MEAN_LEVELS = 2.01, 0.25


@dataclass(frozen=True, kw_only=True)
class TraceCheck:
    """A network's own forward beside ours on one batch of picture files.

    own: what prepared the pictures there. pictures: how many. levels: the largest difference of the two inputs, in gray
    levels of 255, infinite where they are of different shapes; mean_levels: the mean one; cause: what of the
    preparation differs, as a clause, and advice: what to write, both empty where nothing does. layers, outputs: how
    many were compared. gaps: from the files on, by output, the largest difference as a share of the largest magnitude.
    where: the first layer or output that differs, "" where none does, and worst: by how much; where none does, the
    largest difference of all. reading: the largest difference where both are given the same input, and read_at: at
    which layer; bound: what rounding is allowed.
    """

    network: str
    own: str
    pictures: int
    levels: float
    mean_levels: float
    cause: str = ""
    advice: str = ""
    layers: int = 0
    outputs: int = 0
    gaps: Mapping[str, float] = field(default_factory=dict[str, float])
    where: str = ""
    worst: float = 0.0
    reading: float = 0.0
    read_at: str = ""
    bound: float = 0.0

    @property
    def agrees(self) -> bool:
        """True where the inputs are the same but for rounding, and so is all that is made of one input."""
        return self.fed_alike and self.reading <= self.bound

    @property
    def fed_alike(self) -> bool:
        """True where the inputs are the same but for rounding."""
        return self.levels <= LEVELS and self.mean_levels <= MEAN_LEVELS

    @property
    def fault(self) -> str:
        """What does not agree, in one sentence without its full stop; "" where all does."""
        if self.agrees:
            return ""
        if not self.fed_alike:
            what = self.cause or f"it differs by {self.levels:.3g} of 255 gray levels, and why could not be found out"
            return f"the input is not what {self.own} gives: {what}{f'; {self.advice}' if self.advice else ''}"
        return (
            f'on the same input "{self.read_at}" differs by {self.reading:.1g} of its largest value ({self.bound:.0e} '
            "is allowed): this is a fault of layerscope; please report it with the network"
        )

    @property
    def said(self) -> str:
        """What was found, in one sentence without its full stop."""
        what = f"{counted(self.pictures, 'picture')} by {self.own}"
        if self.fault:
            return f"{what}: {self.fault}"
        if not self.gaps and not self.layers:
            return f"{what}: the input agrees; nothing of the network can be compared"
        compared = " and ".join((counted(self.layers, "layer"), counted(self.outputs, "output")))
        return f"{what}: the input, {compared} agree, largest difference {self.worst:.1g}"

    def data(self) -> dict[str, Any]:
        """All of it as JSON can hold it; a difference without bound is null."""
        plain = {name: None if value == inf else value for name, value in asdict(self).items()}
        gaps = {name: value if isfinite(value) else None for name, value in self.gaps.items()}
        return {**plain, "gaps": gaps, "agrees": self.agrees, "said": self.said}
