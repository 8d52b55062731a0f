"""The work of the scan: the images of a shard in, what it found out. A shard depends on its own images alone."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float32

from layerscope.core.engines import ENGINES, Made, Piece, in_turn
from layerscope.core.errors import ImageError
from layerscope.core.failures import out_of_memory
from layerscope.core.records import Batch, ImageRecord, Input, LayerRecord
from layerscope.graph import Carrier, Runner
from layerscope.pipeline.originals import originals
from layerscope.pipeline.settings import BATCH, SHARD
from layerscope.pipeline.working import ImageWork
from layerscope.scan import STATISTICS_IMAGES, SampleRule, ShardResult, scan_in_steps
from layerscope.scan.proposed import Bounds, Proposing
from layerscope.sources import Source
from layerscope.sources.decode import reason

# So many batches are decoded ahead of the network.
AHEAD = 6


@dataclass(frozen=True)
class Met:
    """Images that were met, in order, those that could not be used included. host: the machine that met them."""

    records: tuple[ImageRecord, ...]
    host: str = field(default_factory=platform.node)


# What a shard gives: images that were met, something worth saying, and at last what it found.
ScanPart = Met | str | ShardResult


class ScanWork(ImageWork):
    """Scan shards. sample: which images are sampled, None for none. floors: by node, the k-th highest value of every
    unit so far, which only spares look-ups. bounds: of an engine that proposes; None where peaks are looked up
    at once."""

    def __init__(
        self,
        program: Carrier,
        layers: Sequence[LayerRecord],
        source: Source,
        input: Input,
        *,
        k: int,
        sample: SampleRule | None,
        **how: Any,
    ) -> None:
        super().__init__(program, source, input, **how)
        self.layers, self.k, self.sample = layers, k, sample
        self.floors: dict[int, Float32[np.ndarray, " u"]] = {}
        self.batch = BATCH
        self.bounds: Bounds | None = None
        self._proposer: Runner | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_proposer": None}

    def images_of(self, piece: Piece[Sequence[int]]) -> Sequence[int]:
        return piece.held

    def __call__(self, pieces: Sequence[Piece[Sequence[int]]], /) -> Iterator[Made[ScanPart]]:
        self.settle()
        with closing(_Reading(self, pieces)) as reading:
            yield from in_turn(pieces, lambda piece: self._parts(piece, reading))

    def runs(self, piece: Piece[Sequence[int]]) -> list[Sequence[int]]:
        """The batches of a shard, as ids."""
        return [piece.held[first : first + BATCH] for first in range(0, len(piece.held), BATCH)]

    def _parts(self, piece: Piece[Sequence[int]], reading: "_Reading") -> Iterator[ScanPart]:
        """What a shard gives; where memory is short it is begun again with smaller batches, and without an engine that
        fails."""
        batches, met, reported, bounds = reading.of(piece), list[ImageRecord](), 0, self.bounds
        keys: dict[int, int] = {}
        while True:
            try:
                for part in self.clock.each(
                    "scan", self._scanned(piece, self._noted(batches, met, keys), keys, bounds)
                ):
                    if len(met) > reported:
                        yield Met(tuple(met[reported:]))
                        reported = len(met)
                    if isinstance(part, ShardResult):
                        yield part
                return
            except Exception as error:
                if out_of_memory(error) and self.batch > 1:
                    self.batch //= 2
                    yield f"out of memory: this scan goes on with batches of {self.batch} images"
                elif bounds is not None:
                    bounds = None
                    yield f"the engine {self.engine} failed ({reason(error)}): images {_span(piece)} go without it"
                else:
                    raise
            # What was read ahead may have ended with the memory.
            reading.go_on_behind(piece)
            met.clear()
            batches = (self.source.load(run, self.input) for run in self.runs(piece))

    def _scanned(
        self, piece: Piece[Sequence[int]], batches: Iterator[Batch], keys: Mapping[int, int], bounds: Bounds | None
    ) -> Iterator[int | ShardResult]:
        """Behind each batch the number of its images, and at last the shard's result. keys: grow with the batches."""
        proposing = None if bounds is None else Proposing(self.program, self.layers, bounds, self.k)
        yield (
            yield from scan_in_steps(
                self.runner if proposing is None else self.proposer, self.layers, originals(batches, BATCH), k=self.k,
                batch_size=self.batch, floors=self.floors, sample=keys, proposing=proposing,
                with_input_sums=(piece.number + 1) * SHARD <= STATISTICS_IMAGES or piece.number == 0,
            )
        )  # fmt: skip

    @property
    def proposer(self) -> Runner:
        """What proposes, where the engine has it."""
        if self._proposer is None:
            make = ENGINES[self.engine].proposer
            assert make is not None
            self._proposer = make(self.program)
            assert self._proposer is not None
        return self._proposer

    def _noted(self, batches: Iterator[Batch], met: list[ImageRecord], keys: dict[int, int]) -> Iterator[Batch]:
        """The shard's batches, whose records are noted, and the keys of the images that may be sampled."""
        for batch in self.clock.each("wait for images", batches):
            met.extend(batch.records)
            keys.update(self.sample.keys(batch.records) if self.sample is not None else {})
            yield batch


class _Reading:
    """The batches of several shards, read ahead."""

    def __init__(self, work: ScanWork, pieces: Sequence[Piece[Sequence[int]]]) -> None:
        self._work, self._pieces = work, pieces
        self._batches = self._begun(pieces)

    def _begun(self, pieces: Sequence[Piece[Sequence[int]]]) -> Iterator[Batch]:
        runs = (run for piece in pieces for run in self._work.runs(piece))
        return self._work.source.batches(self._work.input, runs, threads=self._work.threads, ahead=AHEAD)

    def of(self, piece: Piece[Sequence[int]]) -> Iterator[Batch]:
        """The batches of the shard whose turn it is."""
        return islice(self._batches, len(self._work.runs(piece)))

    def go_on_behind(self, piece: Piece[Sequence[int]]) -> None:
        """Read anew, from the shard behind this one."""
        self.close()
        self._batches = self._begun(self._pieces[self._pieces.index(piece) + 1 :])

    def close(self) -> None:
        """Read no further."""
        self._batches.close()  # type: ignore[attr-defined]


def _span(piece: Piece[Sequence[int]]) -> str:
    """The images of a shard, in words."""
    return f"{piece.held[0]:,} to {piece.held[-1]:,}"


def require_skipped_here(met: Met, source: Source, input: Input) -> None:
    """Raises ImageError where a machine left an image out that can be used here: it does not see the same images."""
    skipped = [record.id for record in met.records if record.skipped is not None]
    if not skipped:
        return
    found = {record.id: record for record in source.apart().load(skipped, input).records}
    for record in met.records:
        if record.id in found and found[record.id].skipped is None:
            raise ImageError(
                f"{record.source} can be used here, and not on the machine {met.host} ({record.skipped}): every "
                "machine must have the images under the same path"
            )


def shards(count: int) -> list[Piece[Sequence[int]]]:
    """The shards of so many images, each with its ids."""
    starts = range(0, count, SHARD)
    runs = [range(first, min(first + SHARD, count)) for first in starts]
    return [Piece(number, len(ids), ids) for number, ids in enumerate(runs)]
