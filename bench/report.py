"""A line of what was measured: every contender's values of every turn, and what follows from them; and the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.timing import Ratio, added

HEADS = ("what", "median", "ratio (min..max)", "aim", "met?")


class LeftOut(Exception):
    """Why a line is not measured here, in words: something that it needs is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A bound that a median ratio is held to. shown: as the table prints it; None: no such bound."""

    shown: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, ratio: Ratio) -> bool:
        return (self.at_least is None or ratio.median >= self.at_least) and (
            self.at_most is None or ratio.median <= self.at_most
        )


def at_least(bound: float) -> Aim:
    """The aim of a ratio that should be large."""
    return Aim(shown=f"at least {bound:g}", at_least=bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    name: of the measurement, the same in every run. what: the two things that are compared. samples: by contender, what
    it took in every turn, in `unit`. above, below: the contenders whose sums are divided, turn by turn. aim: None where
    nothing is aimed at.
    """

    name: str
    what: str
    samples: Mapping[str, Sequence[float]]
    above: tuple[str, ...]
    below: tuple[str, ...]
    aim: Aim | None = None
    unit: str = "s"

    @property
    def ratio(self) -> Ratio:
        return Ratio.of_pairs(*(added(*(self.samples[name] for name in side)) for side in (self.above, self.below)))

    @property
    def medians(self) -> dict[str, float]:
        """Of the contenders that are compared; of others only the samples are kept."""
        return {name: median(self.samples[name]) for name in (*self.above, *self.below)}

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.ratio)

    def data(self) -> dict[str, Any]:
        """Plain values; what follows from the samples stands beside them, for readers."""
        ratio, aim = self.ratio, self.aim
        return {
            "name": self.name,
            "what": self.what,
            "unit": self.unit,
            "samples": {name: list(values) for name, values in self.samples.items()},
            "above": list(self.above),
            "below": list(self.below),
            "ratios": list(ratio.pairs),
            "median ratio": ratio.median,
            "aim": aim and {"shown": aim.shown, "at_least": aim.at_least, "at_most": aim.at_most},
            "met": self.met,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Line":
        """The line that these plain values hold. Raises KeyError, TypeError, ValueError where they hold none."""
        line = cls(
            name=data["name"], what=data["what"], unit=data["unit"], samples=data["samples"],
            above=tuple(data["above"]), below=tuple(data["below"]), aim=data["aim"] and Aim(**data["aim"]),
        )  # fmt: skip
        _ = line.ratio, line.medians
        return line


def markdown(lines: Sequence[Line]) -> str:
    """The lines as a Markdown table."""
    rows = [HEADS, ("---",) * len(HEADS), *map(_cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(line: Line) -> tuple[str, ...]:
    medians = ", ".join(f"{name} {value:.3g} {line.unit}".rstrip() for name, value in line.medians.items())
    ratio = line.ratio
    shown = f"{number(ratio.median)} ({number(ratio.low)}..{number(ratio.high)})"
    met = {True: "yes", False: "no", None: ""}[line.met]
    return line.what, medians, shown, line.aim.shown if line.aim else "", met


def number(value: float) -> str:
    """A ratio with two digits behind the point, or in powers of ten where they would all be zero."""
    return f"{value:.2f}" if not 0 < abs(value) < 0.005 else f"{value:.0e}"
