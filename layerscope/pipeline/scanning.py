"""The first stage: one pass over the images, shard by shard; what it found is written when all shards are in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import LOCAL, Opened, Piece, one
from layerscope.core.errors import ImageError
from layerscope.core.pieces import Job, make
from layerscope.core.progress import Clock, Progress
from layerscope.core.records import ImageRecord, Input, LayerRecord
from layerscope.core.stages import SCAN
from layerscope.graph import Carrier
from layerscope.graph.ops.kernels import NARROW
from layerscope.graph.stated import own_rules
from layerscope.pipeline.kept_totals import keep_for_merge
from layerscope.pipeline.originals import copies_in_words
from layerscope.pipeline.proposals import BOUNDS, Proposals
from layerscope.pipeline.scan_work import Met, ScanPart, ScanWork, require_skipped_here, shards
from layerscope.pipeline.scanned import put_totals
from layerscope.scan import (
    MOST_CLASS_MEANS,
    SampleRule,
    ShardResult,
    Totals,
)
from layerscope.scan.state import restore_totals, shard_from_bytes, shard_to_bytes, totals_to_parts
from layerscope.sources import Source

# The results of so many shards are joined into one, so that what is kept of an unfinished scan stays flat.
JOINED = 16
_TOTALS = -1


class Scanning(Job[Sequence[int], ScanPart]):
    """The scan of some layers of one network over one source, resumable."""

    stage = SCAN

    def __init__(
        self,
        writer: AtlasWriter,
        program: Carrier,
        layers: Sequence[LayerRecord],
        source: Source,
        input: Input,
        *,
        k: int,
        seed: int,
        engine: Opened = LOCAL,
        threads: int = 2,
        mergeable: bool = False,
    ) -> None:
        self.writer, self.program, self.layers, self.source, self.input = writer, program, layers, source, input
        # A name of its own for each form of what a shard leaves: an unfinished scan of another form is begun anew.
        self.label = "scan of sums in two parts " + ",".join(str(layer.node) for layer in layers)
        self._sums_label = f"sums of the {self.label}"
        self.classes = {name: index for index, name in enumerate(source.label_names)}
        sample = SampleRule.of(len(source), layers, seed)
        self.totals = Totals(layers, k=k, classes=len(self.classes), sampled=sample.most)
        self.seed, self.engine, self.mergeable = seed, engine, mergeable
        self.pieces = shards(len(source))
        self._scan = ScanWork(program, layers, source, input, k=k, sample=sample, engine=engine.name, threads=threads)
        self.work = self._scan
        self._proposals = Proposals(
            writer, program, layers, source, input, k=k, label=self.label, engine=engine, threads=threads
        )
        self._met: list[ImageRecord] = []
        self._mark = b""

    def run(self, progress: Progress, clock: Clock) -> None:
        """Scan what is not scanned yet, then write peaks and statistics. Raises ImageError if no image is usable."""
        self._scan.clock, self._progress, self._clock = clock, progress, clock
        self._restore()
        self._proposals.begin(progress)
        self._scan.bounds = self._proposals.bounds
        make(self, self.writer, progress, engine=self.engine)
        if not self.totals.images:
            raise ImageError(f"none of the {len(self.source)} images in {self.source.name} can be used; {self._why()}")
        self._proposals.decide(self.totals, progress, clock)
        self._write()
        for sentence in copies_in_words(self.writer.copies()):
            progress.say(sentence)

    def _restore(self) -> None:
        """Take up an unfinished scan; its shards were done in order."""
        for record in self.writer.images():
            self.source.remember((record,))
        done = self.writer.done(self.label)
        if _TOTALS in done:
            restore_totals(self.totals, self._kept_sums())
        for shard in sorted(done - {_TOTALS, BOUNDS}):
            payload = self.writer.payload(self.label, shard)
            if payload:
                found = shard_from_bytes(payload)
                self._add(found, self.writer.records(found.images.tolist()).values())
        self._scan.floors = self.totals.floors()

    def put(self, piece: Piece[Sequence[int]], part: ScanPart) -> int:
        """Images that were met, something worth saying, and at last what the shard found."""
        if isinstance(part, str):
            self._progress.say(part)
            return 0
        if isinstance(part, Met):
            if self.engine.elsewhere:
                require_skipped_here(part, self.source, self.input)
            self._met += self.source.remember(part.records)
            return len(part.records)
        copies = {record.id for record in self._met if record.duplicate_of is not None}
        if copies.intersection(part.images.tolist()):
            # Made where the images before these are not known: here they are, and their copies are left out.
            part = next(found for found in one(self.work, piece) if isinstance(found, ShardResult))
        with self._clock.time("scan"):
            self._add(part, self._met)
        self._scan.floors = self.totals.floors()
        with self._clock.time("write"):
            self.writer.put_images(self._met)
            self._mark = shard_to_bytes(part)
        return 0

    def payload(self, piece: Piece[Sequence[int]]) -> bytes:
        """What the shard found; that of a full run of shards lies in the totals, and theirs is let go."""
        mark, self._mark = self._mark, b""
        self._met.clear()
        if (piece.number + 1) % JOINED:
            return mark
        with self._clock.time("write"):
            self._keep_sums()
            for joined in range(piece.number + 1 - JOINED, piece.number):
                self.writer.mark(self.label, joined)
        return b""

    def _keep_sums(self) -> None:
        """In rows of their own: SQLite holds a row several times over, and reads it where it looks for another."""
        self.writer.clear(self._sums_label)
        for number, part in enumerate(totals_to_parts(self.totals)):
            self.writer.mark(self._sums_label, number, part)
        self.writer.mark(self.label, _TOTALS)

    def _kept_sums(self) -> Iterator[bytes]:
        """The parts of what was kept."""
        for number in sorted(self.writer.done(self._sums_label)):
            yield self.writer.payload(self._sums_label, number)

    def _add(self, result: ShardResult, records: Iterable[ImageRecord]) -> None:
        of_image = {record.id: record.label for record in records}
        labels = [of_image[int(image)] for image in result.images]
        numbers = np.array([-1 if label is None else self.classes[label] for label in labels], np.int64)
        self.totals.add(result, numbers)

    def _why(self) -> str:
        reasons = sorted({record.skipped for record in self.source.skipped if record.skipped})
        return "the reasons: " + "; ".join(reasons[:3]) if reasons else "no reason was noted"

    def _write(self) -> None:
        writer = self.writer
        with writer.transaction():
            own = [replace(layer, own_rules=own_rules(self.program.graph, layer.node)) for layer in self.layers]
            put_totals(writer, self.totals, own, classes=tuple(self.classes), seed=self.seed)
            if self.program.dtype in NARROW:
                writer.put_statistic("precision", _name(self.program.dtype))
            self._write_filters()
            self._proposals.write(self.totals)
            if self.mergeable:
                keep_for_merge(writer, self.totals, own, self.source)
            for label in (self.label, self._sums_label):
                writer.clear(label)

    def _write_filters(self) -> None:
        """The filters of the layers that see the network's input through one convolution."""
        for layer in self.layers:
            weight = first_filters(self.program, layer.node)
            if weight is not None:
                self.writer.put_filters(layer.node, weight.detach().float().cpu().contiguous().numpy())

    def remarks(self) -> list[str]:
        """What is worth knowing of this scan before it begins, as sentences."""
        return [*self._ties(), *self._left_out()]

    def _ties(self) -> list[str]:
        """In 16 bits the highest place is often not the only one."""
        if self.program.dtype not in NARROW:
            return []
        return [
            f"the network computes in {_name(self.program.dtype)}: many a map holds its maximum more than once; "
            "the first such place in reading order is taken"
        ]

    def _left_out(self) -> list[str]:
        """Layers whose table of class means would be too large."""
        return [
            f"class means of {layer.name} are left out: {len(self.classes)} classes x {layer.units} units is too many"
            for layer in self.layers
            if len(self.classes) * layer.units > MOST_CLASS_MEANS
        ]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def first_filters(program: Carrier, node: int) -> torch.Tensor | None:
    """The weights of the only convolution between the input and a layer; None where there is another number of them."""
    graph = program.graph
    path = [graph.nodes[n] for n in sorted(graph.ancestors({node}) - {0})]
    convolutions = [n for n in path if n.op == "conv2d"]
    simple = len(convolutions) == 1 and convolutions[0].sources == (0,) and path[0] is convolutions[0]
    return program.weights[convolutions[0].args["weight"].name] if simple else None
