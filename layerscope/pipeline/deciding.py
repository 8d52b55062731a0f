"""Fast first, exact last, the last part: candidates are run again by the network itself, and their peaks are kept.

An image is put into the same place of a batch as in the scan, since its last digits may depend on that: PyTorch
computes the last few numbers of a tensor by another routine (findings/torch_last_numbers.sh). It stands beside other
images, on which they do not depend (`pipeline/measuring.py` tries it).

What an engine proposed is checked on the way: an exact maximum outside its interval, or a peak that nobody proposed,
means that a bound was wrong, and then every image is run again.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import Opened, Piece
from layerscope.core.pieces import Job, make
from layerscope.core.progress import Clock, Progress
from layerscope.core.records import Batch, LayerRecord, Peaks
from layerscope.core.stages import DECIDE
from layerscope.pipeline.project_work import as_scanned
from layerscope.pipeline.scan_work import Met, ScanPart, ScanWork
from layerscope.pipeline.settings import BATCH, SHARD
from layerscope.scan import ShardResult, merge, scan_in_steps
from layerscope.scan.peaks import NOBODY
from layerscope.scan.proposed import Candidates
from layerscope.scan.state import peaks_from_bytes, peaks_to_bytes

_FOUND = -1
# Images of a piece: the more, the fuller their batches.
TOGETHER = 8 * SHARD


class DecideWork(ScanWork):
    """Scan images, told by their ids, once more by the network itself. slots: by image, its place in the scan's batch.
    hashes: of the images as they were scanned."""

    def __init__(self, *args: Any, slots: Mapping[int, int], hashes: Mapping[int, str | None], **how: Any) -> None:
        super().__init__(*args, sample=None, **how)
        self.slots, self.hashes = slots, hashes

    def runs(self, piece: Piece[Sequence[int]]) -> list[Sequence[int]]:
        """Batches in which no two images have one place; each is filled as far as possible."""
        runs: list[list[int]] = []
        filled: Counter[int] = Counter()
        for image in piece.held:
            batch = filled[self.slots[image]]
            filled[self.slots[image]] += 1
            if batch == len(runs):
                runs.append([])
            runs[batch].append(image)
        return [*runs]

    def _scanned(
        self, piece: Piece[Sequence[int]], batches: Iterator[Batch], keys: Mapping[int, int], bounds: None = None
    ) -> Iterator[int | ShardResult]:
        found = (self._placed(as_scanned(batch, self.hashes)) for batch in batches)
        yield (
            yield from scan_in_steps(
                self.program, self.layers, found, k=self.k, batch_size=self.batch, floors=self.floors
            )
        )

    def _placed(self, batch: Batch) -> Batch:
        """The batch with each image in its place. In the others stands one of them again, which counts for nobody."""
        places = [self.slots[image] for image in batch.ids.tolist()]
        ids = np.full(BATCH, NOBODY)
        ids[places] = batch.ids
        pixels = batch.pixels.transpose(0, 2, 3, 1)
        rows = np.repeat(pixels[:1], BATCH, 0)
        rows[places] = pixels
        return replace(batch, ids=ids, pixels=rows.transpose(0, 3, 1, 2), placements=(), pictures=())


class Deciding(Job[Sequence[int], ScanPart]):
    """The exact peaks of some images. candidates: by node, who is expected to have them; None where all are scanned."""

    stage = DECIDE

    def __init__(
        self, writer: AtlasWriter, work: ScanWork, layers: Sequence[LayerRecord],
        pieces: Sequence[Piece[Sequence[int]]], candidates: Mapping[int, Candidates] | None, *, k: int, label: str,
    ) -> None:  # fmt: skip
        self.writer, self.layers, self.candidates = writer, layers, candidates
        self._decide = self.work = work
        self.label, self.pieces = label, pieces
        self.peaks = {layer.node: Peaks.empty(layer.units, k) for layer in layers}
        self.outside = {layer.node: 0.0 for layer in layers}
        self._outside = dict(self.outside)

    def run(self, progress: Progress, clock: Clock, engine: Opened) -> None:
        """Decide what is not decided yet."""
        self._decide.clock, self._progress = clock, progress
        done = self.writer.done(self.label)
        if _FOUND in done:
            self.peaks = peaks_from_bytes(self.writer.payload(self.label, _FOUND))
        for number in done - {_FOUND}:
            self._note({int(node): far for node, far in json.loads(self.writer.payload(self.label, number)).items()})
        self._give_floors()
        make(self, self.writer, progress, engine=engine)

    def put(self, piece: Piece[Sequence[int]], part: ScanPart) -> int:
        """What was found; whom it was of is known."""
        if isinstance(part, str):
            self._progress.say(part)
        if isinstance(part, Met):
            return len(part.records)
        if isinstance(part, ShardResult):
            self._outside = {node: self._off(node, part) for node in self.peaks}
            self.peaks = {node: merge(peaks, part.layers[node].peaks) for node, peaks in self.peaks.items()}
            self._give_floors()
        return 0

    def payload(self, piece: Piece[Sequence[int]]) -> bytes:
        """How far this piece's maxima lay outside; all peaks so far are kept in one place."""
        self._note(self._outside)
        self.writer.mark(self.label, _FOUND, peaks_to_bytes(self.peaks))
        return json.dumps({node: far for node, far in self._outside.items() if far}).encode()

    def wrong(self) -> list[LayerRecord]:
        """The layers for which a bound did not hold."""
        return [layer for layer in self.layers if self.outside[layer.node] > 0 or self._unproposed(layer.node)]

    def _off(self, node: int, part: ShardResult) -> float:
        return 0.0 if self.candidates is None else self.candidates[node].outside(part.images, part.layers[node].maxima)

    def _unproposed(self, node: int) -> bool:
        """True where a peak is no candidate."""
        if self.candidates is None:
            return False
        found, peaks = self.candidates[node], self.peaks[node]
        units = len(peaks.value)
        unit, rank = np.nonzero(peaks.image >= 0)
        return not np.isin(peaks.image[unit, rank] * units + unit, found.image * units + found.unit).all()

    def _note(self, outside: Mapping[int, float]) -> None:
        for node, far in outside.items():
            self.outside[node] = max(self.outside[node], far)

    def _give_floors(self) -> None:
        self._decide.floors = {node: peaks.value[:, -1].copy() for node, peaks in self.peaks.items()}


def pieces_of(ids: Sequence[int]) -> list[Piece[Sequence[int]]]:
    """Candidates in pieces."""
    runs = [tuple(ids[first : first + TOGETHER]) for first in range(0, len(ids), TOGETHER)]
    return [Piece(number, len(run), run) for number, run in enumerate(runs)]
