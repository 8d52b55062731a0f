"""What is shown of a stratum: a square on the field's centre, inside the input."""

from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.geometry import Box
from layerscope.pipeline.strata import tile_box
from tests.helpers.atlases import INPUT, SIDE, layer_records

CHAIN, DEEP, DENSE = layer_records(12)


@given(side=st.integers(8, SIDE), row=st.integers(0, 15), col=st.integers(0, 15))
def test_a_tile_is_a_square_on_the_fields_centre(side, row, col) -> None:
    """Of the layer's side and inside; where the border does not push it, at most half a px off the field's centre."""
    box = tile_box(AtlasLayerRecord(id=4, record=DEEP, tile=side), row, col, INPUT)
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


def test_known_tiles() -> None:
    """Layer features.1: fields of 7 px every 2 px from -3 on. A dense layer shows the whole input."""
    layer = AtlasLayerRecord(id=2, record=CHAIN, tile=8)
    assert tile_box(layer, 10, 20, INPUT) == Box(top=16, left=36, bottom=24, right=44)
    assert tile_box(layer, 0, 31, INPUT) == Box(top=0, left=56, bottom=8, right=64)
    dense = AtlasLayerRecord(id=6, record=DENSE, tile=SIDE)
    assert tile_box(dense, 0, 0, INPUT) == Box(top=0, left=0, bottom=SIDE, right=SIDE)
