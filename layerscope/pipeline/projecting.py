"""The third stage: image by image, one forward pass for all peaks in it, their cones back to pixels, their tiles.

Images come in fixed groups; a group is one transaction. What it made lies in the scratch file under a checksum.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from layerscope.atlas.codecs import encode
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import ImageError, WrongModel
from layerscope.core.geometry import Box
from layerscope.core.records import Batch, Input
from layerscope.graph import Carrier
from layerscope.pipeline.progress import Clock, Progress
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import LayerWork
from layerscope.project.cone import Entries, needed_maps
from layerscope.project.plan import forwarded_alone
from layerscope.project.run import Carried, boxes_of, carried, carried_alone
from layerscope.project.tiling import boxes_for, patch_tile, view_tiles
from layerscope.project.views import NaturalView
from layerscope.sources import Source, show

# The maps of one group's images are kept at the same time.
GROUP_BYTES = 512 * 2**20
MOST_IMAGES = 32
# A recomputed activation may differ from the scanned one by this much of the layer's largest: by what comes of another
# order of summing up, in 16-bit networks by a few steps of their numbers.
TOLERANCE = 1e-4
_STEPS = 8


class Projecting:
    """The projections of some layers' peaks by some methods, resumable."""

    def __init__(
        self,
        writer: AtlasWriter,
        program: Carrier,
        source: Source,
        input: Input,
        settings: Settings,
        works: Sequence[LayerWork],
        natural: NaturalView,
        scratch: Scratch,
    ) -> None:
        self.writer, self.program, self.source, self.input = writer, program, source, input
        self.settings, self.natural, self.scratch = settings, natural, scratch
        self.works = {work.node: work for work in works}
        self.stage = "project " + ";".join(f"{w.node}:{','.join(w.methods)}" for w in works)
        self.known = {work.node: writer.boxes(work.node) for work in works if not work.patches}
        self.hashes = {record.id: record.sha256 for record in writer.images()}
        self.later = frozenset(writer.images_to_place())
        self.peaks = _all_peaks(works)
        projected = {work.node: self.peaks[self.peaks["node"] == work.node]["image"] for work in works if work.methods}
        self.alone = forwarded_alone(program, projected, {w.node: w.methods for w in works})
        self.groups = self._groups()

    def run(self, progress: Progress, clock: Clock, *, workers: int) -> None:
        """Make what is not made yet. Raises WrongModel for a peak that does not come back."""
        todo = [number for number in range(len(self.groups)) if not self._is_done(number)]
        progress.start("project", len(self.peaks), len(self.peaks) - sum(len(self._of(n)) for n in todo))
        runs = [self.groups[number].tolist() for number in todo]
        source = self.source.picturing(range(len(self.source)) if self.settings.pictures else ())
        batches = source.batches(self.input, runs, threads=workers, ahead=1)
        try:
            with ThreadPoolExecutor(workers) as pool:
                for number in todo:
                    with clock.time("wait for images"):
                        batch = next(batches)
                    self._group(number, as_scanned(batch, self.hashes), clock, pool)
                    self.source.release(id for id in batch.ids.tolist() if id not in self.later)
                    progress.step(len(self._of(number)))
        finally:
            batches.close()  # type: ignore[attr-defined]

    def _groups(self) -> list[np.ndarray]:
        """Runs of images with peaks, in order, as many as can keep their maps at the same time."""
        images = np.unique(self.peaks["image"])
        graph = self.program.graph
        kept = {0}.union(*(self._wanted(w) for w in self.works.values() if w.methods and w.node not in self.alone))
        bytes_each = sum(int(np.prod(graph.nodes[node].shape)) for node in kept) * self.program.dtype.itemsize
        count = int(np.clip(GROUP_BYTES // bytes_each, 1, MOST_IMAGES))
        return [images[first : first + count] for first in range(0, len(images), count)]

    def _wanted(self, work: LayerWork) -> set[int]:
        return {work.node}.union(*(needed_maps(self.program, work.node, method) for method in work.methods))

    def _of(self, number: int) -> np.ndarray:
        """The peaks of a group."""
        group = self.groups[number]
        low, high = np.searchsorted(self.peaks["image"], (group[0], group[-1] + 1))
        return self.peaks[low:high]

    def _is_done(self, number: int) -> bool:
        if number not in self.writer.done(self.stage):
            return False
        stored = int(self.writer.payload(self.stage, number))
        return stored == self.scratch.checksum(self._of(number)[["node", "unit", "rank"]].tolist())

    def _group(self, number: int, batch: Batch, clock: Clock, pool: ThreadPoolExecutor) -> None:
        peaks = self._of(number)
        x = torch.from_numpy(batch.pixels)
        pictures = pool.map(partial(encoded_picture, codec=self.settings.codec), batch.pictures)
        with clock.time("forward"):
            present = [self.works[node] for node in np.unique(peaks["node"]).tolist()]
            shared = [w for w in present if w.methods and w.node not in self.alone]
            maps = self.program.run(x, set().union(*(self._wanted(w) for w in shared))) if shared else {}
        shown = show(batch.pixels, self.input)
        checksum = 0
        with self.writer.transaction():
            for work in present:
                mine = peaks[peaks["node"] == work.node]
                checksum += self._layer(work, mine, batch, x, maps, shown, clock)
            with clock.time("encode"):
                found = [(int(id), picture) for id, picture in zip(batch.ids, pictures, strict=False) if picture]
            with clock.time("write"):
                for image, (data, height, width) in found:
                    self.writer.put_picture(image, self.settings.codec, data, height, width)
                self.writer.mark(self.stage, number, str(checksum).encode())

    def _layer(
        self,
        work: LayerWork,
        peaks: np.ndarray,
        batch: Batch,
        x: Tensor,
        maps: dict[int, Tensor],
        shown: np.ndarray,
        clock: Clock,
    ) -> int:
        """All peaks of one layer in this group; the sum of their checksums."""
        places = np.searchsorted(batch.ids, peaks["image"])
        entries = Entries(work.node, places, *(peaks[name].astype(np.int64) for name in ("unit", "row", "col")))
        if not work.methods:
            whole = Box(top=0, left=0, bottom=self.input.height, right=self.input.width)
            none = np.zeros((len(peaks), 0, *work.size, 3), np.uint8), np.zeros((len(peaks), 0), np.float32)
            return self._keep(work, peaks, batch, shown, places, [whole] * len(peaks), *none, clock)
        parts = (
            carried_alone(self.program, entries, work.methods, x)
            if work.node in self.alone
            else carried(self.program, entries, work.methods, maps)
        )
        checksum = 0
        while True:
            with clock.time("cones"):
                part = next(parts, None)
            if part is None:
                return checksum
            mine = peaks[part.part]
            self._compare(work, mine, part)
            with clock.time("views"):
                boxes, tiles, scales = self._tiles(work, mine, part)
            checksum += self._keep(work, mine, batch, shown, places[part.part], boxes, tiles, scales, clock)
            if self.settings.keep_signal:
                self._keep_signals(work, mine, part)

    def _compare(self, work: LayerWork, peaks: np.ndarray, part: Carried) -> None:
        """An activation that does not come back means other weights, another image or other preprocessing."""
        largest = np.abs(work.peaks.value[np.isfinite(work.peaks.value)]).max(initial=1e-30)
        error = np.abs(part.values.float().cpu().numpy() - peaks["value"]) / largest
        if (error > tolerance(self.program)).any() or np.isnan(error).any():
            worst = peaks[np.argmax(error)]
            raise WrongModel(
                f"a peak does not come back: unit {worst['unit']} of {work.layer.name} in image {worst['image']} "
                f"differs by {error.max():.1e} of the layer's largest; weights, images or preprocessing have changed"
            )

    def _tiles(self, work: LayerWork, peaks: np.ndarray, part: Carried) -> tuple[list[Box], np.ndarray, np.ndarray]:
        known = self.known.get(work.node)
        if known is None:
            boxes = boxes_for(part.signals[work.methods[0]], part.extent, work.side)
        else:
            boxes = [known[int(p["unit"]), int(p["rank"])] for p in peaks]
        views, shown = self.settings.views, self.input.shown
        made = [
            view_tiles(part.signals[method], part.extent, boxes, work.size, self.natural, views, shown)
            for method in work.methods
        ]
        return boxes, np.concatenate([t for t, _ in made], 1), np.concatenate([s for _, s in made], 1)

    def _keep(
        self, work: LayerWork, peaks: np.ndarray, batch: Batch, shown: np.ndarray, places: np.ndarray,
        boxes: Sequence[Box], tiles: np.ndarray, scales: np.ndarray, clock: Clock,
    ) -> int:  # fmt: skip
        checksum = 0
        with clock.time("write"):
            for peak, place, box, tile, scale in zip(peaks, places, boxes, tiles, scales, strict=True):
                patch = patch_tile(shown[place], box, work.size)
                slot = np.concatenate([patch[None], tile]), np.concatenate([np.ones(1, np.float32), scale])
                checksum += self.scratch.put(work.node, int(peak["unit"]), int(peak["rank"]), *slot)
            if work.patches:
                rows = zip(peaks["unit"].tolist(), peaks["rank"].tolist(), boxes, places.tolist(), strict=True)
                self.writer.set_boxes(
                    work.node, [(u, r, box, batch.placements[place].source_box(box)) for u, r, box, place in rows]
                )
        return checksum

    def _keep_signals(self, work: LayerWork, peaks: np.ndarray, part: Carried) -> None:
        boxes = boxes_of(part.extent)
        for method, signals in part.signals.items():
            for peak, signal, box in zip(peaks, signals.float().cpu().numpy(), boxes, strict=True):
                self.writer.put_signal(work.node, int(peak["unit"]), int(peak["rank"]), method, signal, box)


def tolerance(program: Carrier) -> float:
    """How far an activation of this network may differ from the scanned one, over the layer's largest."""
    return max(TOLERANCE, _STEPS * torch.finfo(program.dtype).eps)


def encoded_picture(picture: UInt8[np.ndarray, "h w 3"] | None, codec: str) -> tuple[bytes, int, int] | None:
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


def _all_peaks(works: Sequence[LayerWork]) -> np.ndarray:
    """Every peak to be shown, in the order image, layer, unit, rank."""
    kind = [
        ("image", "i8"),
        ("node", "i8"),
        ("unit", "i8"),
        ("rank", "i8"),
        ("row", "i8"),
        ("col", "i8"),
        ("value", "f4"),
    ]
    parts = []
    for work in works:
        units = np.array(work.units, np.int64)
        which, rank = np.nonzero(work.peaks.image[units] >= 0)
        part = np.empty(len(which), kind)
        part["node"], part["unit"], part["rank"] = work.node, units[which], rank
        for name in ("image", "row", "col", "value"):
            part[name] = getattr(work.peaks, name)[units[which], rank]
        parts.append(part)
    peaks = np.concatenate(parts) if parts else np.empty(0, kind)
    return np.sort(peaks, order=["image", "node", "unit", "rank"])
