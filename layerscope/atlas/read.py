"""Reading an atlas: plain questions, answered with records and arrays. Neither torch nor the network is needed."""

import json
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.atlas import rows
from layerscope.atlas.codecs import cut, decode
from layerscope.atlas.concepts import read_concepts, read_dissection, read_notes
from layerscope.atlas.connection import plain_values
from layerscope.atlas.frames import framed
from layerscope.atlas.interventions import read_interventions
from layerscope.atlas.layers import read_layers
from layerscope.atlas.light import LightQuestions
from layerscope.atlas.records import AtlasLayerRecord, EdgeRecord, Neighbour, NodeRecord, Peak, RunRecord, Stratum
from layerscope.atlas.retention import KeptByMarks, Retention, read_kept, retention_of
from layerscope.atlas.shares import read_made_of, read_makes, read_used_for
from layerscope.atlas.specificity import Specificity, specificity_of
from layerscope.atlas.strata import read_all_strata, read_neighbours, read_strata, sampled
from layerscope.core.concepts import Dissection, Interventions, Note, UnitConcept
from layerscope.core.errors import AtlasError, UsageError, nearest
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord, Peaks, UnitSheet, UnitStatistics
from layerscope.core.shares import MadeOf, Makes
from layerscope.core.strata import Strata
from layerscope.core.uses import ClassUse


class Encoded(NamedTuple):
    """A stored picture as it is: the codec's name and the bytes, to be shown elsewhere without decoding."""

    codec: str
    pixels: bytes


class AtlasFile(LightQuestions):
    """An atlas opened for reading, also while a build writes it; usable from several threads.

    Raises AtlasError for a file that does not exist, NotAnAtlas for one that is something else or damaged,
    UnknownVersion for one of another version.
    """

    def __enter__(self) -> "AtlasFile":
        return self

    @property
    def run(self) -> RunRecord:
        """What made this atlas, last. Raises AtlasError while a build has only just created it."""
        run = self._ask(rows.read_run)
        if run is None:
            raise AtlasError(f"{self.path} holds nothing yet: its build has only just begun")
        return run

    @property
    def finished(self) -> bool:
        """True once the latest run is complete."""
        run = self._ask(rows.read_run)
        return run is not None and run.finished is not None

    def nodes(self) -> tuple[NodeRecord, ...]:
        """The network's operations, in execution order."""
        return self._ask(rows.read_nodes)

    def edges(self) -> tuple[EdgeRecord, ...]:
        """What each node takes as its inputs."""
        return self._ask(rows.read_edges)

    @property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        """All layers, in execution order."""
        return self._ask(read_layers)

    def layer(self, name: str) -> AtlasLayerRecord:
        """The layer of this name, path or alias. Raises UsageError, with the nearest names, if there is none."""
        layers = self.layers
        for names_of in (lambda r: (r.name,), lambda r: (r.path,), lambda r: r.aliases):
            for layer in layers:
                if name in names_of(layer.record):
                    return layer
        every = [known for layer in layers for known in (layer.name, layer.record.path, *layer.record.aliases)]
        hint = nearest(name, dict.fromkeys(every)) or f"; it has {', '.join(layer.name for layer in layers) or 'none'}"
        raise UsageError(f'{self.path} has no layer "{name}"{hint}')

    def images(self) -> list[ImageRecord]:
        """All images in their order, the skipped ones too."""
        return self._ask(rows.read_images)

    def image(self, image: int) -> ImageRecord:
        """One image by its place in the image order. Raises UsageError if there is none."""
        found = self._ask(rows.read_images, "WHERE id = ?", (image,))
        if not found:
            raise UsageError(f"{self.path} has no image {image}")
        return found[0]

    def images_named(self, text: str, most: int) -> tuple[ImageRecord, ...]:
        """The images whose source or class holds a text, ASCII letters in any case; every image holds "".

        At most so many; those with a small picture first, otherwise in their order.
        """
        return tuple(self._ask(rows.read_images_named, text, most))

    def image_count(self) -> int:
        """How many images there are, the skipped ones too."""
        return self._rows("SELECT count(*) FROM image")[0][0]

    def left_out(self) -> tuple[tuple[tuple[str, int], ...], int]:
        """Why images were skipped, with how many for each reason, most first; and how many are duplicates."""
        query = "SELECT skipped, count(*) FROM image WHERE skipped IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        ((duplicates,),) = self._rows("SELECT count(duplicate_of) FROM image")
        return tuple((reason, count) for reason, count in self._rows(query)), duplicates

    def copies_left_out(self) -> int:
        """How many copies of images were not scanned; 0 in early atlases, which scanned them."""
        return self.statistic("copies") or 0

    def encoded_picture(self, image: int) -> Encoded | None:
        """An image's small whole picture as stored; None if it has none."""
        row = self._row("SELECT codec, pixels FROM picture WHERE image = ?", image)
        return Encoded(*row) if row else None

    def picture(self, image: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """An image's small whole picture, upright; None without a peak or stratum in it, or if left out."""
        stored = self.encoded_picture(image)
        return decode(stored.pixels, stored.codec) if stored else None

    def filters(self, layer_id: int) -> Float32[np.ndarray, "u c h w"] | None:
        """The convolution weights of a layer; None if they were not kept."""
        found = self._rows("SELECT shape, weights FROM filter WHERE layer = ? ORDER BY unit", layer_id)
        if not found:
            return None
        with plain_values(self.path):
            weights = np.frombuffer(b"".join(data for _, data in found), "<f4")
            return weights.reshape(len(found), *json.loads(found[0][0]))

    def unit_statistics(self, layer_id: int) -> UnitStatistics:
        """What the scan counted for every unit of a layer; no units before it is scanned."""
        found = self._rows(rows.select("unit", rows.UNIT, "WHERE layer = ? ORDER BY unit"), layer_id)
        with plain_values(self.path):
            return rows.statistics_of(found)

    def peaks(self, layer_id: int, unit: int) -> tuple[Peak, ...]:
        """A unit's peaks, best first; fewer than k, or none, where the unit has no more."""
        return self._ask(rows.read_peaks, layer_id, unit)

    def peaks_in(self, image: int) -> tuple[tuple[int, int, Peak], ...]:
        """The peaks that lie in an image, each with its layer's id and its unit, in order of layer, rank and unit."""
        return self._ask(rows.read_peaks_in, image)

    def all_peaks(self, layer_id: int) -> Peaks:
        """The peaks of all units of a layer; empty places hold -inf and image -1."""
        (units,) = self._row("SELECT units FROM layer WHERE id = ?", layer_id) or (0,)
        return self._ask(rows.peaks_of, layer_id, self.run.k, units)

    def _stored_sheet(self, columns: str, *key: Any) -> rows.SqlRow | None:
        place = "WHERE layer = ? AND unit = ? AND kind = ? AND method = ? AND view = ?"
        return self._row(rows.select("sheet", columns, place), *key)

    def encoded_sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> Encoded | None:
        """A unit's tiles as stored; None if there are none."""
        row = self._stored_sheet("codec pixels", layer_id, unit, kind, method, view)
        return Encoded(*row) if row else None

    def sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> UnitSheet | None:
        """A unit's tiles of one kind ("patches", "projections"), method and view; None if there are none."""
        row = self._stored_sheet("scales codec pixels", layer_id, unit, kind, method, view)
        if row is None:
            return None
        scales, codec, pixels = row
        with plain_values(self.path):
            held = np.frombuffer(scales, "<f4")
        return UnitSheet(kind=kind, method=method, view=view, scales=held, pixels=decode(pixels, codec))

    def scales(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> np.ndarray | None:
        """Of each tile of a unit the signal shown as full white, float32[k], 0 for none; None if there are no tiles."""
        row = self._stored_sheet("scales", layer_id, unit, kind, method, view)
        with plain_values(self.path):
            return None if row is None else np.frombuffer(row[0], "<f4")

    def tiles(self, sheet: UnitSheet) -> UInt8[np.ndarray, "k h w 3"]:
        """The tiles of a sheet, best peak first."""
        return cut(sheet.pixels, len(sheet.scales))

    def signal(
        self, layer_id: int, unit: int, rank: int, method: str
    ) -> tuple[Float32[np.ndarray, "c h w"], Box] | None:
        """A projection as its method gave it, to float16, and its box in input px; None if it was not kept."""
        place = "WHERE layer = ? AND unit = ? AND rank = ? AND method = ?"
        row = self._row(rows.select("signal", "top left shape scale pixels", place), layer_id, unit, rank, method)
        if row is None:
            return None
        top, left, shape, scale, pixels = row
        with plain_values(self.path):
            channels, height, width = json.loads(shape)
            signal = rows.unpack(pixels, "<f2").astype(np.float32).reshape(channels, height, width) * np.float32(scale)
        return signal, Box(top=top, left=left, bottom=top + height, right=left + width)

    def statistic(self, name: str, layer_id: int | None = None, method: str | None = None) -> Any:
        """What was measured under this name, as plain lists and numbers; None if it was not."""
        return self._ask(rows.statistic, name, layer_id, method)

    def specificity(self, layer_id: int, method: str | None) -> Specificity | None:
        """How much a layer's projections by a method say of their unit; None where that could not be measured.

        So it is without a method, before the sample was drawn, and where no pair of units was above zero at one place.
        """
        stored = None if method is None else self.statistic("specificity", layer_id, method)
        with plain_values(self.path):
            return specificity_of(stored)

    def retention(self, layer_id: int, method: str | None) -> Retention | None:
        """What the pixels that a layer's projections by a method mark keep of an activation; None where that could not
        be measured, without a method, and in an atlas that was made before it was measured."""
        stored = None if method is None else self.statistic("retention", layer_id, method)
        with plain_values(self.path):
            return retention_of(stored)

    def kept_by(self, layer_id: int, unit: int) -> tuple[KeptByMarks, ...]:
        """What the pixels that each method marks keep of a unit's first peak; none where the atlas does not know."""
        return self._ask(read_kept, layer_id, unit)

    def concepts(self, layer_id: int) -> tuple[UnitConcept, ...]:
        """What every unit of a layer detects; empty where the layer was not dissected."""
        return self._ask(read_concepts, layer_id)

    def dissection(self) -> Dissection | None:
        """The layers that were dissected, with their figures and baselines; None before that."""
        return self._ask(read_dissection)

    def interventions(self) -> Interventions | None:
        """What became of units as concepts were taken out and shown alone; None before that, and in early atlases."""
        return self._ask(read_interventions)

    def notes(self, layer_id: int) -> tuple[Note, ...]:
        """What is said of a layer's units, in words, by unit."""
        return self._ask(read_notes, layer_id)

    def made_of(self, layer_id: int, unit: int) -> tuple[MadeOf, ...]:
        """What a unit's peaks are made of, as each earlier layer sees it, the nearest first; none where the atlas does
        not know."""
        return self._ask(read_made_of, layer_id, unit)

    def makes(self, layer_id: int, unit: int) -> tuple[Makes, ...]:
        """The later units of whose peaks this one is among the strongest parts; by layer, the highest share first."""
        return self._ask(read_makes, layer_id, unit)

    def used_for(self, layer_id: int, unit: int) -> tuple[ClassUse, ...]:
        """The classes that a unit speaks for, the most first, then those that it speaks against; none where the atlas
        does not know."""
        return self._ask(read_used_for, layer_id, unit)

    def strata(self, layer_id: int, unit: int) -> tuple[Stratum, ...]:
        """Images around the 99th, 95th, 90th and 50th percentile of a unit's image maxima, the highest first.

        At most four for each percentile, of the sampled images; none for a dead unit, and in early atlases.
        """
        return self._ask(read_strata, layer_id, unit)

    def all_strata(self, layer_id: int) -> Strata:
        """The strata of all units of a layer at once; empty places hold image -1, as all do in early atlases."""
        (units,) = self._row("SELECT units FROM layer WHERE id = ?", layer_id) or (0,)
        return self._ask(read_all_strata, layer_id, units)

    def neighbours(self, layer_id: int) -> tuple[Neighbour, ...]:
        """For every unit at most eight others of its layer whose image maxima rise and fall with its own, best first.

        None for layers of more than 2,048 units, over fewer than 16 images, or in an early atlas.
        """
        return self._ask(read_neighbours, layer_id)

    def sampled(self, layer_id: int | None = None) -> int | None:
        """How many images strata and neighbours of a layer are taken from; of all layers, the fewest; None without."""
        return self._ask(sampled, layer_id)

    def table(self, name: str) -> tuple[list[str], list[rows.SqlRow]]:
        """Column names and rows of a flat table: a name of FRAMES, such as "units" or "labels"; or UsageError."""
        return self._ask(framed, name)
