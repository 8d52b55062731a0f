"""Fast first, exact last, around a scan: bounds are measured before it, candidates decided behind it."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import ENGINES, Opened
from layerscope.core.progress import Clock, Progress
from layerscope.core.records import Input, LayerRecord, Peaks
from layerscope.graph import Carrier
from layerscope.pipeline.deciding import DecideWork, Deciding, pieces_of
from layerscope.pipeline.measuring import Unsuited, measured
from layerscope.pipeline.scan_work import ScanWork, shards
from layerscope.scan import Totals, merge
from layerscope.scan.proposed import Bounds
from layerscope.sources import Source

# Beside the marks of a scan's shards.
BOUNDS = -2


class Proposals:
    """What an engine that proposes adds to a scan; nothing where the engine is another one. label: of the scan."""

    def __init__(
        self, writer: AtlasWriter, program: Carrier, layers: Sequence[LayerRecord], source: Source, input: Input,
        *, k: int, label: str, engine: Opened, threads: int,
    ) -> None:  # fmt: skip
        self.writer, self.program, self.layers = writer, program, tuple(layers)
        self.source, self.input, self.k, self.label = source, input, k, label
        self.engine, self.threads = engine, threads
        self.bounds: Bounds | None = None
        self._decided = 0

    def begin(self, progress: Progress) -> None:
        """Measure the bounds, or take up those of a scan that was stopped."""
        row = ENGINES[self.engine.name]
        if row.proposer is None:
            return
        if BOUNDS in self.writer.done(self.label):
            self.bounds = _bounds_in(self.writer.payload(self.label, BOUNDS))
            return
        try:
            self.bounds = measured(row, self.program, self.layers, self.source, self.input)
        except Unsuited as error:
            progress.say(f"the engine {row.name} does not propose here: {error}; the scan is made without it")
        with self.writer.transaction():
            self.writer.mark(self.label, BOUNDS, _bounds_out(self.bounds))

    def decide(self, totals: Totals, progress: Progress, clock: Clock) -> None:
        """The candidates' exact peaks, into the totals."""
        if not totals.candidates:
            return
        found = list(totals.candidates.values())
        images, first = np.unique(np.concatenate([one.image for one in found]), return_index=True)
        slots = dict(zip(images.tolist(), np.concatenate([one.slot for one in found])[first].tolist(), strict=True))
        share, pairs = len(slots) / max(totals.images, 1), sum(len(one.image) for one in found)
        progress.say(
            f"the engine {self.engine.name} proposes {len(slots):,} of {totals.images:,} images ({share:.0%}) for "
            f"{pairs:,} peaks and what might be one: these are run again in float32, which decides"
        )
        deciding = self._candidates(slots, totals)
        deciding.run(progress, clock, self.engine)
        known = {node: totals.peaks(node) for node in deciding.peaks}
        self._decided, wrong = len(slots), deciding.wrong()
        if wrong:
            where = ", ".join(layer.name for layer in wrong)
            progress.say(
                f"the engine {self.engine.name} was further off than its bound at {where}: every image is run again in "
                "float32"
            )
            deciding = self._everyone()
            deciding.run(progress, clock, self.engine)
            self._decided = totals.images
            known = {node: Peaks.empty(*totals.peaks(node).value.shape) for node in known}
        totals.decide({node: merge(known[node], peaks) for node, peaks in deciding.peaks.items()})

    def write(self, totals: Totals) -> None:
        """What the statistics are worth, and how much was run again, within the scan's transaction."""
        if self.bounds is None:
            return
        said = {"name": self.engine.name, "images": totals.images, "run again": self._decided}
        self.writer.put_statistic("engine", said)
        for layer in self.layers:
            bound = self.bounds.largest(self.program.graph, layer.node)
            found = len(totals.candidates[layer.node].image) if layer.node in totals.candidates else 0
            self.writer.put_statistic("engine", {"bound": bound, "candidates": found}, layer=layer.node)
        for label in ("decide", "decide all"):
            self.writer.clear(self._labelled(label))

    def _labelled(self, label: str) -> str:
        return f"{label} {self.label}"

    def _candidates(self, slots: Mapping[int, int], totals: Totals) -> Deciding:
        hashes = self.writer.hashes(list(slots))
        work = DecideWork(*self._work, slots=slots, hashes=hashes, **self._how)
        label = self._labelled("decide")
        return Deciding(
            self.writer, work, self.layers, pieces_of(sorted(slots)), totals.candidates, k=self.k, label=label
        )

    def _everyone(self) -> Deciding:
        """The scan as `local` makes it, for its peaks alone."""
        work = ScanWork(*self._work, sample=None, **self._how)
        label = self._labelled("decide all")
        return Deciding(self.writer, work, self.layers, shards(len(self.source)), None, k=self.k, label=label)

    @property
    def _work(self) -> tuple[Carrier, tuple[LayerRecord, ...], Source, Input]:
        return self.program, self.layers, self.source, self.input

    @property
    def _how(self) -> dict[str, Any]:
        return {"k": self.k, "engine": self.engine.name, "threads": self.threads}


def _bounds_out(bounds: Bounds | None) -> bytes:
    """Bounds as bytes; none for none."""
    if bounds is None:
        return b""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{str(node): bound for node, bound in bounds.by_node.items()})
    return buffer.getvalue()


def _bounds_in(data: bytes) -> Bounds | None:
    if not data:
        return None
    arrays: Mapping[str, Any] = np.load(io.BytesIO(data))
    return Bounds({int(node): arrays[node] for node in arrays})
