"""The first stage: one pass over the images, shard by shard; what it found is written when all shards are in."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
import torch

from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import ImageError
from layerscope.core.failures import out_of_memory
from layerscope.core.records import Batch, ImageRecord, Input, LayerRecord
from layerscope.graph import Program
from layerscope.graph.ops.kernels import NARROW
from layerscope.pipeline.originals import copies_in_words, originals
from layerscope.pipeline.progress import Clock, Progress
from layerscope.pipeline.settings import BATCH, SHARD
from layerscope.scan import (
    MOST_CLASS_MEANS,
    PICTURES,
    ShardResult,
    Totals,
    neighbours_of,
    sample_of,
    scan_shard,
    statistics_of,
    strata_of,
)
from layerscope.scan.state import restore_totals, shard_from_bytes, shard_to_bytes, totals_to_bytes
from layerscope.sources import Source

# The results of so many shards are joined into one, so that what is kept of an unfinished scan stays flat.
JOINED = 16
_TOTALS = -1


class Scanning:
    """The scan of some layers of one network over one source, resumable."""

    def __init__(
        self,
        writer: AtlasWriter,
        program: Program,
        layers: Sequence[LayerRecord],
        source: Source,
        input: Input,
        *,
        k: int,
        seed: int,
    ) -> None:
        self.writer, self.program, self.layers, self.source, self.input = writer, program, layers, source, input
        # A name of its own for each form of what a shard leaves: an unfinished scan of another form is begun anew.
        self.stage = "scan of originals " + ",".join(str(layer.node) for layer in layers)
        self.classes = {name: index for index, name in enumerate(source.label_names)}
        self.sample = sample_of(len(source), layers, seed)
        self.totals = Totals(layers, k=k, classes=len(self.classes), sample=self.sample)
        self.labels: dict[int, str | None] = {}
        self.batch = BATCH
        self.k, self.seed = k, seed

    def run(self, progress: Progress, clock: Clock, *, workers: int) -> None:
        """Scan what is not scanned yet, then write peaks and statistics. Raises ImageError if no image is usable."""
        shards = -(-len(self.source) // SHARD)
        done = self._restore()
        progress.start("scan", len(self.source), min(done * SHARD, len(self.source)))
        batches = self._ahead(done, shards, workers)
        try:
            for shard in range(done, shards):
                if not self._one(shard, islice(batches, len(_runs_of(shard, len(self.source)))), progress, clock):
                    # What was read ahead may have ended with the memory: reading begins anew behind this shard.
                    batches.close()  # type: ignore[attr-defined]
                    batches = self._ahead(shard + 1, shards, workers)
        finally:
            batches.close()  # type: ignore[attr-defined]
        if not self.totals.images:
            raise ImageError(f"none of the {len(self.source)} images in {self.source.name} can be used; {self._why()}")
        self._write()
        for sentence in copies_in_words(self.writer.images()):
            progress.say(sentence)

    def _ahead(self, done: int, shards: int, workers: int) -> Iterator[Batch]:
        return self.source.batches(self.input, self._runs(done, shards), threads=workers, ahead=6)

    def _runs(self, done: int, shards: int) -> Iterator[range]:
        return chain.from_iterable(_runs_of(shard, len(self.source)) for shard in range(done, shards))

    def _restore(self) -> int:
        """Take up an unfinished scan; the number of shards that are done (they are done in order)."""
        known = self.writer.images()
        self.source.remember(known)
        self.labels = {record.id: record.label for record in known}
        done = self.writer.done(self.stage)
        if _TOTALS in done:
            restore_totals(self.totals, self.writer.payload(self.stage, _TOTALS))
        joined = len(done - {_TOTALS})
        for shard in range(joined):
            payload = self.writer.payload(self.stage, shard)
            if payload:
                self._add(shard_from_bytes(payload))
        return joined

    def _one(self, shard: int, batches: Iterator[Batch], progress: Progress, clock: Clock) -> bool:
        """Scan a shard and keep what it found; False where memory was short and its images were read a second time."""
        taken: list[ImageRecord] = []
        with clock.time("scan"):
            try:
                result = self._scanned(shard, self._noted(batches, taken, progress, clock))
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error) or self.batch == 1:
                    raise
                self.batch //= 2
                progress.say(f"out of memory: this scan goes on with batches of {self.batch} images")
                again = (self.source.load(run, self.input) for run in _runs_of(shard, len(self.source)))
                self._one(shard, again, progress, clock)
                return False
            self._add(result)
        with clock.time("write"), self.writer.transaction():
            self.writer.put_images(taken)
            self.writer.mark(self.stage, shard, shard_to_bytes(result))
            if (shard + 1) % JOINED == 0:
                self.writer.mark(self.stage, _TOTALS, totals_to_bytes(self.totals))
                for joined in range(shard + 1 - JOINED, shard + 1):
                    self.writer.mark(self.stage, joined)
        return True

    def _scanned(self, shard: int, batches: Iterator[Batch]) -> ShardResult:
        return scan_shard(
            self.program,
            self.layers,
            originals(batches, BATCH),
            k=self.k,
            batch_size=self.batch,
            floors=self.totals.floors(),
            with_pictures=(shard + 1) * SHARD <= PICTURES or shard == 0,
            sample=self.sample,
        )

    def _noted(
        self, batches: Iterator[Batch], taken: list[ImageRecord], progress: Progress, clock: Clock
    ) -> Iterator[Batch]:
        """The shard's batches, their records kept and their time counted."""
        while True:
            with clock.time("wait for images"):
                batch = next(batches, None)
            if batch is None:
                return
            self.labels |= {record.id: record.label for record in batch.records}
            taken.extend(batch.records)
            yield batch
            progress.step(len(batch.records))

    def _add(self, result: ShardResult) -> None:
        labels = [self.labels[int(image)] for image in result.images]
        numbers = np.array([-1 if label is None else self.classes[label] for label in labels], np.int64)
        self.totals.add(result, numbers)

    def _why(self) -> str:
        reasons = sorted({record.skipped for record in self.source.skipped if record.skipped})
        return "the reasons: " + "; ".join(reasons[:3]) if reasons else "no reason was noted"

    def _write(self) -> None:
        statistics = statistics_of(self.totals.pictures)
        writer = self.writer
        with writer.transaction():
            writer.put_statistic("colour", statistics.colour.tolist())
            writer.put_statistic("spectrum", statistics.spectrum.tolist())
            writer.put_statistic("pictures", statistics.images)
            writer.put_statistic("images", self.totals.images)
            copies = sum(record.duplicate_of is not None for record in writer.images())
            if copies:
                writer.put_statistic("copies", copies)
            if self.program.dtype in NARROW:
                writer.put_statistic("precision", _name(self.program.dtype))
            writer.put_statistic("classes", list(self.classes))
            writer.put_statistic("class_counts", self.totals.class_counts.tolist())
            for layer in self.layers:
                writer.put_layer(layer.node, layer)
                writer.put_units(layer.node, self.totals.unit_statistics(layer.node))
                writer.put_peaks(layer.node, self.totals.peaks(layer.node), layer.field)
                self._write_sampled(layer)
            self._write_filters()
            writer.clear(self.stage)

    def _write_sampled(self, layer: LayerRecord) -> None:
        """What is taken from the sampled images."""
        sampled = self.totals.sampled(layer.node)
        self.writer.put_strata(layer.node, strata_of(sampled, layer))
        self.writer.put_neighbours(layer.node, neighbours_of(sampled))
        self.writer.put_statistic("sample", {"images": len(sampled.images), "seed": self.seed}, layer=layer.node)

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


def _runs_of(shard: int, count: int) -> list[range]:
    """The batches of a shard, as ids."""
    last = min((shard + 1) * SHARD, count)
    return [range(first, min(first + BATCH, last)) for first in range(shard * SHARD, last, BATCH)]


def first_filters(program: Program, node: int) -> torch.Tensor | None:
    """The weights of the only convolution between the input and a layer; None where there is another number of them."""
    graph = program.graph
    path = [graph.nodes[n] for n in sorted(graph.ancestors({node}) - {0})]
    convolutions = [n for n in path if n.op == "conv2d"]
    simple = len(convolutions) == 1 and convolutions[0].sources == (0,) and path[0] is convolutions[0]
    return program.weights[convolutions[0].args["weight"].name] if simple else None
