"""What of an atlas is published: an atlas file as pages read it, of which only that part is there.

What a page cannot ask, it cannot show: photographs that are left out are left out here, for all pages alike.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from layerscope.atlas import rows
from layerscope.atlas.codecs import encode, grid, reader_of
from layerscope.atlas.concepts import read_concepts, read_dissection, read_notes
from layerscope.atlas.read import AtlasFile, Encoded
from layerscope.atlas.records import AtlasLayerRecord, Peak, RunRecord
from layerscope.atlas.strata import read_neighbours, sampled
from layerscope.core.concepts import Dissection
from layerscope.core.errors import UsageError
from layerscope.core.methods import METHODS
from layerscope.core.records import ImageRecord, UnitSheet, UnitStatistics
from layerscope.core.settings import VIEWS
from layerscope.viewer.addresses import UNITS_PER_SPRITE, Sheet
from layerscope.viewer.export.choice import Choice
from layerscope.viewer.shelf import Book

# Questions about a layer that the pages of all its units ask, and how many answers are kept.
SHARED = (rows.statistic, rows.peaks_of, read_concepts, read_dissection, read_notes, read_neighbours, sampled)
MOST_ANSWERS, MOST_IMAGES = 64, 4096
# Why an image was skipped, where the reason may repeat its path.
UNNAMED = "could not be used"


class Stored(NamedTuple):
    """A picture of the atlas: its codec, and how many bytes it takes there."""

    codec: str
    bytes: int


class Edition(AtlasFile):
    """An atlas, of which only what was chosen is there; one state of it, even while its build goes on.

    Raises what AtlasFile does, and UsageError for a layer that is not there.
    """

    def __init__(self, path: str | os.PathLike[str], choice: Choice) -> None:
        super().__init__(path)
        self.choice = choice
        self._answers: dict[Any, Any] = {}
        self._images: dict[int, ImageRecord] = {}
        # All that is read from here on is of one moment.
        self._connection.execute("BEGIN")
        try:
            self._kept = self._chosen_layers()
        except BaseException:
            self.close()
            raise

    @cached_property
    def _state(self) -> tuple[RunRecord, bool]:
        return super().run, super().finished

    @property
    def finished(self) -> bool:
        return self._state[1]

    @property
    def whole_run(self) -> RunRecord:
        """What made the atlas, with all of its methods and views."""
        return self._state[0]

    @cached_property
    def _shown_run(self) -> RunRecord:
        run, choice = self.whole_run, self.choice
        if choice.plates:
            natural = VIEWS[0] if VIEWS[0] in run.views else next(iter(run.views), None)
            own = {layer.method for layer in self.layers}
            run = replace(run, methods=tuple(m for m in run.methods if m in own), views=(natural,) if natural else ())
        if not choice.projections:
            run = replace(run, methods=(), views=())
        # The folder's name may tell whose pictures they are.
        return run if choice.photographs else replace(run, images=f"{len(super().images()):,} images")

    @property
    def run(self) -> RunRecord:
        return self._shown_run

    @property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        return self._kept

    def _chosen_layers(self) -> tuple[AtlasLayerRecord, ...]:
        every = super().layers
        if not every:
            raise UsageError(f"{self.path} holds no layers yet: its build has only just begun")
        chosen = set[int]()
        for name in self.choice.layers:
            found = {layer.id for layer in every if _means(name, layer)}
            # A name that means none is told with the nearest ones.
            chosen |= found or {self._named(name, every).id}
        kept = [layer for layer in every if not self.choice.layers or layer.id in chosen]
        if self.choice.projections:
            return tuple(kept)
        return tuple(replace(layer, method=None, method_why=None) for layer in kept)

    def _named(self, name: str, every: tuple[AtlasLayerRecord, ...]) -> AtlasLayerRecord:
        if any(sign in name for sign in "*?["):
            raise UsageError(f'no layer of {self.path} matches "{name}"; see: layerscope show {self.path}')
        with AtlasFile(self.path) as whole:
            return whole.layer(name)

    @cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(layer.id for layer in self.layers)

    @cached_property
    def sheets(self) -> Mapping[Sheet, Stored]:
        """The sheets of tiles that are published, as they are in the atlas, in the order of layers and units."""
        query = "SELECT layer, unit, kind, method, view, codec, length(pixels) FROM sheet ORDER BY 1, 2, 3, 4, 5"
        found = {}
        for layer, unit, kind, method, view, codec, size in self._rows(query):
            sheet = Sheet(layer=layer, unit=unit, kind=kind, method=method, view=view)
            if self._chosen(sheet) and reader_of(codec):
                found[sheet] = Stored(codec, size)
        return found

    @cached_property
    def _methods(self) -> Mapping[int, frozenset[str]]:
        own = {layer.id: frozenset({layer.method or ""}) for layer in self.layers}
        return own if self.choice.plates else {layer: frozenset(self.run.methods) for layer in own}

    def _chosen(self, sheet: Sheet) -> bool:
        if sheet.layer not in self._ids:
            return False
        if sheet.kind == "patches":
            return self.choice.photographs
        # Only words of ours: they become names of files, and a run's own may come from strangers.
        known = sheet.kind == "projections" and sheet.method in METHODS and sheet.view in VIEWS
        return known and sheet.method in self._methods[sheet.layer] and sheet.view in self.run.views

    @cached_property
    def sprites(self) -> frozenset[tuple[int, int, str]]:
        """Layer, block of units and kind of the sprites that show something."""
        view, own = next(iter(self.run.views), ""), {layer.id: layer.method or "" for layer in self.layers}
        shown = [s for s in self.sheets if s.kind == "patches" or (s.method, s.view) == (own[s.layer], view)]
        return frozenset((s.layer, s.unit // UNITS_PER_SPRITE, s.kind) for s in shown)

    @cached_property
    def stratified(self) -> frozenset[tuple[int, int]]:
        """Layer and unit of those whose strata can be shown."""
        if not self.pictures or "stratum" not in self._tables:
            return frozenset()
        query = "SELECT DISTINCT layer, unit, image FROM stratum WHERE tile_top IS NOT NULL"
        return frozenset((layer, unit) for layer, unit, image in self._rows(query) if image in self.pictures)

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(name for (name,) in self._rows("SELECT name FROM sqlite_schema WHERE type = 'table'"))

    @cached_property
    def pictures(self) -> Mapping[int, Stored]:
        """The small whole pictures that are published, by image."""
        if not self.choice.photographs:
            return {}
        sizes = {i: Stored(*rest) for i, *rest in self._rows("SELECT image, codec, length(pixels) FROM picture")}
        return {i: sizes[i] for i in self.shown_images if i in sizes and reader_of(sizes[i].codec)}

    @cached_property
    def shown_images(self) -> Mapping[int, None]:
        """The images that have a page, in order: those with a peak or a place in the strata of a published layer."""
        if not self.choice.photographs:
            return {}
        found = set[int]()
        for table in sorted(self._tables & {"peak", "stratum"}):
            for layer in self._ids:
                found |= {i for (i,) in self._rows(f"SELECT DISTINCT image FROM {table} WHERE layer = ?", layer)}
        return dict.fromkeys(sorted(found))

    def images(self) -> list[ImageRecord]:
        every = super().images()
        return every if self.choice.photographs else [_nameless(image) for image in every]

    def image(self, image: int) -> ImageRecord:
        if image not in self._images:
            if len(self._images) >= MOST_IMAGES:
                self._images.clear()
            self._images[image] = self._told(image)
        return self._images[image]

    def _told(self, image: int) -> ImageRecord:
        found = super().image(image)
        return found if self.choice.photographs else _nameless(found)

    def left_out(self) -> tuple[tuple[tuple[str, int], ...], int]:
        reasons, duplicates = super().left_out()
        if not self.choice.photographs:
            reasons = ((UNNAMED, sum(count for _, count in reasons)),) if reasons else ()
        return reasons, duplicates

    def dissection(self) -> Dissection | None:
        found, names = super().dissection(), {layer.name for layer in self.layers}
        layers = tuple(layer for layer in found.layers if layer.layer in names) if found else ()
        return replace(found, layers=layers) if found and layers else None

    def peaks_in(self, image: int) -> tuple[tuple[int, int, Peak], ...]:
        return tuple(found for found in super().peaks_in(image) if found[0] in self._ids)

    def encoded_picture(self, image: int) -> Encoded | None:
        return super().encoded_picture(image) if image in self.pictures else None

    def has_picture(self, image: int) -> bool:
        return image in self.pictures

    def units_with_sheets(self, layer_id: int, kind: str, method: str = "", view: str = "") -> frozenset[int]:
        found = super().units_with_sheets(layer_id, kind, method, view)
        asked = (Sheet(layer=layer_id, unit=unit, kind=kind, method=method, view=view) for unit in found)
        return frozenset(sheet.unit for sheet in asked if sheet in self.sheets)

    def sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> UnitSheet | None:
        """Tiles at the size in which they are stored."""
        asked = Sheet(layer=layer_id, unit=unit, kind=kind, method=method, view=view)
        return super().sheet(layer_id, unit, kind, method, view) if asked in self.sheets else None

    def scales(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> np.ndarray | None:
        asked = Sheet(layer=layer_id, unit=unit, kind=kind, method=method, view=view)
        return super().scales(layer_id, unit, kind, method, view) if asked in self.sheets else None

    def encoded_sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> Encoded | None:
        """Tiles as they are stored."""
        asked = Sheet(layer=layer_id, unit=unit, kind=kind, method=method, view=view)
        return super().encoded_sheet(layer_id, unit, kind, method, view) if asked in self.sheets else None

    def published(self, sheet: Sheet) -> Encoded | None:
        """Tiles as they are published: those of the atlas untouched, or smaller where that was chosen."""
        smaller = self._reduced(sheet) if self.reduces(sheet.layer) else None
        return smaller or self.encoded_sheet(sheet.layer, sheet.unit, sheet.kind, sheet.method, sheet.view)

    def reduces(self, layer_id: int) -> bool:
        """Whether a layer's tiles may have to be made smaller."""
        side = max((layer.tile or 0 for layer in self.layers if layer.id == layer_id), default=0)
        return self.choice.tile is not None and side > self.choice.tile

    def _reduced(self, asked: Sheet) -> Encoded | None:
        """A sheet with smaller tiles, in its own codec; None where they are not larger than chosen."""
        found = self.sheet(asked.layer, asked.unit, asked.kind, asked.method, asked.view)
        side = self.choice.tile
        tiles = self.tiles(found) if found is not None else np.empty((0, 1, 1, 3), np.uint8)
        longer = max(tiles.shape[1:3])
        if side is None or longer <= side or not len(tiles):
            return None
        height, width = (max(1, round(length * side / longer)) for length in tiles.shape[1:3])
        resized = (Image.fromarray(tile).resize((width, height), Image.Resampling.LANCZOS) for tile in tiles)
        small = [np.asarray(tile) for tile in resized]
        codec = self.sheets[asked].codec
        return Encoded(codec, encode(grid(np.stack(small)), codec, shows=asked.view or asked.kind))

    def _ask(self, question: Callable[..., Any], *values: Any) -> Any:
        if question not in SHARED:
            return super()._ask(question, *values)
        return self._once((question, *values), lambda: AtlasFile._ask(self, question, *values))

    def unit_statistics(self, layer_id: int) -> UnitStatistics:
        return self._once(("unit", layer_id), lambda: AtlasFile.unit_statistics(self, layer_id))

    def _once(self, key: tuple[Any, ...], ask: Callable[[], Any]) -> Any:
        """An answer, kept: it does not change while the edition is open."""
        if key not in self._answers:
            while len(self._answers) >= MOST_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
            self._answers[key] = ask()
        return self._answers[key]

    def table(self, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        raise AssertionError("pages ask for records: a table would hold what is not published")


class EditionBook(Book):
    """An edition as pages hold it. Its state is one moment's, so what was read once is kept."""

    _settled = True  # type: ignore[assignment]  # whatever the build does meanwhile
    file: Edition  # type: ignore[assignment]

    def sheets(self, layer: AtlasLayerRecord) -> tuple[tuple[str, str, str], ...]:
        kinds = {kind for number, _, kind in self.file.sprites if number == layer.id}
        return tuple(sheet for sheet in super().sheets(layer) if sheet[0] in kinds)


def _means(name: str, layer: AtlasLayerRecord) -> bool:
    names = (layer.name, layer.record.path, *layer.record.aliases)
    return name in names or any(fnmatchcase(known, name) for known in names)


def _nameless(image: ImageRecord) -> ImageRecord:
    """An image without what could tell it: its path, its size in bytes, its hash."""
    skipped = UNNAMED if image.skipped else None
    return replace(image, source=f"image {image.id}", sha256=None, size=None, skipped=skipped)
