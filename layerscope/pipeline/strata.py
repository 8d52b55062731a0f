"""The last stage: what to show of the strata, and the small whole pictures from which that is cut.

The scan has found images and places; the side of a layer's tiles, and how an image lies in its picture, are known only
later. A group of images is one transaction; images whose strata have their boxes are not taken up again, which is all
the mark that they need.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.strata import Key, StratumPlace
from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.geometry import Box
from layerscope.core.pieces import Job
from layerscope.core.progress import Clock
from layerscope.core.records import Batch, Input, Placement
from layerscope.core.stages import STRATA
from layerscope.facts.places import central_box
from layerscope.graph import Carrier
from layerscope.pipeline.project_work import EncodedBytes, as_scanned, encoded_picture
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.working import ImageWork
from layerscope.sources import Source

GROUP = 32


@dataclass(frozen=True, eq=False)
class StratumImages:
    """Some images with strata. lacking: those without a small picture. hashes: as they were scanned, by id."""

    ids: tuple[int, ...]
    lacking: Collection[int]
    hashes: Mapping[int, str | None]


@dataclass(frozen=True, eq=False)
class Placed:
    """How images lie in the input, and the small pictures of those that lacked one, by id."""

    placements: Mapping[int, Placement]
    pictures: Mapping[int, EncodedBytes]


class StrataWork(ImageWork):
    """Read images once more. codec: of their small pictures."""

    codec = ""

    def images_of(self, piece: Piece[StratumImages]) -> Sequence[int]:
        return piece.held.ids

    def __call__(self, pieces: Sequence[Piece[StratumImages]], /) -> Iterator[Made[Placed]]:
        lacking = frozenset(id for piece in pieces for id in piece.held.lacking)
        runs = [piece.held.ids for piece in pieces]
        batches = self.source.picturing(lacking).batches(self.input, runs, threads=self.threads, ahead=1)
        with closing(batches), ThreadPoolExecutor(self.threads) as pool:  # type: ignore[type-var]
            yield from in_turn(pieces, lambda piece: self.clock.each("strata", self._parts(piece.held, batches, pool)))

    def _parts(self, images: StratumImages, batches: Iterator[Batch], pool: ThreadPoolExecutor) -> Iterator[Placed]:
        batch = as_scanned(next(batches), images.hashes)
        ids = batch.ids.tolist()
        own = [(id, picture) for id, picture in zip(ids, batch.pictures, strict=False) if id in images.lacking]
        encoded = pool.map(partial(encoded_picture, codec=self.codec), [picture for _, picture in own])
        pictures = {id: picture for (id, _), picture in zip(own, encoded, strict=True) if picture is not None}
        yield Placed(dict(zip(ids, batch.placements, strict=True)), pictures)


class PlacingStrata(Job[StratumImages, Placed]):
    """Give every stratum its boxes and every image that one names its picture."""

    stage = STRATA

    def __init__(
        self, writer: AtlasWriter, program: Carrier, source: Source, input: Input, settings: Settings, *,
        clock: Clock, engine: str, threads: int,
    ) -> None:  # fmt: skip
        self.writer, self.input, self.settings, self.clock = writer, input, settings, clock
        self.work = StrataWork(program, source, input, engine=engine, threads=threads)
        self.work.codec, self.work.clock = settings.codec, clock
        images = writer.images_to_place()
        self._layers = {layer.id: layer for layer in writer.layers()}
        hashes = writer.hashes(images)
        lacking = frozenset(writer.without_picture(images) if settings.pictures else ())
        groups = [tuple(images[first : first + GROUP]) for first in range(0, len(images), GROUP)]
        self.pieces = [
            Piece(number, len(ids), StratumImages(ids, lacking.intersection(ids), {id: hashes[id] for id in ids}))
            for number, ids in enumerate(groups)
        ]

    def put(self, piece: Piece[StratumImages], part: Placed) -> int:
        """Boxes and pictures of a group."""
        with self.clock.time("strata"):
            places = self.writer.strata_to_place(piece.held.ids)
            self.writer.place_strata(_boxes(places, part.placements, self._layers, self.input))
            for image, picture in part.pictures.items():
                self.writer.put_picture(image, self.settings.codec, *picture)
        return 0


def _boxes(
    places: Iterable[StratumPlace],
    placements: Mapping[int, Placement],
    layers: Mapping[int, AtlasLayerRecord],
    input: Input,
) -> Iterator[tuple[Key, Box, Box]]:
    """The boxes of each place, in px of the input and of its picture; units that share a place share them."""
    known: dict[tuple[int, ...], tuple[Box, Box]] = {}
    for key, image, row, col in places:
        place = (key[0], image, row, col)
        if place not in known:
            box = central_box(layers[key[0]], row, col, input)
            known[place] = box, placements[image].source_box(box)
        yield (key, *known[place])
