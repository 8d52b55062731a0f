"""The work of the third stage: image by image, one forward pass for all peaks in it, their cones back to pixels, their
tiles."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from layerscope.atlas.codecs import encode
from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.errors import ImageError, WrongModel
from layerscope.core.geometry import Box
from layerscope.core.records import Batch, Input
from layerscope.graph import Carrier
from layerscope.pipeline.retention import kept_of_first
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.shown import ShownPeaks
from layerscope.pipeline.work import LayerWork
from layerscope.pipeline.working import ImageWork
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.run import Carried, boxes_of, carried, carried_cropped
from layerscope.project.tiling import boxes_for, patch_tile, view_tiles
from layerscope.project.views import NaturalView
from layerscope.sources import Source, show

# A recomputed activation may differ from the scanned one by this much of the layer's largest: by what comes of another
# order of summing up, in 16-bit networks by a few steps of their numbers.
TOLERANCE = 1e-4
_STEPS = 8
# Patches of so many peaks are cut at once where there is nothing to carry back.
_PATCHES = 64

EncodedBytes = tuple[bytes, int, int]


@dataclass(frozen=True, eq=False)
class ImageGroup:
    """Images whose peaks are projected together. hashes: of the images, as they were scanned, by id."""

    images: tuple[int, ...]
    peaks: ShownPeaks
    hashes: Mapping[int, str | None]


@dataclass(frozen=True, eq=False)
class PeakTiles:
    """Some peaks of one layer, ready to be kept.

    tiles, scales: of each peak its patch, then every method's views. boxes: what the tiles show, in input px; sources:
    the same in px of the source picture. signals: by method, empty unless they are kept; extents: where each lies.
    shares: what each peak is made of, as bytes. kept: of units' first peaks the share that the px keep which a method
    marks, by method, and by "" that random ones keep; NaN of other peaks.
    """

    node: int
    unit: Int64[np.ndarray, " n"]
    rank: Int64[np.ndarray, " n"]
    tiles: UInt8[np.ndarray, "n t h w 3"]
    scales: Float32[np.ndarray, "n t"]
    boxes: tuple[Box, ...]
    sources: tuple[Box, ...]
    signals: Mapping[str, np.ndarray]
    extents: tuple[Box, ...] = ()
    shares: UInt8[np.ndarray, "n s"] | None = None
    kept: Mapping[str, Float64[np.ndarray, " n"]] = field(default_factory=dict[str, Float64[np.ndarray, " n"]])


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """The small whole pictures of a group's images, encoded, with height and width, by image."""

    found: Mapping[int, EncodedBytes]


ProjectPart = PeakTiles | Thumbnails


class ProjectWork(ImageWork):
    """Project groups of images. works: by node. alone: the layers of which only the peaks' cones are forwarded. known:
    by node, the boxes of peaks whose patches are cut already. needed: images that later stages read again."""

    def __init__(
        self, program: Carrier, source: Source, input: Input, settings: Settings, *, works: Mapping[int, LayerWork],
        alone: Collection[int], natural: NaturalView, known: Mapping[int, Mapping[tuple[int, int], Box]],
        needed: Collection[int], **how: Any,
    ) -> None:  # fmt: skip
        super().__init__(program, source, input, **how)
        self.settings, self.works, self.alone, self.natural = settings, works, alone, natural
        self.known, self.needed = known, needed

    def images_of(self, piece: Piece[ImageGroup]) -> Sequence[int]:
        return piece.held.images

    def __call__(self, pieces: Sequence[Piece[ImageGroup]], /) -> Iterator[Made[ProjectPart]]:
        self.settle()
        pictured = range(len(self.source)) if self.settings.pictures else ()
        runs = [piece.held.images for piece in pieces]
        batches = self.source.picturing(pictured).batches(self.input, runs, threads=self.threads, ahead=1)
        with closing(batches), ThreadPoolExecutor(self.threads) as pool:  # type: ignore[type-var]
            coming = self.clock.each("wait for images", batches)
            yield from in_turn(pieces, lambda piece: self._parts(piece.held, coming, pool))

    def _parts(self, group: ImageGroup, batches: Iterator[Batch], pool: ThreadPoolExecutor) -> Iterator[ProjectPart]:
        batch = as_scanned(next(batches), group.hashes)
        pictures = pool.map(partial(encoded_picture, codec=self.settings.codec), batch.pictures)
        x = torch.from_numpy(batch.pixels)
        with self.clock.time("forward"):
            present = [self.works[node] for node in np.unique(group.peaks.node).tolist()]
            shared = [work for work in present if work.carried and work.node not in self.alone]
            wanted = set().union(*(wanted_maps(self.program, work) for work in shared))
            maps = self.runner.run(x, wanted) if shared else {}
        shown = show(batch.pixels, self.input)
        for work in present:
            yield from self._layer(work, group.peaks.of_layer(work.node), batch, x, maps, shown)
        with self.clock.time("encode"):
            found = {int(id): picture for id, picture in zip(batch.ids, pictures, strict=False) if picture}
        yield Thumbnails(found)
        self.source.release(id for id in batch.ids.tolist() if id not in self.needed)

    def _layer(
        self, work: LayerWork, peaks: ShownPeaks, batch: Batch, x: Tensor, maps: dict[int, Tensor], shown: np.ndarray
    ) -> Iterator[PeakTiles]:
        """All peaks of one layer in this group."""
        places = np.searchsorted(batch.ids, peaks.image)
        if not work.carried:
            whole = Box(top=0, left=0, bottom=self.input.height, right=self.input.width)
            for first in range(0, len(peaks), _PATCHES):
                mine = peaks[first : first + _PATCHES]
                none = np.zeros((len(mine), 0, *work.size, 3), np.uint8), np.zeros((len(mine), 0), np.float32)
                yield self._kept(work, mine, batch, shown, places[first : first + _PATCHES], [whole] * len(mine), *none)
            return
        entries = Entries(work.node, places, peaks.unit, peaks.row, peaks.col)
        sharing = work.shared.sharing if work.shared else None
        how: Any = {"sharing": sharing, "placed": peaks.rank == 0}
        parts = (
            carried_cropped(self.program, entries, work.methods, x, **how)
            if work.node in self.alone
            else carried(self.program, entries, work.methods, maps, **how)
        )
        for part in self.clock.each("cones", parts):
            mine = peaks[part.part]
            self._compare(work, mine, part)
            with self.clock.time("views"):
                boxes, tiles, scales = self._views(work, mine, part)
            signals, extents = _kept_signals(part) if self.settings.keep_signal else ({}, ())
            kept = self._kept(work, mine, batch, shown, places[part.part], boxes, tiles, scales, signals, extents)
            with self.clock.time("keep"):
                retained = kept_of_first(
                    self.program, work.layer, batch.pixels, entries.part(part.part), part, mine.rank == 0,
                    seed=self.settings.seed,
                ) if work.methods else {}  # fmt: skip
            yield replace(kept, shares=_packed(work, part), kept=retained)

    def _compare(self, work: LayerWork, peaks: ShownPeaks, part: Carried) -> None:
        """An activation that does not come back means other weights, another image or other preprocessing."""
        largest = np.abs(work.peaks.value[np.isfinite(work.peaks.value)]).max(initial=1e-30)
        error = np.abs(part.values.float().cpu().numpy() - peaks.value) / largest
        if (error > tolerance(self.program)).any() or np.isnan(error).any():
            worst = int(np.argmax(error))
            raise WrongModel(
                f"a peak does not come back: unit {peaks.unit[worst]} of {work.layer.name} in image "
                f"{peaks.image[worst]} differs by {error.max():.1e} of the layer's largest; weights, images or "
                "preprocessing have changed"
            )

    def _views(self, work: LayerWork, peaks: ShownPeaks, part: Carried) -> tuple[list[Box], np.ndarray, np.ndarray]:
        known = self.known.get(work.node)
        if known is None:
            boxes = boxes_for(part.signals[work.methods[0]], part.extents[work.methods[0]], work.side)
        else:
            boxes = [known[unit, rank] for _, unit, rank in peaks.identities()]
        views, shown = self.settings.views, self.input.shown
        made = [
            view_tiles(part.signals[method], part.extents[method], boxes, work.size, self.natural, views, shown)
            for method in work.methods
        ]
        none = np.zeros((len(peaks), 0, *work.size, 3), np.uint8), np.zeros((len(peaks), 0), np.float32)
        tiles, scales = (np.concatenate(parts, 1) for parts in zip(none, *made, strict=True))
        return boxes, tiles, scales

    def _kept(
        self, work: LayerWork, peaks: ShownPeaks, batch: Batch, shown: np.ndarray, places: np.ndarray,
        boxes: Sequence[Box], tiles: np.ndarray, scales: np.ndarray, signals: Mapping[str, np.ndarray] | None = None,
        extents: tuple[Box, ...] = (),
    ) -> PeakTiles:  # fmt: skip
        """These peaks with their patches."""
        with self.clock.time("write"):
            patches = [patch_tile(shown[place], box, work.size) for place, box in zip(places, boxes, strict=True)]
            ones = np.ones((len(peaks), 1), np.float32)
            sources = [batch.placements[place].source_box(box) for place, box in zip(places, boxes, strict=True)]
            return PeakTiles(
                work.node, peaks.unit, peaks.rank, np.concatenate([np.stack(patches)[:, None], tiles], 1),
                np.concatenate([ones, scales], 1), tuple(boxes), tuple(sources if work.patches else ()), signals or {},
                extents,
            )  # fmt: skip


def _kept_signals(part: Carried) -> tuple[dict[str, np.ndarray], tuple[Box, ...]]:
    """The signals themselves, float32, all methods' on the same windows, and these."""
    signals, extent = part.joined()
    return {name: signal.float().cpu().numpy() for name, signal in signals.items()}, tuple(boxes_of(extent))


def _packed(work: LayerWork, part: Carried) -> UInt8[np.ndarray, "n s"] | None:
    if work.shared is None:
        return None
    return work.shared.packed(part.values.double().cpu().numpy(), part.shares)


def wanted_maps(program: Carrier, work: LayerWork) -> set[int]:
    """The nodes whose maps a layer's projections read, and what shares its peaks out."""
    shared = work.shared.sharing.needed if work.shared else ()
    return {work.node}.union(shared, *(needed_maps(program, work.node, method) for method in work.methods))


def tolerance(program: Carrier) -> float:
    """How far an activation of this network may differ from the scanned one, over the layer's largest."""
    return max(TOLERANCE, _STEPS * torch.finfo(program.dtype).eps)


def encoded_picture(picture: UInt8[np.ndarray, "h w 3"] | None, codec: str) -> EncodedBytes | None:
    """A small whole picture, encoded, and its height and width; None where there is none."""
    return None if picture is None else (encode(picture, codec), *picture.shape[:2])


def as_scanned(batch: Batch, hashes: Mapping[int, str | None]) -> Batch:
    """The batch, known to hold the images that were scanned. Raises ImageError for one that has changed since."""
    for record in batch.records:
        if record.skipped is not None or record.sha256 != hashes[record.id]:
            why = record.skipped or "its content is not the same"
            raise ImageError(
                f"{record.source} has changed since it was scanned ({why}); start anew with --overwrite, and where the "
                "images are a Dataset, with items that are the same at each reading"
            )
    return batch
