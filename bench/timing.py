"""Contenders take turns, A B A B ..., so that a machine that slows down slows all of them; what counts is the ratio of
neighbours."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratios of all pairs of neighbours: their median, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of_pairs(cls, above: Sequence[float], below: Sequence[float]) -> "Ratio":
        """above[i] / below[i] over all repeats i; both were measured in the same turn."""
        ratios = [a / b for a, b in zip(above, below, strict=True)]
        return cls(median(ratios), min(ratios), max(ratios))


def alternate(contenders: Mapping[str, Callable[[], float]], *, repeats: int) -> dict[str, list[float]]:
    """Run all contenders in turns, `repeats` times; by name, what each returned (seconds, or bytes) in every turn."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            gc.collect()  # what one leaves behind is not cleared away on another's time
            found[name].append(contender())
    return found


def seconds_of(work: Callable[[], object]) -> float:
    """How long a call takes, by the wall clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def added(*parts: Sequence[float]) -> list[float]:
    """What several contenders took together, turn by turn."""
    return [sum(turn) for turn in zip(*parts, strict=True)]
