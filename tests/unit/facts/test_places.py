"""Where a unit looks on a source picture: with a stored tile and without one alike, and nothing where it is a guess."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord
from layerscope.facts.peaks import seen_peaks
from layerscope.facts.places import PeakPlace, central_box, place_of, placement_in
from tests.helpers.atlases import INPUT, PLACEMENT, SIDE, layer_records, small_atlas

CHAIN, DEEP, DENSE = layer_records(12)
EDGES = ("top", "left", "bottom", "right")
NO_BOXES = ", ".join(f"{kind}_{edge} = NULL" for kind in ("tile", "source") for edge in EDGES)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("places") / "small.atlas", units=6, images=20)


def changed(atlas: Path, folder: Path, *statements: str) -> AtlasFile:
    """A copy with these changes, opened."""
    copy = Path(shutil.copy(atlas, folder / "changed.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return AtlasFile(copy)


@given(side=st.integers(8, SIDE), row=st.integers(0, 15), col=st.integers(0, 15))
def test_what_is_cut_is_a_square_on_the_fields_centre(side, row, col) -> None:
    """Of the layer's side and inside; where the border does not push it, at most half a px off the field's centre."""
    box = central_box(AtlasLayerRecord(id=4, record=DEEP, tile=side), row, col, INPUT)
    assert (box.height, box.width) == (side, side)
    assert min(box.top, box.left) >= 0 and max(box.bottom, box.right) <= SIDE
    field = DEEP.field.box(row, col)
    for low, high, first, last in (
        (box.top, box.bottom, field.top, field.bottom),
        (box.left, box.right, field.left, field.right),
    ):
        off = (low + high - first - last) / 2
        pushed_up, pushed_down = low == 0 and off > 0, high == SIDE and off < 0
        assert abs(off) <= 0.5 or pushed_up or pushed_down


def test_known_squares() -> None:
    """Layer features.1: fields of 7 px every 2 px from -3 on. A dense layer shows the whole input, and a layer whose
    tiles are not made yet, its field inside the input."""
    layer = AtlasLayerRecord(id=2, record=CHAIN, tile=8)
    assert central_box(layer, 10, 20, INPUT) == Box(top=16, left=36, bottom=24, right=44)
    assert central_box(layer, 0, 31, INPUT) == Box(top=0, left=56, bottom=8, right=64)
    assert central_box(replace(layer, tile=None), 0, 31, INPUT) == Box(top=0, left=59, bottom=4, right=64)
    dense = AtlasLayerRecord(id=6, record=DENSE, tile=SIDE)
    assert central_box(dense, 0, 0, INPUT) == Box(top=0, left=0, bottom=SIDE, right=SIDE)


def test_without_tiles_a_peak_lies_where_it_lay_with_them(atlas, tmp_path) -> None:
    """Stored tiles of the small atlas lie on the centres of their fields: once their boxes are gone, the same square
    is cut, and the field is the same to a px of rounding."""
    with AtlasFile(atlas) as file, changed(atlas, tmp_path, f"UPDATE peak SET {NO_BOXES}") as bare:
        for layer in file.layers:
            for unit in range(layer.record.units):
                for one, other in zip(seen_peaks(file, layer, unit), seen_peaks(bare, layer, unit), strict=True):
                    assert one.cut is None and other.tile is None
                    assert other.cut == one.tile
                    for edge in EDGES:
                        assert abs(getattr(one.field, edge) - getattr(other.field, edge)) <= 1
                    inside = replace(one, field=None, tile=None), replace(other, field=None, cut=None)
                    assert inside[0] == inside[1]


def test_how_the_input_lay_on_a_picture(atlas, tmp_path) -> None:
    """As pictures are prepared. One as large as the input may have been taken as it is: then stored boxes decide, and
    without any, or where both would do, nothing is said."""
    with AtlasFile(atlas) as file:
        assert placement_in(file, file.image(0)) == PLACEMENT
        assert placement_in(file, ImageRecord(id=0, source="skipped")) is None
        peak, layer = file.peaks(0, 0)[0], file.layers[0]
        assert place_of(file, layer, peak, ImageRecord(id=0, source="skipped")) == PeakPlace()
    inside = "UPDATE run SET input = json_set(input, '$.resize', 80)"
    small = f"UPDATE image SET height = {SIDE}, width = {SIDE}"
    as_it_is = ", ".join(f"source_{edge} = tile_{edge}" for edge in EDGES)
    for boxes, scale in ((f"SET {as_it_is}", 1.0), (f"SET {NO_BOXES}", None)):
        with changed(atlas, tmp_path, inside, small, f"UPDATE peak {boxes}") as file:
            image = file.peaks(0, 0)[0].image
            found = placement_in(file, file.image(image))
            assert (found and found.row_scale) == scale
