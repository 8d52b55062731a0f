"""What a unit's peaks are made of, and which later units are made of it: units with their shares and patches."""

from collections.abc import Mapping
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.shares import MadeOf
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.shelf import Book

# Of the later units so many are shown.
MOST_MADE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PartUnit:
    """A unit of another layer. share: of the activation, the mean over the peaks. spread: its standard deviation over
    them, None of a later unit. name: what it is called, or "". sheet: its patches."""

    layer: AtlasLayerRecord
    unit: int
    share: float
    spread: float | None
    name: str
    sheet: SheetKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitParts:
    """What a unit is made of, as the nearest earlier layer sees it. whole: the sums. units: the strongest."""

    whole: MadeOf
    units: tuple[PartUnit, ...]


def unit_parts(book: Book, layer: AtlasLayerRecord, unit: int) -> UnitParts | None:
    """What a unit is made of; None where the atlas does not know."""
    found = next(iter(book.file.made_of(layer.id, unit)), None)
    if found is None:
        return None
    earlier = book.layer(found.earlier)
    named = book.called(earlier)
    units = (_part(book, earlier, named, one.unit, one.share, one.spread) for one in found.strongest)
    return UnitParts(whole=found, units=tuple(units))


def made_units(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[PartUnit, ...]:
    """Of the nearest later layer, the units that a unit speaks most for."""
    found = [one for one in book.file.makes(layer.id, unit) if one.share > 0]
    if not found:
        return ()
    later = book.layer(found[0].layer)
    named = book.called(later)
    mine = [one for one in found if one.layer == found[0].layer][:MOST_MADE]
    return tuple(_part(book, later, named, one.unit, one.share, None) for one in mine)


def _part(
    book: Book, layer: AtlasLayerRecord, named: Mapping[int, str], unit: int, share: float, spread: float | None
) -> PartUnit:
    return PartUnit(
        layer=layer, unit=unit, share=share, spread=spread, name=named.get(unit, ""),
        sheet=book.sheet(layer, unit, "patches"),
    )  # fmt: skip
