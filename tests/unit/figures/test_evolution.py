"""The figure of an evolution: every cell in its place, jumps where they are, words that say what was done."""

import json

import numpy as np
import pytest
from PIL import Image

from layerscope.core.evolution import Evolution, LayerEvolution
from layerscope.core.geometry import Field, Window
from layerscope.figures.evolution import evolution
from layerscope.figures.layout import lay_out
from layerscope.figures.page import ACCENT, Line, PlacedPicture, Words
from layerscope.figures.tree import Grid

EPOCHS = (1, 2, 5, 10)
AXIS = Window(size=3, step=1, start=0)


def layer(name: str, images: list[list[int]], side: int = 6, units: int = 8, alive: int = 7) -> LayerEvolution:
    """A layer whose tiles' levels count the cells."""
    count, epochs = len(images), len(images[0])
    shape = (count, epochs)
    cells = np.arange(count * epochs, dtype=np.uint8).reshape(*shape, 1, 1, 1)
    tiles = np.broadcast_to(cells, (*shape, side, side, 3)).copy()
    image = np.array(images, np.int64)
    zeros = np.zeros(shape, np.int32)
    curve = np.linspace(0, 1, epochs)
    return LayerEvolution(
        name=name, field=Field(rows=AXIS, cols=AXIS), units=units, alive=alive, sample=tuple(range(count)), side=side,
        value=np.where(image < 0, -np.inf, 1.0).astype(np.float32), image=image, row=zeros, col=zeros,
        projections=tiles, patches=255 - tiles, same_image=curve, correlation=curve,
        correlation_of_others=np.full(epochs, np.nan),
    )  # fmt: skip


def record(*layers: LayerEvolution, epochs: tuple[int, ...] = EPOCHS, correlated: int = 20) -> Evolution:
    return Evolution(
        network="tinynet", input_size=(12, 12), epochs=epochs, layers=layers, images="photos/", count=20,
        correlated=correlated, names={}, method="deconvnet", view="natural", seed=3,
        checkpoints=tuple(str(epoch) * 64 for epoch in epochs),
    )  # fmt: skip


FOUND = record(layer("conv1", [[5, 5, 6, 6], [-1, 2, 2, 3], [1, 1, 1, 1]]), layer("conv2", [[1, 2, 3, 4]], side=9))


def test_every_unit_and_epoch_has_its_two_cells():
    """Rows are units and columns epochs, projections left of patches, one panel for each layer."""
    sheet = evolution(FOUND)
    assert [panel.section for panel in sheet.panels] == ["conv1", "conv2"]
    assert len(sheet.tiles) == 2 * (3 * 4 + 1 * 4)
    left, right, _ = sheet.panels[0].parts
    assert isinstance(left, Grid) and isinstance(right, Grid)
    assert (left.columns, left.rows) == (right.columns, right.rows) == (4, 3)
    assert [tile.picture[0, 0, 0] for tile in left.tiles] == list(range(12))
    assert [tile.picture[0, 0, 0] for tile in right.tiles] == list(range(255, 243, -1))
    assert left.column_labels == right.column_labels == ("1", "2", "5", "10")
    assert left.row_labels == ("0", "1", "2")


def test_bars_stand_where_images_changed():
    """One bar for each jump in each of the two grids, and none for a unit's first peak."""
    page = lay_out(evolution(FOUND), 7.0)
    bars = [item for item in page.items if isinstance(item, Line) and item.colour == ACCENT and item.weight > 1.5]
    assert int(sum(layer.jumps.sum() for layer in FOUND.layers)) == 5
    assert len(bars) == 2 * 5
    left, *_ = evolution(FOUND).panels[0].parts
    assert isinstance(left, Grid)
    assert [index for index, tile in enumerate(left.tiles) if tile.changed] == [2, 7]


def test_cells_without_a_peak_say_so():
    """A unit that has no peak at an epoch is called dead there."""
    left, right, _ = evolution(FOUND).panels[0].parts
    for grid in (left, right):
        assert isinstance(grid, Grid)
        assert [index for index, tile in enumerate(grid.tiles) if tile.note] == [4]


@pytest.mark.parametrize("count", [2, 4, 9, 24])
def test_both_grids_have_cells_of_one_readable_size(count):
    """However many epochs there are, on a page that is wide enough for them."""
    images = [[1] * count, [2] * count]
    found = record(layer("conv1", images), layer("conv2", images, side=9), epochs=tuple(range(1, count + 1)))
    sheet = evolution(found)
    page = lay_out(sheet, sheet.width)
    areas = [item.area for item in page.items if isinstance(item, PlacedPicture)]
    sides = [area.width / count for area in areas]
    assert sides == pytest.approx([sides[0]] * 4, abs=1e-6)
    assert 0.25 - 1e-6 <= sides[0] <= 0.36 + 1e-6
    assert [area.height / 2 for area in areas] == pytest.approx(sides)


def test_curves_are_the_records():
    """Three curves at the epochs; what is not defined is not drawn."""
    *_, chart = evolution(FOUND).panels[0].parts
    assert [curve.values[-1] for curve in chart.curves][:2] == [1, 1]
    assert chart.ticks == ((0, "1"), (1, "2"), (2, "5"), (3, "10"))
    page = lay_out(evolution(FOUND), 7.0)
    lines = [item for item in page.items if isinstance(item, Line)]
    assert np.isfinite([(line.start, line.end) for line in lines]).all()


def test_the_words_say_what_was_done():
    """Images, choice of units, method, view and the dead stand on the page."""
    sheet = evolution(record(*FOUND.layers, correlated=10))
    for said in ("20 of photos/", "seed 3", "deconvnet", "natural", "epoch 10", "over 10 of them"):
        assert said in sheet.caption
    assert "1 of 8 units dead at epoch 10" in sheet.panels[0].section_note
    assert any(isinstance(item, Words) and item.text == "unit" for item in lay_out(sheet, 7.0).items)


def test_the_file_knows_what_made_it(tmp_path):
    """Provenance stands in the metadata, and the same record gives the same bytes."""
    first, second = (evolution(FOUND).save(tmp_path / name, dpi=60) for name in ("a.png", "b.png"))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        made = json.loads(picture.info["layerscope"])
    assert made["checkpoints"]["10"] == "10" * 64
    assert made["figure"] == {"kind": "evolution", "layers": {"conv1": [0, 1, 2], "conv2": [0]}}
