"""What a build will take, before it starts: each stage's time measured on a small piece of it, and the atlas's size."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from layerscope.core.codecs import CODECS
from layerscope.core.records import Input, LayerRecord
from layerscope.core.uses import MOST_IMAGES
from layerscope.graph import Carrier
from layerscope.graph.classifier import computed_scores_of
from layerscope.pipeline.forecast_kept import AT_PEAK, AT_SAMPLE, KeepingCost, keeping_cost
from layerscope.pipeline.kept_totals import bytes_kept
from layerscope.pipeline.sampling import SAMPLE
from layerscope.pipeline.settings import BATCH, SHARD, Settings
from layerscope.pipeline.work import sampled_units, tile_size
from layerscope.project.cone import CachedMaps, Entries, needed_maps
from layerscope.project.run import carried
from layerscope.project.shares import Sharing
from layerscope.project.tiling import boxes_for, view_tiles
from layerscope.project.views import NaturalView
from layerscope.scan import most_sampled, require_finite
from layerscope.sources import Source
from layerscope.sources.prepare import PICTURE_SIDE

# What a sheet takes besides its px: a JPEG's head, and its share of the file's pages that stays empty.
BYTES_PER_SHEET = 1800
# A thumbnail of a picture whose sides are as 4 to 3.
PX_PER_PICTURE = PICTURE_SIDE * PICTURE_SIDE * 3 // 4
# A unit's rows: statistics and peaks take 600, strata and neighbours 900.
BYTES_PER_UNIT = 1500
# One peak's share of encoding and storing one tile, seconds: it hardly depends on the machine's state.
ENCODE_SECONDS = 1.5e-4
# A small picture's share of that: it has this many times the px of a tile.
_PICTURE = 4
_ENTRIES = 4
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a build is expected to take. seconds: by stage. bytes: of the finished atlas. All are estimates."""

    images: int
    layers: int
    units: int
    peaks: int
    seconds: dict[str, float]
    bytes: int

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return sum(self.seconds.values())


def forecast_build(
    program: Carrier,
    input: Input,
    layers: tuple[LayerRecord, ...],
    source: Source,
    settings: Settings,
    *,
    workers: int,
    kept: int = 0,
) -> Forecast:
    """Measure a batch of the scan and a few projections of every layer, and count up.

    kept: images that the scan leaves prepared, so that no later stage decodes them again.
    Raises TraceError for weights and activations that a build would refuse.
    """
    program.check()
    count = len(source)
    first = list(range(min(BATCH, count)))
    decode, batch = _timed(lambda: source.load(first, input))
    x = torch.from_numpy(batch.pixels)
    nodes = {layer.node for layer in layers}
    seconds_forward, values = _timed(lambda: program.run(x, nodes))
    for layer in layers:
        require_finite(layer, batch.ids, values[layer.node])
    forward = seconds_forward / max(len(x), 1)
    projected = [layer for layer in layers if (layer.map or settings.dense) and not layer.scan_only]
    k, methods, views = min(settings.k, count), len(settings.methods), len(settings.views)
    shown = {layer.node: len(sampled_units(layer, settings)) for layer in layers}
    peaks = {node: units * k for node, units in shown.items()}
    automatic = [layer.node for layer in layers if layer.auto]
    measured = {
        layer.node: _projection(
            program, x, input, layer, settings, Sharing(program, layer.node, [n for n in automatic if n < layer.node])
        )
        for layer in projected
    }
    decode_each = decode / max(len(first), 1) / min(workers, 2)
    images = min(count, sum(peaks.values()))
    padded = -(-count // SHARD) * SHARD if count < SHARD else count
    # What a later stage decodes again, of each image that it reads.
    again = decode_each * max(0.0, 1 - kept / count)
    costs = {node: cost for node, (cost, _) in measured.items()}
    keeping = {node: cost for node, (_, cost) in measured.items()}
    sample = sum(SAMPLE * 2 * costs[layer.node] + SAMPLE * forward for layer in projected)
    sample += sum(min(SAMPLE, layer.units) * keeping[layer.node].retention(methods, AT_SAMPLE) for layer in projected)
    sample += min(count, SAMPLE * len(projected)) * again
    sheets = {layer.node: 1 + (methods * views if layer in projected else 0) for layer in layers}
    seconds = {
        "scan": count * decode_each + padded * forward,
        "sample": sample,
        "project": images * (forward + again)
        + sum(peaks[n] * (cost + keeping[n].signal) for n, cost in costs.items())
        + sum(shown[n] * one.retention(methods, AT_PEAK) for n, one in keeping.items()),
        "sheets": sum(peaks[n] * sheets[n] for n in peaks) * ENCODE_SECONDS,
    }
    seconds["use"] = min(count, MOST_IMAGES) * (again + _use_seconds(program, x[:1], layers)) if len(x) else 0.0
    sampled = min(count, most_sampled(layers))
    seconds["strata"] = sampled * again + (sampled * ENCODE_SECONDS * _PICTURE if settings.pictures else 0.0)
    size = sum(
        len(sampled_units(layer, settings)) * _unit_bytes(layer, input, k, settings, layer in projected)
        for layer in layers
    )
    size += sum(peaks[n] * one.signal_bytes for n, one in keeping.items())
    if settings.mergeable:
        size += bytes_kept(layers, k=settings.k, classes=len(source.label_names), images=count)
    units = sum(layer.units for layer in layers)
    return Forecast(
        images=count, layers=len(layers), units=units, peaks=sum(peaks.values()), seconds=seconds,
        bytes=int(
            size + min(count, images + sampled) * _picture_bytes(settings) + units * BYTES_PER_UNIT
        ),
    )  # fmt: skip


def _unit_bytes(layer: LayerRecord, input: Input, k: int, settings: Settings, projected: bool) -> float:
    """The bytes of all sheets of one unit: its patches, and each view of each method."""
    shown = ["patches", *(settings.views * len(settings.methods) if projected else ())]
    px = k * int(np.prod(tile_size(_side(layer, input), input, settings.tile)))
    return sum(BYTES_PER_SHEET + px * CODECS.known(settings.codec).bytes_for(what) for what in shown)


def _picture_bytes(settings: Settings) -> float:
    """The bytes of one thumbnail."""
    return PX_PER_PICTURE * CODECS.known(settings.codec).bytes_for("picture") if settings.pictures else 0.0


def _side(layer: LayerRecord, input: Input) -> int:
    """A guess at the side of a layer's tiles: energy fills about half of a large field."""
    if layer.map is None:
        return 0
    return int(min(max(8, float(max(layer.field.rows.size, layer.field.cols.size)) * 0.6), input.height, input.width))


def _use_seconds(program: Carrier, x: torch.Tensor, layers: Sequence[LayerRecord]) -> float:
    """One image forward, and one score of a class shared out; nothing without a class output."""
    node = computed_scores_of(program.graph)
    if node is None:
        return 0.0
    sharing, zero = Sharing(program, node, [layer.node for layer in layers]), np.zeros(1, np.int64)
    entries = Entries(node, zero, zero, zero, zero)

    def once() -> None:
        maps = program.run(x, sharing.needed | {node})
        sharing(entries, CachedMaps(maps, entries), np.zeros(1, bool))

    once()
    return _timed(once)[0]


def _projection(
    program: Carrier, x: torch.Tensor, input: Input, layer: LayerRecord, settings: Settings, sharing: Sharing
) -> tuple[float, KeepingCost]:
    """Seconds for one peak of a layer by all methods, with its views, and shared out among earlier layers; and what is
    kept of it."""
    rng = np.random.default_rng(layer.node)
    rows, cols = (rng.integers(0, size, _ENTRIES) for size in (layer.map or (1, 1)))
    image = np.sort(rng.integers(0, len(x), _ENTRIES))
    entries = Entries(layer.node, image, rng.integers(0, layer.units, _ENTRIES), rows, cols)
    wanted = {layer.node}.union(sharing.needed, *(needed_maps(program, layer.node, m) for m in settings.methods))
    maps = program.run(x, wanted)
    side = _side(layer, input)
    natural = NaturalView.plain(input.channels)

    def once() -> None:
        for part in carried(program, entries, settings.methods, maps, sharing=sharing):
            first = settings.methods[0]
            boxes = boxes_for(part.signals[first], part.extents[first], side)
            size = tile_size(side, input, settings.tile)
            for method, signal in part.signals.items():
                view_tiles(signal, part.extents[method], boxes, size, natural, settings.views, input.shown)

    once()
    seconds = _timed(once)[0] / _ENTRIES
    parts = [*carried(program, entries, settings.methods, maps)]
    return seconds, keeping_cost(program, layer, x.cpu().numpy(), entries, parts, signals=settings.keep_signal)


def _timed(action: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result
