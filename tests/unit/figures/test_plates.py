"""Plates: the atlas's own tiles in the atlas's order, and captions that tell the truth."""

from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import UsageError
from layerscope.figures import overview, plate
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import MID_GRAY, Grid, Panel

DEAD, SPARSE = 11, 10


def grids(panel: Panel) -> list[Grid]:
    return [part for part in panel.parts if isinstance(part, Grid)]


def chosen(sheet: Sheet) -> list[int]:
    return [int(panel.heading.removeprefix("unit ")) for panel in sheet.panels]


@pytest.mark.parametrize(("layer", "method"), [("features.1", "deconvnet"), ("features.4", "guided")])
def test_the_tiles_are_the_atlas_s_best_first_projections_left_patches_right(file: AtlasFile, layer, method):
    """Pixel for pixel, in the order of units asked for, by the layer's own method."""
    sheet = plate(file, layer, units=[7, 2])
    layer_id = file.layer(layer).id
    assert chosen(sheet) == [7, 2]
    for unit, panel in zip([7, 2], sheet.panels, strict=True):
        left, right = grids(panel)
        for found, key in ((left, ("projections", method, "natural")), (right, ("patches", "", ""))):
            stored = file.sheet(layer_id, unit, *key)
            assert (found.kind, found.method, found.view) == key
            np.testing.assert_array_equal([tile.picture for tile in found.tiles], file.tiles(stored))
            assert (found.rows, found.columns) == (3, 3)


def test_a_sample_is_seeded_live_and_ascending(file: AtlasFile):
    """The same seed gives the same units, another seed others; a dead unit is never among them."""
    first, again, other = (chosen(plate(file, "features.1", count=5, seed=seed)) for seed in (0, 0, 1))
    assert first == again == sorted(set(first))
    assert first != other
    assert DEAD not in chosen(plate(file, "features.1", count=50))


def test_the_caption_says_what_was_done(file: AtlasFile):
    """Network, layer, units and how they were chosen, images, k, method and why, view, retention and selectivity."""
    sheet = plate(file, "features.1", count=5, seed=3)
    words = f"{sheet.title} {sheet.caption}"
    for said in (
        "features.1 of torchvision:smallnet",
        "5 of 12, a seeded sample (seed 3) of those that have a peak; 1 of the layer's 12 is never above zero",
        "Images: 38 of photos/ (40 images); k = 9",
        "Field 7 × 7 px",
        "Method: deconvnet (a plain chain)",
        "View: natural",
        "each tile on a scale of its own",
        "Retention 60 % (55 to 65 %, n = 64)",
        "the 15 % of its field that deconvnet marks most",
        "15 % on edges of the picture keep 30 %, 15 % at random 10 %.",
        "Selectivity 30 % (25 to 35 %, n = 60): what is marked for another unit active there keeps 30 %",
        "so the marks are partly this unit's own",
    ):
        assert said in words
    assert "51fe51fe" in sheet.footer


def test_the_caption_follows_the_request(file: AtlasFile):
    """Units named, another method and view, one scale for all: each is said; the sample's words are gone."""
    caption = plate(file, "features.1", units=[1], method="guided", view="signal", shared_scale=True).caption
    assert "Units: as asked for, 1 of 12" in caption
    assert "seeded" not in caption
    assert "Method: guided (as asked for; this layer's own is deconvnet). View: signal" in caption
    assert "all tiles of a unit on one scale" in caption
    assert "Retention 80 %" in caption


def test_all_live_units_are_said_to_be_all(file: AtlasFile):
    """A sample as large as the layer is no sample."""
    assert "Units: all 11 that have a peak" in plate(file, "features.1", count=11).caption


def test_without_captions_no_words_but_the_provenance_stay(file: AtlasFile):
    """For a paper with captions of its own."""
    sheet = plate(file, "features.1", count=2, captions=False)
    assert (sheet.title, sheet.caption, sheet.footer) == ("", "", "")
    assert sheet.provenance["fingerprint"] == file.run.fingerprint


def test_missing_peaks_are_exactly_mid_gray(file: AtlasFile):
    """Whatever a lossy codec left there; the tiles of the two peaks that exist are shown."""
    for part in grids(plate(file, "features.4", units=[SPARSE]).panels[0]):
        flat = [bool((tile.picture == MID_GRAY).all()) for tile in part.tiles]
        assert flat == [False] * 2 + [True] * 7
        assert not any(tile.note for tile in part.tiles)


def test_a_dead_unit_says_so(file: AtlasFile):
    """In words, with the number of images, over gray tiles."""
    for part in grids(plate(file, "features.4", units=[DEAD]).panels[0]):
        assert part.note == "never above zero in 38 images"
        assert all((tile.picture == MID_GRAY).all() for tile in part.tiles)


def test_a_tile_without_a_signal_says_so(copy: Path):
    """A scale of zero is not a gray picture: it is marked, and only there."""
    with AtlasWriter.resume(copy) as writer:
        scales = np.ones(9, np.float32)
        scales[4] = 0
        tiles = np.full((9, 8, 8, 3), 130, np.uint8)
        writer.put_sheet(0, 0, "projections", "deconvnet", "natural", scales, "png", encode(grid(tiles), "png"))
    with AtlasFile(copy) as opened:
        left, right = grids(plate(opened, "features.1", units=[0]).panels[0])
    assert [tile.note for tile in left.tiles] == [""] * 4 + ["no signal"] + [""] * 4
    assert (left.tiles[4].picture == MID_GRAY).all()
    assert not any(tile.note for tile in right.tiles)


def test_places_without_a_picture_are_explained(file: AtlasFile):
    """A unit with two peaks of nine leaves seven places empty; a dead one says so itself, and a full one has none."""
    said = "Places without a picture: {} fewer than 9 images."
    caption = plate(file, "features.4", units=[SPARSE, DEAD, 0]).caption
    assert said.format("1 of these units has its peaks in") in caption
    assert said.format("this unit has its peaks in") in plate(file, "features.4", units=[SPARSE]).caption
    assert "Places without" not in plate(file, "features.4", units=[DEAD, 0]).caption


def test_units_below_zero_are_told(copy: Path):
    """Where a unit's highest activation is below zero, what it leaves of a projection is explained; else nothing is."""
    said = "Even the highest activations of {} are below zero"
    with AtlasFile(copy) as opened:
        assert "below zero" not in plate(opened, "features.1", units=[0, 3]).caption
    with AtlasWriter.resume(copy) as writer, writer.transaction():
        writer._connection.execute("UPDATE peak SET value = value - 1000 WHERE layer = 0 AND unit = 3")
    with AtlasFile(copy) as opened:
        assert said.format("1 of these units") in plate(opened, "features.1", units=[0, 3]).caption
        assert said.format("this unit") in plate(opened, "features.1", units=[3]).caption


def test_a_unit_whose_tiles_were_not_kept_says_so_and_is_not_sampled(copy: Path):
    """A build may project only some units; the others are live, but cannot be shown."""
    with AtlasWriter.resume(copy) as writer, writer.transaction():
        writer._connection.execute("DELETE FROM sheet WHERE layer = 0 AND unit = 3")
    with AtlasFile(copy) as opened:
        assert 3 not in chosen(plate(opened, "features.1", count=12))
        for part in grids(plate(opened, "features.1", units=[3]).panels[0]):
            assert part.note == "not in this atlas"


def test_a_layer_without_projections_shows_its_patches(file: AtlasFile):
    """Dense layers are scanned; the caption speaks of patches only."""
    sheet = plate(file, "classifier.1", count=3)
    assert all([part.kind for part in grids(panel)] == ["patches"] for panel in sheet.panels)
    assert "projections" not in sheet.caption
    assert "Method" not in sheet.caption
    assert "Field: the whole picture" in sheet.caption


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": "features.9"}, 'no layer "features.9"; did you mean'),
        ({"units": [12]}, "units 0 to 11, there is no unit 12"),
        ({"units": [-1]}, "units 0 to 11, there is no unit -1"),
        ({"units": iter(["two"])}, "whole number, got 'two'"),
        ({"units": []}, "no units"),
        ({"count": 0}, "at least 1 unit"),
        ({"columns": 0}, "at least 1 column"),
        ({"method": "guidde"}, "this atlas holds deconvnet, guided; did you mean guided?"),
        ({"method": "gradient"}, "this atlas holds deconvnet, guided"),
        ({"layer": "classifier.1", "method": "guided"}, "has no projections"),
        ({"view": "raw"}, 'no view "raw": this atlas holds natural, signal'),
    ],
)
def test_bad_input_is_one_sentence(file: AtlasFile, options, said):
    """It names what is wrong and what this atlas holds."""
    with pytest.raises(UsageError) as raised:
        plate(file, **{"layer": "features.1", **options})
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_columns_follow_the_request_and_never_exceed_the_units(file: AtlasFile):
    """Two units make two columns at most."""
    assert plate(file, "features.1", count=2).columns == 2
    assert plate(file, "features.1", count=8).columns == 4
    assert plate(file, "features.1", count=8, columns=3).columns == 3


def test_an_overview_has_one_row_a_layer(file: AtlasFile):
    """Each row opens with the layer's name, field and method, and holds `count` units of it."""
    sheet = overview(file, 3)
    assert sheet.columns == 3
    assert [panel.section for panel in sheet.panels] == [
        *("features.1", "", ""),
        *("features.4", "", ""),
        *("classifier.1", "", ""),
    ]
    assert "field 23 × 23 px" in sheet.panels[3].section_note
    assert "guided, kept 80 % (edges 40 %, random 10 %)" in sheet.panels[3].section_note
    assert "patches only" in sheet.panels[6].section_note
    with pytest.raises(UsageError, match="at least 1 unit a layer"):
        overview(file, 0)
