"""Network + images -> atlas: the one place that joins tracing, scanning, projecting and writing.

Each stage is made of pieces that are finished or not; a build that was stopped does the unfinished ones. What an
earlier run with the same fingerprint has made (a layer scanned, a method projected) is not made again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from layerscope.atlas.connection import plain_errors
from layerscope.atlas.records import EdgeRecord, NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError, WrongModel
from layerscope.core.failures import plain_failures
from layerscope.core.records import Input, LayerRecord, Statistics
from layerscope.core.replay import Replay
from layerscope.graph import Program
from layerscope.pipeline.forecast import Forecast, forecast_build
from layerscope.pipeline.progress import Clock, Progress, plain_memory
from layerscope.pipeline.projecting import Projecting
from layerscope.pipeline.sampling import sample_layer
from layerscope.pipeline.scanning import Scanning
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings, as_built, differences, fingerprint, versions
from layerscope.pipeline.sheets import write_sheets
from layerscope.pipeline.strata import place_strata
from layerscope.pipeline.work import LayerWork, plate_method, sampled_units, tile_size
from layerscope.project.views import NaturalView
from layerscope.sources import Kept, Source

_MADE = "made"
GOES_ON = "run the same command again: it goes on with what is finished"


class Build:
    """One run of `build`: what is wanted, and the stages that make it."""

    def __init__(
        self,
        program: Program,
        *,
        network: str,
        replay: Replay | None = None,
        input: Input,
        layers: Sequence[LayerRecord],
        source: Source,
        settings: Settings,
        progress: Progress,
        workers: int = 2,
    ) -> None:
        self.program, self.network, self.input, self.layers = program, network, input, tuple(layers)
        self.settings, self.progress, self.workers = settings, progress, workers
        self.kept = Kept(input, pictures=settings.pictures)
        self.source = source.keeping(self.kept)
        self.replay = replay
        self.clock = Clock()

    def forecast(self) -> Forecast:
        """What this build will take, measured on a small piece of each stage."""
        return forecast_build(
            self.program, self.input, self.layers, self.source, self.settings,
            workers=self.workers, kept=self.kept.capacity,
        )  # fmt: skip

    def into(self, path: Path, *, overwrite: bool = False) -> None:
        """Make the atlas at `path`, or make it complete. Raises AtlasError where another run holds the file."""
        try:
            with plain_failures(path, then=GOES_ON, kind=AtlasError), plain_errors(path), plain_memory(path):
                self.program.check()
                self._make(path, overwrite)
        finally:
            self.kept.close()

    def _make(self, path: Path, overwrite: bool) -> None:
        with self._writer(path, overwrite) as writer:
            if self._begin(writer, path):
                self._complete(writer, path)
            else:
                self.progress.say(f"{path} is complete: nothing is missing")
        for leftover in path.parent.glob(f"{path.name}.*.tiles"):
            leftover.unlink(missing_ok=True)

    def _complete(self, writer: AtlasWriter, path: Path) -> None:
        """All stages, each of them as far as it is not done."""
        self._scan(writer)
        self.kept.only(self._needed(writer))
        works = self._sample(writer)
        if works:
            self._project(writer, path, works)
        place_strata(writer, self.source, self.input, self.settings, self.progress, self.clock, workers=self.workers)
        for stage in writer.stages():
            if stage != _MADE:
                writer.clear(stage)
        writer.finish_run()

    def _writer(self, path: Path, overwrite: bool) -> AtlasWriter:
        exists = path.exists() and path.stat().st_size > 0
        return AtlasWriter.resume(path) if exists and not overwrite else AtlasWriter.create(path, overwrite=overwrite)

    def _begin(self, writer: AtlasWriter, path: Path) -> bool:
        """Note this run; False where an earlier one has already made everything that is wanted."""
        old = writer.run
        if old is not None:
            self.source = as_built(self.source, old.fingerprint)
        new = fingerprint(self.program, self.input, self.settings, self.source)
        if old is not None:
            differing = differences(old.fingerprint, new)
            if differing:
                raise WrongModel(
                    f"{path} holds another run: {'; '.join(differing)}; choose another file, or overwrite it"
                )
            if old.finished and not self._missing(writer):
                return False
            self._require_originals(writer, path)
        wanted = list(dict.fromkeys([*(old.methods if old else ()), *self.settings.methods]))
        run = RunRecord(
            network=self.network, images=self.source.name, k=self.settings.k, methods=tuple(wanted),
            views=self.settings.views, input=self.input, settings=json.loads(json.dumps(asdict(self.settings))),
            fingerprint=new, versions=versions(),
        )  # fmt: skip
        with writer.transaction():
            writer.add_later_tables()
            if old is None or old.finished or old.methods != run.methods:
                writer.start_run(run)
            self._put_graph(writer)
            if self.replay is not None:
                writer.put_statistic("replay", self.replay.data())
        return True

    def _require_originals(self, writer: AtlasWriter, path: Path) -> None:
        """Raises AtlasError where layers are to join others that were scanned with the copies of images."""
        counted, scanned = writer.statistic("images"), {layer.record.node for layer in writer.layers()}
        own = sum(record.skipped is None and record.duplicate_of is None for record in writer.images())
        if counted is not None and counted > own and any(layer.node not in scanned for layer in self.layers):
            raise AtlasError(
                f"{path} was made by an earlier layerscope, which counted {counted - own:,} copies of images as images "
                "of their own; no layers can be added to it: choose another file, or overwrite it"
            )

    def _missing(self, writer: AtlasWriter) -> bool:
        scanned = {layer.record.node for layer in writer.layers()}
        return any(layer.node not in scanned or self._methods_to_make(writer, layer) for layer in self.layers)

    def _put_graph(self, writer: AtlasWriter) -> None:
        nodes = self.program.graph.nodes
        writer.put_nodes(
            NodeRecord(
                id=n.id, name=n.name, op=n.op, module=n.module, shape=n.shape,
                args={key: _plain(value) for key, value in n.args.items()},
            )
            for n in nodes
        )  # fmt: skip
        writer.put_edges(
            EdgeRecord(node=n.id, position=place, source=source)
            for n in nodes
            for place, source in enumerate(n.sources)
        )

    def _scan(self, writer: AtlasWriter) -> None:
        scanned = {layer.record.node for layer in writer.layers()}
        missing = [layer for layer in self.layers if layer.node not in scanned]
        if missing:
            k, seed = self.settings.k, self.settings.seed
            scanning = Scanning(writer, self.program, missing, self.source, self.input, k=k, seed=seed)
            for sentence in scanning.remarks():
                self.progress.say(sentence)
            scanning.run(self.progress, self.clock, workers=self.workers)
        else:
            self.source.remember(writer.images())

    def _needed(self, writer: AtlasWriter) -> frozenset[int]:
        """The images that the stages behind the scan read."""
        needed = set(writer.images_to_place(tiles_known=False))
        for layer in self.layers:
            if self._methods_to_make(writer, layer) is not None:
                peaks = writer.all_peaks(layer.node, self.settings.k, layer.units)
                needed.update(np.unique(peaks.image[list(sampled_units(layer, self.settings))]).tolist())
                needed.update(np.unique(peaks.image[:, 0]).tolist())
        return frozenset(needed)

    def _methods_wanted(self, layer: LayerRecord) -> tuple[str, ...]:
        return self.settings.methods if layer.map or self.settings.dense else ()

    def _methods_to_make(self, writer: AtlasWriter, layer: LayerRecord) -> tuple[str, ...] | None:
        """The methods without sheets; None where nothing is to be made, not even patches."""
        if layer.node not in writer.done(_MADE):
            return self._methods_wanted(layer)
        made = self._made(writer, layer)
        return tuple(m for m in self._methods_wanted(layer) if m not in made) or None

    def _sample(self, writer: AtlasWriter) -> list[LayerWork]:
        """What there is to project, each layer's tile and specificity measured on a sample."""
        wanted = [(layer, self._methods_to_make(writer, layer)) for layer in self.layers]
        todo = [(layer, methods) for layer, methods in wanted if methods is not None]
        self.progress.start("sample", len(todo), 0)
        works = []
        for layer, methods in todo:
            with self.clock.time("sample"):
                works.append(self._sampled(writer, layer, methods))
            self.progress.step()
        return works

    def _sampled(self, writer: AtlasWriter, layer: LayerRecord, methods: tuple[str, ...]) -> LayerWork:
        peaks = writer.all_peaks(layer.node, self.settings.k, layer.units)
        stored = next(known for known in writer.layers() if known.record.node == layer.node)
        made = self._made(writer, layer)
        cut_by = stored.method if made else None
        # In the order in which they were asked for, as far as it is known.
        every = tuple(dict.fromkeys(m for m in (cut_by, *made, *methods) if m))
        best, why = plate_method(self.program.graph, layer.node, every, cut_by=cut_by) if every else (None, None)
        if methods and (stored.method_why != why or self._unmeasured(writer, layer, methods)):
            side, specificity = sample_layer(
                self.program, self.source, self.input, layer, peaks, sorted(methods, key=lambda m: m != best),
                hashes={record.id: record.sha256 for record in writer.images()}, seed=self.settings.seed,
                workers=self.workers,
            )  # fmt: skip
            with writer.transaction():
                for method in methods:
                    writer.put_statistic("specificity", specificity[method], layer=layer.node, method=method)
                tile = stored.tile if cut_by else side if layer.map else self._whole()
                writer.set_layer_plate(layer.node, tile=tile, method=best, why=why)
        elif stored.tile is None:
            writer.set_layer_plate(layer.node, tile=self._whole(), method=None, why=None)
        return self._work(writer, layer, methods, peaks)

    def _made(self, writer: AtlasWriter, layer: LayerRecord) -> tuple[str, ...]:
        """The methods that have sheets."""
        return tuple(json.loads(writer.payload(_MADE, layer.node))) if layer.node in writer.done(_MADE) else ()

    def _unmeasured(self, writer: AtlasWriter, layer: LayerRecord, methods: tuple[str, ...]) -> bool:
        return any(writer.statistic("specificity", layer=layer.node, method=m) is None for m in methods)

    def _whole(self) -> int:
        return max(self.input.height, self.input.width)

    def _work(self, writer: AtlasWriter, layer: LayerRecord, methods: tuple[str, ...], peaks: Any) -> LayerWork:
        stored = next(known for known in writer.layers() if known.record.node == layer.node)
        side = (stored.tile or 0) if layer.map else 0
        best = stored.method if stored.method in methods else None
        return LayerWork(
            layer=layer,
            methods=tuple(m for m in (best, *(m for m in methods if m != best)) if m),
            patches=layer.node not in writer.done(_MADE),
            units=sampled_units(layer, self.settings),
            peaks=peaks,
            side=side,
            size=tile_size(side, self.input, self.settings.tile),
        )

    def _project(self, writer: AtlasWriter, path: Path, works: list[LayerWork]) -> None:
        label = ";".join(f"{work.node}:{','.join(work.methods)}" for work in works)
        scratch = self._scratch(path, works, label)
        sheets = f"sheets {label}"
        try:
            natural = self._natural(writer)
            projecting = Projecting(
                writer, self.program, self.source, self.input, self.settings, works, natural, scratch
            )
            projecting.run(self.progress, self.clock, workers=self.workers)
            write_sheets(
                writer, scratch, works, self.settings, self.progress, self.clock, stage=sheets, workers=self.workers
            )
            with writer.transaction():
                for work in works:
                    made = json.dumps(sorted({*self._made(writer, work.layer), *work.methods}))
                    writer.mark(_MADE, work.node, made.encode())
        finally:
            scratch.close()

    def _scratch(self, path: Path, works: list[LayerWork], label: str) -> Scratch:
        shelves, start = {}, 0
        for work in works:
            shelves[work.node] = work.shelf(start, self.settings.k, len(self.settings.views))
            start = shelves[work.node].end
        name = f"{path.name}.{_short(label)}.tiles"
        return Scratch(path.with_name(name), shelves)

    def _natural(self, writer: AtlasWriter) -> NaturalView:
        colour, spectrum = (np.array(writer.statistic(name)) for name in ("colour", "spectrum"))
        return NaturalView(Statistics(colour=colour, spectrum=spectrum))


def _short(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:8]


def _plain(value: Any) -> Any:
    """An argument as JSON can hold it: weights by name, inputs by number."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
