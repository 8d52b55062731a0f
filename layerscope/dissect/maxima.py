"""Every image's maximum of every unit, by the scan that builds make, kept as it is: 4 bytes for each image and unit."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float32

from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.errors import ImageError
from layerscope.core.pieces import Job, NoMarks, make
from layerscope.core.progress import Progress
from layerscope.core.records import Batch, ImageRecord, Input, LayerRecord
from layerscope.core.stages import MAXIMA
from layerscope.graph import Carrier
from layerscope.scan import ShardResult, scan_shard
from layerscope.sources import Source

BATCH, SHARD = 32, 128


@dataclass(frozen=True, eq=False)
class Scanned:
    """Images that could be used, in order, without copies of others, and by node the maxima of a layer's units."""

    images: tuple[ImageRecord, ...]
    maxima: dict[int, Float32[np.ndarray, "n u"]]


# What a piece gives: its records, and what the scan of its images found.
_Part = tuple[list[ImageRecord], ShardResult]


class _Scanning(Job[range, _Part]):
    stage = MAXIMA

    def __init__(self, program: Carrier, layers: Sequence[LayerRecord], source: Source, input: Input) -> None:
        self._program, self._layers, self._source, self._input = program, layers, source, input
        starts = range(0, len(source), SHARD)
        runs = [range(start, min(start + SHARD, len(source))) for start in starts]
        self.pieces = [Piece(number, len(ids), ids) for number, ids in enumerate(runs)]
        self.work = self._scanned
        self.images: list[ImageRecord] = []
        self.maxima: dict[int, list[np.ndarray]] = {layer.node: [] for layer in layers}

    def _scanned(self, pieces: Sequence[Piece[range]], /) -> Iterator[Made[_Part]]:
        runs = (run for piece in pieces for run in _runs(piece.held))
        with closing(self._source.batches(self._input, runs)) as batches:  # type: ignore[type-var]
            yield from in_turn(pieces, lambda piece: self._parts(islice(batches, len(_runs(piece.held)))))

    def _parts(self, batches: Iterator[Batch]) -> Iterator[_Part]:
        records: list[ImageRecord] = []

        def noted() -> Iterator[Batch]:
            for batch in batches:
                records.extend(batch.records)
                yield batch

        yield records, scan_shard(self._program, self._layers, noted(), k=1, batch_size=BATCH)

    def put(self, piece: Piece[range], part: _Part) -> int:
        records, found = part
        own = {record.id: record for record in records if record.skipped is None and record.duplicate_of is None}
        kept = [place for place, image in enumerate(found.images.tolist()) if image in own]
        self.images += [own[int(found.images[place])] for place in kept]
        for node, layer in found.layers.items():
            self.maxima[node].append(layer.maxima[kept])
        return 0


def _runs(ids: range) -> list[range]:
    return [ids[first : first + BATCH] for first in range(0, len(ids), BATCH)]


def scanned(
    program: Carrier, layers: Sequence[LayerRecord], source: Source, input: Input, progress: Progress
) -> Scanned:
    """Scan all images of a source. Raises ImageError where none can be used, TraceError for numbers that are none."""
    job = _Scanning(program, layers, source, input)
    make(job, NoMarks(), progress)
    if not job.images:
        raise ImageError(f"none of the {len(source)} images in {source.name} can be used")
    return Scanned(tuple(job.images), {node: np.concatenate(parts) for node, parts in job.maxima.items()})
