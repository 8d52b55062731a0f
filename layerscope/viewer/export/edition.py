"""What of an atlas is published: an atlas file as pages read it, of which only what is named here is there.

What a page cannot ask, it cannot show. A question that nobody has allowed is withheld, and so is one about a layer that
is not published, or about pixels and names of images where photographs are left out.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar

import numpy as np

from layerscope.atlas.codecs import reader_of
from layerscope.atlas.read import Encoded
from layerscope.atlas.records import AtlasLayerRecord, Peak, RunRecord
from layerscope.core.concepts import Dissection, Interventions
from layerscope.core.errors import UsageError
from layerscope.core.labels import Misfits
from layerscope.core.lru import LruCache
from layerscope.core.methods import METHODS
from layerscope.core.records import ImageRecord, UnitSheet
from layerscope.core.settings import VIEWS
from layerscope.core.shares import MadeOf, Makes
from layerscope.core.uses import ClassUse
from layerscope.facts.run import first_view
from layerscope.facts.wrapping import Withheld, Wrapper
from layerscope.viewer.addresses import UNITS_PER_SPRITE, SheetKey, folders_of
from layerscope.viewer.export.choice import ExportChoice
from layerscope.viewer.export.naming import UNNAMED, means, nameless
from layerscope.viewer.export.snapshot import Snapshot, Stored
from layerscope.viewer.shelf import Book

# What was measured of the whole run that pages tell: counts, and names of classes.
STATISTICS = ("classes", "class_counts", "replay", "copies", "use")

# Bytes of decoded pictures: strata are all cut from those of the sample, 512 at most.
MOST_PICTURES = 48 << 20


class Edition(Wrapper):
    """An atlas, of which only what was chosen is there; one state of it, even while its build goes on.

    Raises what AtlasFile does, and UsageError for a layer that is not there.
    """

    # Neither pixels nor names of images come with these, whatever layer they are about.
    PASSED: ClassVar = frozenset(
        {"path", "finished", "image_count", "copies", "copies_left_out", "misfit_images", "tiles"}
    )
    # The same, of a published layer: its id comes first.
    OF_A_LAYER: ClassVar = frozenset([
        "unit_statistics", "scanned", "class_means", "all_peaks", "peaks", "strata", "neighbours", "specificity",
        "retention", "kept_by", "concepts", "labels", "words", "notes", "peak_labels",
    ])  # fmt: skip

    def __init__(self, path: str | os.PathLike[str], choice: ExportChoice) -> None:
        self._snapshot = Snapshot(path)
        super().__init__(self._snapshot)
        self.choice, self.state = choice, self._snapshot.state
        try:
            self._layers = self._chosen_layers()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Edition":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._snapshot.close()

    def __getattr__(self, name: str) -> Any:
        if name not in self.OF_A_LAYER:
            return super().__getattr__(name)
        return self._of_a_layer(getattr(self._snapshot, name))

    def _of_a_layer(self, question: Callable[..., Any]) -> Callable[..., Any]:
        def asked(layer_id: int, *rest: Any) -> Any:
            if layer_id not in self._ids:
                raise Withheld(f"layer {layer_id} is not published")
            return question(layer_id, *rest)

        return asked

    @cached_property
    def run(self) -> RunRecord:
        """What made the atlas, as far as it is published."""
        run, choice = self._snapshot.run, self.choice
        if choice.plates:
            natural = VIEWS[0] if VIEWS[0] in run.views else first_view(run)
            own = {layer.method for layer in self.layers}
            run = replace(run, methods=tuple(m for m in run.methods if m in own), views=(natural,) if natural else ())
        if not choice.projections:
            run = replace(run, methods=(), views=())
        # The folder's name may tell whose pictures they are.
        return run if choice.photographs else replace(run, images=f"{self._snapshot.image_count():,} images")

    @property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        """The published layers, in execution order."""
        return self._layers

    def layer(self, name: str) -> AtlasLayerRecord:
        """The published layer of this name, path or alias. Raises UsageError, with the nearest names."""
        found = self._snapshot.layer(name)
        if found.id not in self._ids:
            raise UsageError(f'layer "{name}" is not published')
        return next(layer for layer in self.layers if layer.id == found.id)

    def _chosen_layers(self) -> tuple[AtlasLayerRecord, ...]:
        every = self._snapshot.layers
        if not every:
            raise UsageError(f"{self._snapshot.path} holds no layers yet: its build has only just begun")
        chosen = set[int]()
        for name in self.choice.layers:
            found = {layer.id for layer in every if means(name, layer)}
            # A name that means none is told with the nearest ones.
            chosen |= found or {self._named(name).id}
        kept = [layer for layer in every if not self.choice.layers or layer.id in chosen]
        if self.choice.projections:
            return tuple(kept)
        return tuple(replace(layer, method=None, method_why=None) for layer in kept)

    def _named(self, name: str) -> AtlasLayerRecord:
        path = self._snapshot.path
        if any(sign in name for sign in "*?["):
            raise UsageError(f'no layer of {path} matches "{name}"; see: layerscope show {path}')
        return self._snapshot.layer(name)

    @cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(layer.id for layer in self.layers)

    @cached_property
    def folders(self) -> Mapping[int, str]:
        """The folder of each published layer, by its id: the same whichever others are published."""
        return {layer: name for layer, name in folders_of(self._snapshot.layers).items() if layer in self._ids}

    @cached_property
    def sheets(self) -> Mapping[SheetKey, Stored]:
        """The sheets of tiles that are published, as they are in the atlas, in the order of layers and units."""
        return {key: stored for key, stored in self._snapshot.sheets() if self._chosen(key) and reader_of(stored.codec)}

    @cached_property
    def _methods(self) -> Mapping[int, frozenset[str]]:
        own = {layer.id: frozenset({layer.method or ""}) for layer in self.layers}
        return own if self.choice.plates else {layer: frozenset(self.run.methods) for layer in own}

    def _chosen(self, sheet: SheetKey) -> bool:
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
        view, own = first_view(self.run), {layer.id: layer.method or "" for layer in self.layers}
        shown = [s for s in self.sheets if s.kind == "patches" or (s.method, s.view) == (own[s.layer], view)]
        return frozenset((s.layer, s.unit // UNITS_PER_SPRITE, s.kind) for s in shown)

    @cached_property
    def stratified(self) -> frozenset[tuple[int, int]]:
        """Layer and unit of those whose strata can be shown."""
        found = self._snapshot.placed_strata() if self.pictures else ()
        return frozenset((layer, unit) for layer, unit, image in found if image in self.pictures)

    @cached_property
    def pictures(self) -> Mapping[int, Stored]:
        """The small whole pictures that are published, by image."""
        sizes = self._snapshot.small_pictures() if self.choice.photographs else {}
        return {i: sizes[i] for i in self.shown_images if i in sizes and reader_of(sizes[i].codec)}

    @cached_property
    def shown_images(self) -> Mapping[int, None]:
        """The images that have a page, in order: those with a peak or a place in the strata of a published layer."""
        return dict.fromkeys(self._snapshot.images_of(sorted(self._ids)) if self.choice.photographs else ())

    def image(self, image: int) -> ImageRecord:
        """One image by its place in the image order. Raises UsageError if there is none."""
        found = self._snapshot.image(image)
        return found if self.choice.photographs else nameless(found)

    def images_named(self, text: str, most: int) -> tuple[ImageRecord, ...]:
        """The images with a page whose source or class holds a text; none without photographs."""
        return self._snapshot.images_named_of(self.shown_images, text, most)

    def left_out(self) -> tuple[tuple[tuple[str, int], ...], int]:
        """Why images were skipped, with how many for each reason, most first; and how many are duplicates."""
        reasons, duplicates = self._snapshot.left_out()
        if not self.choice.photographs:
            reasons = ((UNNAMED, sum(count for _, count in reasons)),) if reasons else ()
        return reasons, duplicates

    def statistic(self, name: str, layer_id: int | None = None, method: str | None = None) -> Any:
        """What was measured of the whole run under a name that pages tell; None if it was not."""
        if name not in STATISTICS or (layer_id, method) != (None, None):
            raise Withheld(f"the statistic {name} is not published")
        return self._snapshot.statistic(name)

    def sampled(self, layer_id: int | None = None) -> int | None:
        """How many images the strata and neighbours of a layer are taken from; of all layers, the fewest."""
        return self._snapshot.sampled(layer_id)

    def dissection(self) -> Dissection | None:
        """The published layers that were dissected; None where none was."""
        found, names = self._snapshot.dissection(), {layer.name for layer in self.layers}
        layers = tuple(layer for layer in found.layers if layer.layer in names) if found else ()
        return replace(found, layers=layers) if found and layers else None

    def made_of(self, layer_id: int, unit: int) -> tuple[MadeOf, ...]:
        """What a unit's peaks are made of, as each published earlier layer sees it, the nearest first."""
        names = {layer.name for layer in self.layers}
        return tuple(one for one in self._snapshot.made_of(layer_id, unit) if one.earlier in names)

    def makes(self, layer_id: int, unit: int) -> tuple[Makes, ...]:
        """The units of published later layers of whose peaks this one is among the strongest parts."""
        names = {layer.name for layer in self.layers}
        return tuple(one for one in self._snapshot.makes(layer_id, unit) if one.layer in names)

    def used_for(self, layer_id: int, unit: int) -> tuple[ClassUse, ...]:
        """The classes that a unit speaks for and against."""
        return self._snapshot.used_for(layer_id, unit)

    def interventions(self) -> Interventions | None:
        """Those on published layers; None where there are none."""
        found, names = self._snapshot.interventions(), {layer.name for layer in self.layers}
        layers = tuple(layer for layer in found.layers if layer.layer in names) if found else ()
        return replace(found, layers=layers) if found and layers else None

    def misfits(self) -> Misfits | None:
        """The images that do not fit their labels, which are told by their names; None without photographs."""
        return self._snapshot.misfits() if self.choice.photographs else None

    def peaks_in(self, image: int) -> tuple[tuple[int, int, Peak], ...]:
        """The peaks of published layers that lie in an image."""
        return tuple(found for found in self._snapshot.peaks_in(image) if found[0] in self._ids)

    def encoded_picture(self, image: int) -> Encoded | None:
        """An image's small whole picture as stored; None if none is published."""
        return self._snapshot.encoded_picture(image) if image in self.pictures else None

    def picture(self, image: int) -> np.ndarray | None:
        """An image's small whole picture, uint8[h, w, 3]; None if none is published."""
        return self._snapshot.picture(image) if image in self.pictures else None

    def has_picture(self, image: int) -> bool:
        """Whether a small whole picture of an image is published."""
        return image in self.pictures

    def images_with_pictures(self) -> frozenset[int]:
        """The images of which a small whole picture is published."""
        return frozenset(self.pictures)

    def units_with_sheets(self, layer_id: int, kind: str, method: str = "", view: str = "") -> frozenset[int]:
        """The units of a layer with published tiles of one kind, method and view."""
        found = self._snapshot.units_with_sheets(layer_id, kind, method, view)
        asked = (SheetKey(layer=layer_id, unit=unit, kind=kind, method=method, view=view) for unit in found)
        return frozenset(sheet.unit for sheet in asked if sheet in self.sheets)

    def sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> UnitSheet | None:
        """Tiles at the size in which they are stored; None if they are not published."""
        return self._published(self._snapshot.sheet, layer_id, unit, kind, method, view)

    def scales(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> np.ndarray | None:
        """The scales of published tiles."""
        return self._published(self._snapshot.scales, layer_id, unit, kind, method, view)

    def encoded_sheet(self, layer_id: int, unit: int, kind: str, method: str = "", view: str = "") -> Encoded | None:
        """Tiles as they are stored; None if they are not published."""
        return self._published(self._snapshot.encoded_sheet, layer_id, unit, kind, method, view)

    def _published(self, question: Callable[..., Any], layer: int, unit: int, kind: str, method: str, view: str) -> Any:
        key = SheetKey(layer=layer, unit=unit, kind=kind, method=method, view=view)
        return question(layer, unit, kind, method, view) if key in self.sheets else None


class EditionBook(Book):
    """An edition as pages hold it. Its state is one moment's, so what was read once is kept."""

    def __init__(self, slug: str, edition: Edition) -> None:
        super().__init__(slug, edition, "", settled=True, pictures=MOST_PICTURES)
        self.edition = edition
        # A page and its values are made one after the other.
        self.last_facts = LruCache[Any](1)
        self.network = edition.choice.network
