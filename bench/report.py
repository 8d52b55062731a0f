"""What was measured, as one Markdown table under a line that says on what machine."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch

from bench.timing import Ratio
from layerscope import __version__

HEADS = ("what", "median", "ratio (min..max)", "aim", "met?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A bound that a median ratio is held to. shown: as the table prints it."""

    shown: str
    at_least: float = 0.0
    at_most: float = float("inf")

    def met(self, ratio: Ratio) -> bool:
        return self.at_least <= ratio.median <= self.at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    what: the two things that are compared. medians: each contender's median over its repeats, in `unit`. ratio: over
    neighbouring repeats. aim: None where nothing is aimed at.
    """

    what: str
    medians: dict[str, float]
    ratio: Ratio
    aim: Aim | None = None
    unit: str = "s"

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.aim.met(self.ratio)


def markdown(lines: Sequence[Line]) -> str:
    """The lines as a Markdown table."""
    rows = [HEADS, ("---",) * len(HEADS), *map(_cells, lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(line: Line) -> tuple[str, ...]:
    medians = ", ".join(f"{name} {value:.3g} {line.unit}" for name, value in line.medians.items())
    ratio = f"{line.ratio.median:.2f} ({line.ratio.low:.2f}..{line.ratio.high:.2f})"
    met = {True: "yes", False: "no", None: ""}[line.met]
    return line.what, medians, ratio, line.aim.shown if line.aim else "", met


def machine() -> dict[str, Any]:
    """What it ran on, as plain values."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "layerscope": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """The processor's name; on Linux the platform module does not know it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def as_json(lines: Sequence[Line]) -> dict[str, Any]:
    """Machine and lines as plain values."""
    return {"machine": machine(), "lines": [{**_finite(asdict(line)), "met": line.met} for line in lines]}


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """An aim's open end as null: JSON knows no infinity."""
    if line["aim"] and line["aim"]["at_most"] == float("inf"):
        line["aim"]["at_most"] = None
    return line
