"""Contenders take turns, A B A B ..., so that a machine that slows down slows all of them; what counts is the ratio of
neighbours."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import torch

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratios of all pairs of neighbours, in turn."""

    pairs: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.pairs)

    @property
    def low(self) -> float:
        return min(self.pairs)

    @property
    def high(self) -> float:
        return max(self.pairs)

    @classmethod
    def of_pairs(cls, above: Sequence[float], below: Sequence[float]) -> "Ratio":
        """above[i] / below[i] over all repeats i; both were measured in the same turn."""
        return cls(tuple(a / b for a, b in zip(above, below, strict=True)))


def alternate(contenders: Mapping[K, Callable[[], float]], *, repeats: int) -> dict[K, list[float]]:
    """Run all contenders in turns, `repeats` times; by name, what each returned (seconds, or bytes) in every turn."""
    found: dict[K, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            gc.collect()  # what one leaves behind is not cleared away on another's time
            found[name].append(contender())
    return found


def seconds_of(work: Callable[[], object]) -> float:
    """How long a call takes, by the wall clock; on a GPU until it has computed everything."""
    _settle()
    started = time.perf_counter()
    work()
    _settle()
    return time.perf_counter() - started


def _settle() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def added(*parts: Sequence[float]) -> list[float]:
    """What several contenders took together, turn by turn."""
    return [sum(turn) for turn in zip(*parts, strict=True)]
