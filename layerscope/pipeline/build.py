"""Network + images -> atlas: the one place that joins tracing, scanning, projecting and writing.

Each stage is made of pieces that are finished or not; a build that was stopped does the unfinished ones. What an
earlier run with the same fingerprint has made (a layer scanned, a method projected) is not made again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from layerscope.atlas.connection import plain_errors
from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import DEFAULT_ENGINE, ENGINES, Opened, opened
from layerscope.core.errors import AtlasError
from layerscope.core.failures import out_of_memory, plain_failures
from layerscope.core.pieces import make
from layerscope.core.progress import Clock, Progress
from layerscope.core.records import Input, LayerRecord, Statistics
from layerscope.core.replay import Replay
from layerscope.graph import Carrier
from layerscope.graph.classifier import computed_scores_of
from layerscope.pipeline.beginning import note, of_engine, require_fit, require_originals, require_same_run
from layerscope.pipeline.forecast import Forecast, forecast_build
from layerscope.pipeline.kept_totals import outlives, scans_kept
from layerscope.pipeline.merged_source import TOLD, as_merged
from layerscope.pipeline.projecting import Projecting
from layerscope.pipeline.remaining import KEPT, LayerPlan, Remaining
from layerscope.pipeline.sampling import SampleWork, Sampling
from layerscope.pipeline.scanning import Scanning
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings, as_built, fingerprint
from layerscope.pipeline.sharing import layer_sharing
from layerscope.pipeline.sheets import Sheets
from layerscope.pipeline.strata import PlacingStrata
from layerscope.pipeline.threads import computing
from layerscope.pipeline.using import Using
from layerscope.pipeline.work import LayerWork, sampled_units, tile_size
from layerscope.project.views import NaturalView
from layerscope.sources import ImageCache, Source

GOES_ON = "run the same command again: it goes on with what is finished"


class Build:
    """One run of `build`: what is wanted, and the stages that make it. engine: by name, who makes the pieces.
    of_engine: what is said to it beside, by the names of settings."""

    def __init__(
        self,
        program: Carrier,
        *,
        network: str,
        replay: Replay | None = None,
        input: Input,
        layers: Sequence[LayerRecord],
        source: Source,
        settings: Settings,
        progress: Progress,
        workers: int = 2,
        engine: str = DEFAULT_ENGINE,
        of_engine: Mapping[str, Any] | None = None,
    ) -> None:
        self.program, self.network, self.input, self.layers = program, network, input, tuple(layers)
        self.settings, self.progress, self.workers = settings, progress, workers
        self.engine, self.of_engine = ENGINES[engine], dict(of_engine or {})
        require_fit(self.engine, program)
        self.kept = ImageCache(input, pictures=settings.pictures)
        self.source = source.cached_in(self.kept)
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
            with plain_failures(path, then=GOES_ON, kind=AtlasError), plain_errors(path), _plain_memory(path):
                self.program.check()
                self._make(path, overwrite)
        finally:
            self.kept.close()

    def _make(self, path: Path, overwrite: bool) -> None:
        if overwrite or not path.exists() or path.stat().st_size == 0:
            self._make_anew(path, overwrite)
        else:
            self._go_on(path)
        for leftover in path.parent.glob(f"{path.name}.*.tiles"):
            leftover.unlink(missing_ok=True)

    def _make_anew(self, path: Path, overwrite: bool) -> None:
        # The engine first: one that cannot be opened leaves no atlas that holds nothing, nor overwrites another.
        with (
            computing(self.engine, None),
            self._opened() as engine,
            AtlasWriter.create(path, overwrite=overwrite) as writer,
        ):
            remaining = self._remaining(writer)
            self._begin(writer, path, remaining)
            self._complete(writer, path, remaining, engine)

    def _go_on(self, path: Path) -> None:
        with AtlasWriter.resume(path) as writer, computing(self.engine, writer.run):
            remaining = self._remaining(writer)
            if self._begin(writer, path, remaining):
                with self._opened() as engine:
                    self._complete(writer, path, remaining, engine)
            else:
                self.progress.say(f"{path} is complete: nothing is missing")

    def _opened(self) -> AbstractContextManager[Opened]:
        return opened(self.engine, self.workers, say=self.progress.say, **self.of_engine)

    def _remaining(self, writer: AtlasWriter) -> Remaining:
        return Remaining(writer, self.program.graph, self.layers, self.settings, whole=self._whole())

    def _complete(self, writer: AtlasWriter, path: Path, remaining: Remaining, engine: Opened) -> None:
        """All stages, each of them as far as it is not done."""
        self._scan(writer, remaining.unscanned(), engine)
        self.kept.only(remaining.images())
        works = self._sample(writer, remaining, engine)
        if works:
            self._project(writer, path, works, remaining, engine)
        self._use(writer, remaining, engine)
        strata = PlacingStrata(
            writer, self.program, self.source, self.input, self.settings, clock=self.clock, engine=engine.name,
            threads=self.workers,
        )  # fmt: skip
        if strata.pieces:
            make(strata, writer, self.progress, engine=engine)
        for label in writer.stages():
            if label not in KEPT and not outlives(label):
                writer.clear(label)
        writer.finish_run()

    def _begin(self, writer: AtlasWriter, path: Path, remaining: Remaining) -> bool:
        """Note this run; False where an earlier one has already made everything that is wanted."""
        old = writer.run
        if old is not None:
            self.source = as_built(self.source, old.fingerprint)
        new = fingerprint(self.program, self.input, self.settings, self.source) | of_engine(self.engine)
        if old is not None:
            if any(old.fingerprint.get(name) != new[name] for name in TOLD):
                new |= as_merged(writer, path, self.source, old.fingerprint)
            require_same_run(path, old.fingerprint, new)
            if self.settings.mergeable and not remaining.unscanned() and not scans_kept(writer):
                self.progress.say(
                    f"{path} was scanned without mergeable, which cannot be added: overwrite it to merge it"
                )
            if old.finished and not remaining.anything():
                return False
            require_originals(writer, path, remaining.unscanned())
        note(
            writer, self.program.graph, network=self.network, images=self.source.name, input=self.input,
            settings=self.settings, fingerprint=new, replay=self.replay,
        )  # fmt: skip
        return True

    def _scan(self, writer: AtlasWriter, layers: Sequence[LayerRecord], engine: Opened) -> None:
        if not layers:
            for record in writer.images():
                self.source.remember((record,))
            return
        scanning = Scanning(
            writer, self.program, layers, self.source, self.input, k=self.settings.k, seed=self.settings.seed,
            engine=engine, threads=self.workers, mergeable=self.settings.mergeable,
        )  # fmt: skip
        for sentence in scanning.remarks():
            self.progress.say(sentence)
        scanning.run(self.progress, self.clock)

    def _sample(self, writer: AtlasWriter, remaining: Remaining, engine: Opened) -> list[LayerWork]:
        """What there is to project, each layer's tile and specificity measured on a sample."""
        plans = {plan.layer.node: plan for plan in remaining.plans()}
        work = SampleWork(self.program, self.source, self.input, engine=engine.name, threads=self.workers)
        work.seed, work.clock = self.settings.seed, self.clock
        sampling = Sampling(
            [plan.sampled(writer.hashes(plan.first_images())) for plan in plans.values() if not plan.measured], work,
            lambda layer, measured: remaining.keep(plans[layer.node], measured),
        )  # fmt: skip
        make(sampling, writer, self.progress, engine=engine)
        return [self._work(plan, remaining) for plan in plans.values()]

    def _whole(self) -> int:
        return max(self.input.height, self.input.width)

    def _work(self, plan: LayerPlan, remaining: Remaining) -> LayerWork:
        layer, stored = plan.layer, remaining.stored(plan.layer)
        side = (stored.tile or 0) if layer.map else 0
        best = stored.method if stored.method in plan.methods else None
        shared = layer_sharing(self.program, layer, plan.earlier) if plan.earlier else None
        if shared is not None and shared.sharing.refused and not shared.earlier:
            remaining.refuse_shares(layer, shared.sharing.refused)
        return LayerWork(
            layer=layer,
            methods=tuple(m for m in (best, *(m for m in plan.methods if m != best)) if m),
            patches=not remaining.has_patches(layer),
            units=sampled_units(layer, self.settings),
            peaks=plan.peaks,
            side=side,
            size=tile_size(side, self.input, self.settings.tile),
            shared=shared if shared is not None and shared.earlier else None,
        )

    def _project(
        self, writer: AtlasWriter, path: Path, works: list[LayerWork], remaining: Remaining, engine: Opened
    ) -> None:
        label = ";".join(work.label for work in works)
        scratch = self._scratch(path, works, label)
        try:
            projecting = Projecting(
                writer, self.program, self.source, self.input, self.settings, works, self._natural(writer), scratch,
                clock=self.clock, engine=engine.name, threads=self.workers,
            )  # fmt: skip
            make(projecting, writer, self.progress, engine=engine)
            sheets = Sheets(
                writer, scratch, works, self.settings, label=f"sheets {label}", clock=self.clock, threads=self.workers
            )
            make(sheets, writer, self.progress)
            with writer.transaction():
                for work in works:
                    remaining.mark(work.layer, work.methods)
        finally:
            scratch.close()

    def _use(self, writer: AtlasWriter, remaining: Remaining, engine: Opened) -> None:
        """What classes use the units of each layer for; nothing without a class output."""
        layers, node = remaining.unused(), computed_scores_of(self.program.graph)
        if node is None and writer.statistic("use") is None:
            writer.put_statistic("use", {"refused": "the network has no class output that can be computed"})
        if not layers or node is None:
            return
        using = Using(
            writer, self.program, self.source, self.input, node, layers, seed=self.settings.seed, clock=self.clock,
            engine=engine.name, threads=self.workers,
        )  # fmt: skip
        if using.layers:
            make(using, writer, self.progress, engine=engine)
        with writer.transaction():
            using.finish()
            remaining.mark_used()

    def _scratch(self, path: Path, works: list[LayerWork], label: str) -> Scratch:
        slots, start = {}, 0
        for work in works:
            slots[work.node] = work.slots(start, self.settings.k, len(self.settings.views))
            start = slots[work.node].end
        name = f"{path.name}.{_short(label)}.tiles"
        return Scratch(path.with_name(name), slots)

    def _natural(self, writer: AtlasWriter) -> NaturalView:
        colour, spectrum = (np.array(writer.statistic(name)) for name in ("colour", "spectrum"))
        return NaturalView(Statistics(colour=colour, spectrum=spectrum))


@contextmanager
def _plain_memory(path: Path) -> Iterator[None]:
    """What to do where memory is short, even after batches became smaller."""
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not out_of_memory(error):
            raise
        raise AtlasError(
            "out of memory, even with small batches: free some, or ask for fewer layers; "
            f"the same command goes on with what {path} holds"
        ) from error


def _short(label: str) -> str:
    return hashlib.sha256(label.encode()).hexdigest()[:8]
