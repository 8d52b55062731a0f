"""The third stage: every peak carried back to pixels. Images come in fixed groups; a group is one transaction.

What a group made lies in the scratch file, under a checksum that is kept beside its mark.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import DEFAULT_ENGINE, Piece
from layerscope.core.pieces import Job
from layerscope.core.progress import Clock
from layerscope.core.records import Input
from layerscope.core.stages import PROJECT
from layerscope.graph import Carrier
from layerscope.pipeline.project_work import ImageGroup, ProjectPart, ProjectWork, Thumbnails, wanted_maps
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.shown import ShownPeaks
from layerscope.pipeline.work import LayerWork
from layerscope.pipeline.working import images_at_once
from layerscope.project.plan import forwarded_cropped
from layerscope.project.views import NaturalView
from layerscope.sources import Source

MOST_IMAGES = 32


class Projecting(Job[ImageGroup, ProjectPart]):
    """The projections of some layers' peaks by some methods, resumable."""

    stage = PROJECT

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
        *,
        clock: Clock | None = None,
        engine: str = DEFAULT_ENGINE,
        threads: int = 2,
    ) -> None:
        self.writer, self.scratch, self.settings = writer, scratch, settings
        self.label = "project " + ";".join(work.label for work in works)
        self.patches = {work.node: work.patches for work in works}
        peaks = ShownPeaks.of(works)
        projected = {work.node: peaks.of_layer(work.node).image for work in works if work.carried}
        alone = forwarded_cropped(program, projected, {w.node: w.methods for w in works})
        self.work = ProjectWork(
            program, source, input, settings, works={work.node: work for work in works}, alone=alone, natural=natural,
            known={work.node: writer.boxes(work.node) for work in works if not work.patches},
            needed=frozenset(writer.images_to_place()), engine=engine, threads=threads,
        )  # fmt: skip
        self.clock = self.work.clock = clock or Clock()
        count = _group_size(program, [work for work in works if work.carried and work.node not in alone])
        images = np.unique(peaks.image).tolist()
        hashes = writer.hashes(images)
        groups = [tuple(images[first : first + count]) for first in range(0, len(images), count)]
        self.pieces = [_piece(number, group, peaks, hashes) for number, group in enumerate(groups)]
        self._checksum = 0

    def is_there(self, piece: Piece[ImageGroup]) -> bool:
        """True where the scratch file still holds what the group left in it."""
        stored = int(self.writer.payload(self.label, piece.number))
        return stored == self.scratch.checksum(piece.held.peaks.identities())

    def put(self, piece: Piece[ImageGroup], part: ProjectPart) -> int:
        """Tiles go to the scratch file, their boxes, signals and the small whole pictures into the atlas."""
        with self.clock.time("write"):
            if isinstance(part, Thumbnails):
                for image, (data, height, width) in part.found.items():
                    self.writer.put_picture(image, self.settings.codec, data, height, width)
                return 0
            keys = list(zip(part.unit.tolist(), part.rank.tolist(), strict=True))
            shares = [b""] * len(keys) if part.shares is None else [one.tobytes() for one in part.shares]
            for (unit, rank), tiles, scales, made_of in zip(keys, part.tiles, part.scales, shares, strict=True):
                self._checksum += self.scratch.put(part.node, unit, rank, tiles, scales, made_of)
            if self.patches[part.node]:
                boxes = zip(keys, part.boxes, part.sources, strict=True)
                self.writer.set_boxes(part.node, [(*key, box, source) for key, box, source in boxes])
            for method in (name for name in part.kept if name):
                found = zip(part.unit.tolist(), part.kept[method].tolist(), part.kept[""].tolist(), strict=True)
                self.writer.put_kept(part.node, [(u, method, own, r) for u, own, r in found if math.isfinite(own)])
            for method, signals in part.signals.items():
                for (unit, rank), signal, box in zip(keys, signals, part.extents, strict=True):
                    self.writer.put_signal(part.node, unit, rank, method, signal, box)
        return 0

    def payload(self, piece: Piece[ImageGroup]) -> bytes:
        """The checksum of what the group put into the scratch file."""
        checksum, self._checksum = self._checksum, 0
        return str(checksum).encode()


def _group_size(program: Carrier, forwarded: Sequence[LayerWork]) -> int:
    """How many images can keep the maps that these layers read at the same time."""
    nodes = {0}.union(*(wanted_maps(program, work) for work in forwarded))
    return images_at_once(program, nodes, MOST_IMAGES)


def _piece(
    number: int, images: tuple[int, ...], peaks: ShownPeaks, hashes: Mapping[int, str | None]
) -> Piece[ImageGroup]:
    mine = peaks.in_images(images[0], images[-1])
    return Piece(number, len(mine), ImageGroup(images, mine, {image: hashes[image] for image in images}))
