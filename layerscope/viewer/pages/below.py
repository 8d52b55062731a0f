"""What lies below a unit's peaks and beside it: images around lower percentiles, and the units nearest to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord, Neighbour
from layerscope.core.strata import NEAR_DUPLICATE, PERCENTILES
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumTile:
    """A patch of the strata's sheet. rank: its column there. shown: its place is known."""

    rank: int
    value: float
    image: int
    label: str | None
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumRow:
    percentile: int
    row: int
    tiles: tuple[StratumTile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearUnit:
    """Another unit of the layer whose image maxima go with this one's. duplicate: nearly the same. name: what it is
    called, or "". sheet: its patches."""

    unit: int
    correlation: float
    duplicate: bool
    name: str
    sheet: SheetKey | None


def strata_rows(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[StratumRow, ...]:
    """The unit's strata, the highest percentile first; none where the atlas has none."""
    found = book.file.strata(layer.id, unit)
    labels = {one.image: book.file.image(one.image).label for one in found}
    return tuple(
        StratumRow(
            percentile=percentile,
            row=row,
            tiles=tuple(
                StratumTile(
                    rank=one.rank,
                    value=one.value,
                    image=one.image,
                    label=labels[one.image],
                    shown=one.source_box is not None,
                )
                for one in found
                if one.percentile == percentile
            ),
        )
        for row, percentile in enumerate(PERCENTILES)
        if any(one.percentile == percentile for one in found)
    )


def near_units(book: Book, layer: AtlasLayerRecord, unit: int) -> tuple[NearUnit, ...]:
    """The units of the layer that are nearest to a unit, the nearest first."""
    found = book.asked(("near", layer.id), lambda: _by_unit(book.file.neighbours(layer.id))).get(unit, ())
    named = book.called(layer) if found else {}
    return tuple(
        NearUnit(
            unit=one.other,
            correlation=one.correlation,
            duplicate=one.correlation >= NEAR_DUPLICATE,
            name=named.get(one.other, ""),
            sheet=book.sheet(layer, one.other, "patches"),
        )
        for one in found
    )


def _by_unit(neighbours: Iterable[Neighbour]) -> dict[int, list[Neighbour]]:
    """In their order."""
    found: dict[int, list[Neighbour]] = {}
    for one in neighbours:
        found.setdefault(one.unit, []).append(one)
    return found
