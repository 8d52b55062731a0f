"""Between scan and projections: on a seeded sample of each layer's units, how large its tiles must be, and how much
of a projection is its unit's own.

The specificity of a method: at the place of a unit's first peak, take another unit that is above zero there, project
both, and compare. 1 minus the median cosine says how far two units' pictures differ at one and the same place; near 0,
a projection shows the image whatever the unit (Nie 2018; Sixt 2020). What the pixels that the two mark keep of the
unit's activation is the other half of it: `pipeline/retention.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.pieces import Job
from layerscope.core.records import Batch, Input, LayerRecord, Peaks
from layerscope.core.stages import SAMPLE as STAGE
from layerscope.facts.layer import live_units
from layerscope.graph import Carrier
from layerscope.pipeline.project_work import as_scanned
from layerscope.pipeline.retention import KeptParts, Retaining, summed_up
from layerscope.pipeline.working import ImageWork
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import carried
from layerscope.project.tiles import cosines, energy_profiles, extents_of_energy, tile_side
from layerscope.sources import Source

SAMPLE = 64
_CHUNK = 8

# Of each method median and quartiles of its specificity, and of how many units.
SpecificityQuartiles = dict[str, dict[str, float | int]]


@dataclass(frozen=True, eq=False)
class SampledLayer:
    """A layer that is measured. methods: the plate's own first; none where nothing is carried back. hashes: of the
    images of its first peaks, as they were scanned, by id."""

    layer: LayerRecord
    peaks: Peaks
    methods: tuple[str, ...]
    hashes: Mapping[int, str | None]


@dataclass(frozen=True)
class LayerSample:
    """side: of the layer's tiles, input px. retention: by method, as it is stored."""

    side: int
    specificity: SpecificityQuartiles
    retention: dict[str, dict[str, Any]]


class SampleWork(ImageWork):
    """Measure layers."""

    seed = 0

    def images_of(self, piece: Piece[SampledLayer]) -> Iterable[int]:
        return np.unique(piece.held.peaks.image[live_units(piece.held.peaks), 0]).tolist()

    def __call__(self, pieces: Sequence[Piece[SampledLayer]], /) -> Iterator[Made[LayerSample | None]]:
        self.settle()
        return in_turn(pieces, lambda piece: self.clock.each("sample", self._measured(piece.held)))

    def _measured(self, one: SampledLayer) -> Iterator[LayerSample | None]:
        if not one.methods:
            yield None
            return
        yield sample_layer(
            self.program, self.source, self.input, one.layer, one.peaks, one.methods, hashes=one.hashes,
            seed=self.seed, workers=self.threads,
        )  # fmt: skip


class Sampling(Job[SampledLayer, LayerSample | None]):
    """What is measured before anything is projected. store: keeps what was found of a layer."""

    stage = STAGE

    def __init__(
        self, layers: Sequence[SampledLayer], work: SampleWork, store: Callable[[LayerRecord, LayerSample | None], None]
    ) -> None:
        self.label = "sample " + ";".join(f"{one.layer.node}:{','.join(one.methods)}" for one in layers)
        self.pieces = [Piece(number, 1, one) for number, one in enumerate(layers)]
        self.work, self._store = work, store

    def put(self, piece: Piece[SampledLayer], part: LayerSample | None) -> int:
        self._store(piece.held.layer, part)
        return 0


def sample_layer(
    program: Carrier,
    source: Source,
    input: Input,
    layer: LayerRecord,
    peaks: Peaks,
    methods: Sequence[str],
    *,
    hashes: Mapping[int, str | None],
    seed: int,
    workers: int = 1,
) -> LayerSample:
    """The side of a layer's tiles, by the first method; and per method specificity and retention.

    64 units with their first peak are drawn; fewer where fewer have one. hashes: the scanned images', by id.
    Raises ImageError for an image that has changed since it was scanned.
    """
    rng = np.random.default_rng([seed, layer.node, 1])
    live = live_units(peaks)
    units = np.sort(rng.choice(live, min(SAMPLE, len(live)), replace=False))
    units = units[np.argsort(peaks.image[units, 0], kind="stable")]
    sides: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {method: [] for method in methods}
    kept: dict[str, list[KeptParts]] = {method: [] for method in methods}
    chunks = [units[first : first + _CHUNK] for first in range(0, len(units), _CHUNK)]
    runs = [np.unique(peaks.image[chunk, 0]).tolist() for chunk in chunks]
    for chunk, read in zip(chunks, source.batches(input, runs, threads=workers, ahead=2), strict=True):
        batch = as_scanned(read, hashes)
        measured = _chunk(program, batch, layer, peaks, chunk, methods, rng, seed)
        for method, (side, similar, shares) in measured.items():
            found[method].append(similar)
            kept[method].append(shares)
            if method == methods[0]:
                sides.append(side)
    every = np.concatenate(sides) if sides else np.empty(0, np.int64)
    return LayerSample(
        tile_side(every, (input.height, input.width)),
        {method: _summary(parts) for method, parts in found.items()},
        {method: summed_up(parts, layer, seed=seed) for method, parts in kept.items()},
    )


def _chunk(
    program: Carrier,
    batch: Batch,
    layer: LayerRecord,
    peaks: Peaks,
    units: np.ndarray,
    methods: Sequence[str],
    rng: np.random.Generator,
    seed: int,
) -> dict[str, tuple[np.ndarray, np.ndarray, KeptParts]]:
    places = np.searchsorted(batch.ids, peaks.image[units, 0])
    wanted = {layer.node}.union(*(needed_maps(program, layer.node, method) for method in methods))
    maps = program.run(torch.from_numpy(batch.pixels), wanted)
    rows, cols = (getattr(peaks, name)[units, 0].astype(np.int64) for name in ("row", "col"))
    at_place = maps[layer.node][places, :, rows, cols] if layer.map else maps[layer.node][places]
    activations = at_place.float().cpu().numpy()
    partners, has = _partners(activations, units, rng)
    own = Entries(layer.node, places, units, rows, cols)
    other = Entries(layer.node, places[has], partners[has], rows[has], cols[has])
    results = {}
    mine, theirs = ([*carried(program, e, methods, maps)] for e in (own, other))
    values = at_place.double().cpu().numpy()[np.arange(len(units)), units]
    retaining = Retaining(program, layer, batch.pixels, own, values, seed=seed)
    kept = retaining.measured(methods, mine, theirs, has)
    for method in methods:
        signals, pairs = (
            torch.cat([c.signals[method].contiguous() for c in parts]).float().cpu().numpy() if parts else None
            for parts in (mine, theirs)
        )
        assert signals is not None
        sides = np.maximum(*(extents_of_energy(profile) for profile in energy_profiles(signals)))
        similar = cosines(signals[has], pairs) if pairs is not None else np.empty(0)
        results[method] = sides, similar, kept[method]
    return results


def _partners(activations: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """For each unit another one above zero at its place, and which units have one."""
    partners = np.zeros(len(units), np.int64)
    has = np.zeros(len(units), bool)
    for index, unit in enumerate(units):
        others = np.flatnonzero(activations[index] > 0)
        others = others[others != unit]
        if len(others):
            partners[index], has[index] = rng.choice(others), True
    return partners, has


def _summary(parts: list[np.ndarray]) -> dict[str, float | int]:
    """Median and quartiles of 1 - cosine; nothing but n = 0 where no pair could be had."""
    values = np.concatenate(parts) if parts else np.empty(0)
    values = 1 - values[np.isfinite(values)]
    if not len(values):
        return {"n": 0}
    q25, median, q75 = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    return {"median": median, "q25": q25, "q75": q75, "n": len(values)}
