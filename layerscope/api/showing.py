"""An atlas as rows of plain values: its layers, the units of a layer, the peaks of a unit. No torch."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any, Literal

from layerscope.api.atlas import Atlas, AtlasLayer, Unit
from layerscope.api.atlas import open as open_atlas
from layerscope.api.checked import checked
from layerscope.api.inputs import field_data
from layerscope.api.sentences import unit_sentences
from layerscope.core import settings as s
from layerscope.core.geometry import Box
from layerscope.core.verbs import VERBS
from layerscope.facts.known_as import favourites, known_as, naming_concepts
from layerscope.facts.layer import guesses
from layerscope.facts.standing import at_peaks
from layerscope.facts.unit import concept_of


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Rows of an atlas.

    kind: what a row is. rows: in the order in which they are told. about: what they belong to, as plain values.
    said: what the unit is named by and for what, and what its marked px keep, in words; empty
    for other kinds. finished: whether the atlas is.
    """

    kind: Literal["layers", "units", "peaks"]
    rows: tuple[Mapping[str, Any], ...]
    about: Mapping[str, Any]
    said: str = ""
    finished: bool

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {**self.about, self.kind: [dict(row) for row in self.rows]}


@checked(VERBS["show"])
def show(
    atlas: Atlas | str | PathLike[str], layer: str | None = s.LAYER.default, unit: int | None = s.UNIT.default
) -> Shown:
    """Show the layers of an atlas, the units of a layer with the highest maximum first, or the peaks of a unit.

    Raises AtlasError for a file that is no atlas, UsageError for a layer or unit that it does not have.
    """
    with nullcontext(atlas) if isinstance(atlas, Atlas) else open_atlas(atlas) as held:
        if layer is None:
            return _layers(held)
        return _units(held, held[layer]) if unit is None else _peaks(held, held[layer][unit])


def _scanned(atlas: Atlas) -> dict[str, list[dict[str, Any]]]:
    """By layer, what the scan counted for each of its units; nothing for a layer that was not scanned yet."""
    columns, rows = atlas.file.table("units")
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        named = dict(zip(columns, row, strict=True))
        found[named.pop("layer")].append(named)
    return found


def _layers(atlas: Atlas) -> Shown:
    """In execution order. dead: units without a peak, None before the scan. named: units that a concept names, without
    the doubtful ones, None where nobody dissected the layer; concepts: which. kept: the mean retention of the plate's
    method, None where it was not measured."""
    units = _scanned(atlas)
    rows: list[dict[str, Any]] = []
    for stored in atlas.file.layers:
        layer, scanned = stored.record, units.get(stored.name)
        retention = atlas.file.retention(stored.id, stored.method)
        naming = naming_concepts(atlas.file, stored)
        rows.append(
            {
                "name": layer.name,
                "kind": layer.kind,
                "units": layer.units,
                "dead": None if scanned is None else sum(unit["peaks"] == 0 for unit in scanned),
                "map": list(layer.map) if layer.map else None,
                "field": field_data(layer.field, atlas.run.input),
                "auto": layer.auto,
                "tile": stored.tile,
                "method": stored.method,
                "kept": retention.own.mean if retention else None,
                "method_why": stored.method_why,
                "named": sum(one.units for one in naming) if atlas.file.concepts(stored.id) else None,
                "concepts": [asdict(one) for one in naming],
            }
        )
    return Shown(kind="layers", rows=tuple(rows), about={"atlas": str(atlas.file.path)}, finished=atlas.finished)


def _units(atlas: Atlas, layer: AtlasLayer) -> Shown:
    """Highest maximum first; a unit with a concept says it, and what its peaks show where that is doubtful. words: what
    it is known as in a few words, the classes that excite it most where it has no name."""
    units = sorted(_scanned(atlas).get(layer.name, ()), key=lambda unit: (-unit["maximum"], unit["unit"]))
    concepts, doubtful = guesses(layer.concepts), at_peaks(atlas.file, layer.stored)
    said: dict[int, dict[str, Any]] = {unit: {"words": few} for unit, few in known_as(atlas.file, layer.stored).items()}
    for unit, best in concepts.items():
        said[unit]["concept"] = asdict(best)
    for unit, shown in doubtful.items():
        said[unit]["at_peaks"] = shown
    rows = [unit | said.get(unit["unit"], {}) for unit in units]
    return Shown(kind="units", rows=tuple(rows), about={"layer": layer.name}, finished=atlas.finished)


def _peaks(atlas: Atlas, unit: Unit) -> Shown:
    """Best first; boxes in px of the input and of the source picture."""
    rows: list[dict[str, Any]] = []
    for peak in unit.peaks:
        image = atlas.file.image(peak.image)
        boxes = {name: _box(getattr(peak, name)) for name in ("box", "tile_box", "source_box")}
        plain = {name: getattr(peak, name) for name in ("rank", "value", "image", "row", "col")}
        rows.append({**plain, "source": image.source, "class": image.label, **boxes})
    concept = asdict(unit.concept) if unit.concept else None
    stored = unit.layer.stored
    kept = atlas.file.kept_by(stored.id, unit.number)
    about: dict[str, Any] = {"layer": unit.layer.name, "unit": unit.number, "concept": concept, "note": unit.note}
    found = concept_of(atlas.file.concepts(stored.id), unit.number)
    about["runners_up"] = [asdict(one) for one in found.runners_up] if found is not None else []
    about["classes"] = list(favourites(atlas.file, stored, [unit.number]).get(unit.number, ()))
    about["kept"] = [asdict(one) for one in kept]
    said = "\n".join(unit_sentences(atlas.file, stored, unit.number))
    return Shown(kind="peaks", rows=tuple(rows), about=about, said=said, finished=atlas.finished)


def _box(box: Box | None) -> dict[str, int] | None:
    return None if box is None else {side: getattr(box, side) for side in ("top", "left", "bottom", "right")}
