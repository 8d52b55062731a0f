"""Feature evolution: what excites units most at each checkpoint of a run, and when that settles.

Every checkpoint is scanned over the same images, the last one first: it says which units are alive, how large a
layer's tiles are, and what all others are compared with. Source: Zeiler & Fergus 2013, section 4 and Figure 4.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int64

from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.evolution import Evolution, LayerEvolution
from layerscope.core.failures import plain_failures
from layerscope.core.pieces import Job, NoMarks, make
from layerscope.core.progress import Progress
from layerscope.core.records import Batch, Input, LayerRecord, Peaks
from layerscope.core.stages import EVOLVE
from layerscope.graph import Carrier
from layerscope.project.views import NaturalView
from layerscope.scan import STATISTICS_IMAGES, ShardResult, merge, scan_shard, statistics_of
from layerscope.scan.input_statistics import joined
from layerscope.sources import Source
from layerscope.training.kept import KeptRun
from layerscope.training.strongest import StrongestTiles, layer_side, strongest_tiles

RUN, BATCH = 128, 32
# Correlations need every image's maximum at two checkpoints; of more images than this, an even share is taken.
MOST_CORRELATED = 20_000


class Scan:
    """What one checkpoint's scan found, by node. count: of usable images. maxima: float32[images, u], of an even share
    of them. input_sums: sums over the first images (scan/input_statistics.py)."""

    def __init__(self, layers: Sequence[LayerRecord], *, every: int) -> None:
        self.peaks = {layer.node: Peaks.empty(layer.units, 1) for layer in layers}
        self.count, self.input_sums = 0, dict[str, np.ndarray]()
        self._every = every
        self._maxima: dict[int, list[np.ndarray]] = {layer.node: [] for layer in layers}

    def floors(self) -> dict[int, Float32[np.ndarray, " u"]]:
        """Every unit's highest value so far."""
        return {node: held.value[:, 0].copy() for node, held in self.peaks.items()}

    def add(self, found: ShardResult) -> None:
        """Some more images."""
        self.input_sums = joined(self.input_sums, found.input_sums)
        self.count += len(found.images)
        for node, result in found.layers.items():
            self.peaks[node] = merge(self.peaks[node], result.peaks)
            self._maxima[node].append(result.maxima[found.images % self._every == 0])

    @cached_property
    def maxima(self) -> dict[int, Float32[np.ndarray, "images u"]]:
        """Of the whole scan."""
        return {node: np.concatenate(parts) for node, parts in self._maxima.items()}


@plain_failures("the evolution")
def evolve(
    run: KeptRun,
    layers: Sequence[LayerRecord],
    source: Source,
    *,
    units: int = 6,
    seed: int = 0,
    method: str = "deconvnet",
    view: str = "natural",
    reporter: Progress,
    threads: int = 2,
) -> Evolution:
    """Each checkpoint's strongest image for a seeded sample of units of each layer, and the curves of all units.

    units: shown of each layer, drawn among those alive at the last checkpoint; a layer without any is left out, and
    said so. Raises UsageError where fewer than two checkpoints or no living unit are there, ImageError for fewer than
    two usable images, TraceError for weights that cannot be used.
    """
    first, *later = run.epochs
    if not later:
        raise UsageError(f'"{run.folder}" holds one checkpoint only, of epoch {first}: an evolution needs at least two')
    evolving = _Evolving(run, layers, source, reporter, units, seed, method, view, threads)
    make(evolving, NoMarks(), reporter)
    works, end = evolving.finished()
    names = source.listing()
    return Evolution(
        network=run.network,
        input_size=(run.input.height, run.input.width),
        epochs=run.epochs,
        layers=tuple(work.result() for work in works),
        images=source.name,
        count=end.count,
        correlated=len(end.maxima[works[0].layer.node]),
        names={image: names[image][0] for work in works for image in work.images()},
        method=method,
        view=view,
        seed=seed,
        checkpoints=tuple(run.sha256(epoch) for epoch in run.epochs),
    )


def _require_two(scan: Scan, source: Source) -> None:
    if scan.count < 2:
        why = f" ({source.skipped[0].skipped})" if source.skipped else ""
        raise ImageError(f"{scan.count} of the images in {source.name} can be used{why}; an evolution needs at least 2")


def _with_living(
    layers: Sequence[LayerRecord], alive: dict[int, Int64[np.ndarray, " n"]], epoch: int, reporter: Progress
) -> list[LayerRecord]:
    """The layers that have something to show at the last checkpoint."""
    for layer in layers:
        if not len(alive[layer.node]):
            reporter.say(f"{layer.name} is left out: none of its units is above zero at epoch {epoch}")
    shown = [layer for layer in layers if len(alive[layer.node])]
    if not shown:
        named = ", ".join(layer.name for layer in layers)
        raise UsageError(f"at epoch {epoch} no unit of {named} is above zero in any of these images")
    return shown


class _Work:
    """One layer on its way through the checkpoints."""

    def __init__(
        self, program: Carrier, layer: LayerRecord, alive: Int64[np.ndarray, " n"], end: Scan, source: Source,
        input: Input, units: int, seed: int, method: str,
    ) -> None:  # fmt: skip
        self.layer, self.alive, self.source, self.input, self.method = layer, alive, source, input, method
        drawn = np.random.default_rng([seed, layer.node]).choice(alive, min(units, len(alive)), replace=False)
        self.sample = np.sort(drawn)
        self.end_image = end.peaks[layer.node].image[alive, 0]
        self.end_maxima = standardised(end.maxima[layer.node][:, alive])
        self.side = layer_side(program, source, input, layer, end.peaks[layer.node], alive, method, seed=seed)
        self.peaks: list[Peaks] = []
        self.tiles: list[StrongestTiles] = []
        self.curves: list[tuple[float, float, float]] = []

    def add(self, program: Carrier, scan: Scan, natural: NaturalView, view: str) -> None:
        """The next checkpoint."""
        peaks = scan.peaks[self.layer.node]
        maxima = standardised(scan.maxima[self.layer.node][:, self.alive])
        same = float((peaks.image[self.alive, 0] == self.end_image).mean())
        self.curves.append((same, *mean_correlations(maxima, self.end_maxima)))
        self.peaks.append(peaks)
        self.tiles.append(
            strongest_tiles(
                program, self.source, self.input, self.layer, peaks, self.sample, self.side, self.method, natural, view
            )
        )

    def images(self) -> set[int]:
        """Every image that is some shown unit's strongest."""
        return {int(image) for peaks in self.peaks for image in peaks.image[self.sample, 0] if image >= 0}

    def result(self) -> LayerEvolution:
        """All checkpoints joined."""
        same, own, others = np.array(self.curves, np.float64).T
        value, image, row, col = (
            np.stack([getattr(peaks, name)[self.sample, 0] for peaks in self.peaks], axis=1)
            for name in ("value", "image", "row", "col")
        )
        return LayerEvolution(
            name=self.layer.name, field=self.layer.field, units=self.layer.units, alive=len(self.alive),
            sample=tuple(self.sample.tolist()), side=self.side, value=value, image=image, row=row, col=col,
            projections=np.stack([tiles.projections for tiles in self.tiles], axis=1),
            patches=np.stack([tiles.patches for tiles in self.tiles], axis=1),
            same_image=same, correlation=own, correlation_of_others=others,
        )  # fmt: skip


@dataclass(frozen=True)
class _Some:
    """Some images at one checkpoint."""

    epoch: int
    ids: range


class _Evolving(Job[_Some, ShardResult]):
    """Every checkpoint over all images, the last one first: what it says decides what is looked at in the others."""

    stage = EVOLVE

    def __init__(
        self, run: KeptRun, layers: Sequence[LayerRecord], source: Source, progress: Progress, units: int, seed: int,
        method: str, view: str, threads: int,
    ) -> None:  # fmt: skip
        self.kept, self.layers, self.source, self.progress, self.threads = run, layers, source, progress, threads
        self.units, self.seed, self.method, self.view = units, seed, method, view
        starts = range(0, len(source), RUN)
        runs = [range(first, min(first + RUN, len(source))) for first in starts]
        *earlier, self.last = run.epochs
        wanted = [_Some(epoch, ids) for epoch in (self.last, *earlier) for ids in runs]
        self.pieces = [Piece(number, len(some.ids), some) for number, some in enumerate(wanted)]
        self.work = self._scan_all
        self.works: list[_Work] = []
        self.end: Scan | None = None
        self._begin(self.last)

    def _begin(self, epoch: int) -> None:
        self.epoch, self.program = epoch, self.kept.program(epoch)
        self.scan = Scan(self.layers, every=-(-len(self.source) // MOST_CORRELATED))

    def _scan_all(self, pieces: Sequence[Piece[_Some]], /) -> Iterator[Made[ShardResult]]:
        runs = [piece.held.ids for piece in pieces]
        with closing(self.source.batches(self.kept.input, runs, threads=self.threads, ahead=2)) as batches:  # type: ignore[type-var]
            yield from in_turn(pieces, lambda piece: self._scanned(piece.held, next(batches)))

    def _scanned(self, some: _Some, batch: Batch) -> Iterator[ShardResult]:
        if some.epoch != self.epoch:
            self._begin(some.epoch)
        yield scan_shard(
            self.program, self.layers, [batch], k=1, batch_size=BATCH, floors=self.scan.floors(),
            with_input_sums=some.ids.start < STATISTICS_IMAGES,
        )  # fmt: skip

    def put(self, piece: Piece[_Some], part: ShardResult) -> int:
        """Some more images of a checkpoint, and behind the last of them what its strongest images show."""
        self.scan.add(part)
        if piece.held.ids.stop == len(self.source):
            if self.end is None:
                self._ended(self.scan)
            else:
                self._looked_at(self.program, self.scan)
        return 0

    def _ended(self, end: Scan) -> None:
        """The last checkpoint says which units are alive, and how large tiles are. Raises ImageError and UsageError."""
        _require_two(end, self.source)
        self.end, self.natural = end, NaturalView(statistics_of(end.input_sums))
        alive = {layer.node: np.flatnonzero(end.peaks[layer.node].image[:, 0] >= 0) for layer in self.layers}
        self.layers = _with_living(self.layers, alive, self.last, self.progress)
        self.works = [
            _Work(
                self.program, layer, alive[layer.node], end, self.source, self.kept.input, self.units, self.seed,
                self.method,
            )
            for layer in self.layers
        ]  # fmt: skip

    def _looked_at(self, program: Carrier, scan: Scan) -> None:
        for work in self.works:
            work.add(program, scan, self.natural, self.view)

    def finished(self) -> "tuple[list[_Work], Scan]":
        """All layers over all checkpoints, and the last one's scan."""
        assert self.end is not None
        self._looked_at(self.kept.program(self.last), self.end)
        return self.works, self.end


def standardised(maxima: Float32[np.ndarray, "images u"]) -> Float64[np.ndarray, "images u"]:
    """Each unit's maxima with mean 0 and length 1 over the images; all 0 for a unit that does not vary."""
    centred = maxima.astype(np.float64) - maxima.mean(axis=0, dtype=np.float64)
    length = np.sqrt(np.square(centred).sum(axis=0))
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)


def mean_correlations(
    now: Float64[np.ndarray, "images u"], end: Float64[np.ndarray, "images u"]
) -> tuple[float, float]:
    """Of standardised maxima: the mean correlation of each unit with itself at the end, and with the others there.

    Over the units that vary at the end; NaN for no unit, and for no two. A unit that does not vary now counts as 0.
    """
    vary = np.square(end).sum(axis=0) > 0
    now, end = now[:, vary], end[:, vary]
    count = int(vary.sum())
    own = float((now * end).sum())
    # The sum over all pairs of units is one product of sums, so no table of pairs is made.
    everyone = float(now.sum(axis=1) @ end.sum(axis=1))
    return own / count if count else np.nan, (everyone - own) / (count * (count - 1)) if count > 1 else np.nan
