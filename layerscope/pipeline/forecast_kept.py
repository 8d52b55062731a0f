"""What a build keeps besides pictures, measured on a few peaks before it starts: how long that takes, and how large it
is. What marks keep of an activation is found by running cones once more; signals are packed and written."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.rows import pack
from layerscope.core.records import LayerRecord
from layerscope.graph import Carrier
from layerscope.pipeline.retention import Retaining
from layerscope.project.cone import Entries
from layerscope.project.retention import marks_of
from layerscope.project.run import Carried

# Marks of one unit: at its first peak random px and each method's own; in the sample the picture's edges, too, and each
# method's for a partner.
AT_PEAK, AT_SAMPLE = (1, 1), (2, 2)


@dataclass(frozen=True, kw_only=True)
class KeepingCost:
    """Of one layer. mark: seconds in which it is found what one set of marks keeps of one activation. signal: seconds
    in which one peak's signals are packed and written, by all methods; signal_bytes: their size. Both are 0 where none
    are kept."""

    mark: float
    signal: float = 0.0
    signal_bytes: float = 0.0

    def retention(self, methods: int, marks: tuple[int, int]) -> float:
        """Seconds for one unit. marks: AT_PEAK or AT_SAMPLE."""
        without, by_method = marks
        return (without + by_method * methods) * self.mark


def keeping_cost(
    program: Carrier, layer: LayerRecord, pixels: Float32[np.ndarray, "n c h w"], entries: Entries,
    parts: Sequence[Carried], *, signals: bool,
) -> KeepingCost:  # fmt: skip
    """Measure a few peaks. entries: in the pictures. parts: what they were carried back to. signals: these are kept."""

    def kept() -> int:
        return sum(_kept(program, layer, pixels, entries.part(part.part), part) for part in parts)

    # What is run first includes what any process does once.
    marks = max(kept(), 1)
    mark = _seconds(kept) / marks
    if not signals:
        return KeepingCost(mark=mark)
    sizes: list[int] = []
    seconds = _seconds(lambda: sizes.extend(_written(parts)))
    return KeepingCost(mark=mark, signal=seconds / len(entries), signal_bytes=sum(sizes) / len(entries))


def _kept(
    program: Carrier, layer: LayerRecord, pixels: Float32[np.ndarray, "n c h w"], entries: Entries, part: Carried
) -> int:
    """How many marks were measured, as for first peaks. Entries that are no peaks may be at zero, and their projections
    empty: each of them is taken for 1, and marked at random, so that the whole work is done."""
    retaining = Retaining(program, layer, pixels, entries, np.ones(len(entries)), seed=0)
    noise = retaining.noise()
    marks = {"": noise}
    for method in part.signals:
        own = marks_of(part, method, retaining.fields)
        marks[method] = [chance if one is None else one for one, chance in zip(own, noise, strict=True)]
    return sum(len(one) for one in retaining.kept.shares(marks).values())


def _written(parts: Sequence[Carried]) -> list[int]:
    """The bytes of each signal, as an atlas holds it, written to a database that nobody keeps."""
    # An empty name is a temporary file of SQLite's own.
    with closing(sqlite3.connect("")) as scratch, scratch:
        scratch.execute("CREATE TABLE signal (pixels BLOB)")
        sizes = []
        for part in parts:
            for signals in part.joined()[0].values():
                for signal in signals.float().cpu().numpy():
                    packed = pack(signal / (float(np.abs(signal).max(initial=0)) or 1.0), "<f2")
                    scratch.execute("INSERT INTO signal VALUES (?)", (packed,))
                    sizes.append(len(packed))
    return sizes


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
