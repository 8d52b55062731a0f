"""A unit's page: a column a peak, boxes where they belong, and the numbers of the scan."""

from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import UsageError
from layerscope.figures import unit_page
from layerscope.figures.layout import lay_out
from layerscope.figures.page import Words
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Chart, Grid
from tests.helpers.atlases import PLACEMENT, SIDE, small_atlas


def parts(sheet: Sheet, kind: type) -> list:
    return [part for panel in sheet.panels for part in panel.parts if isinstance(part, kind)]


def test_a_column_is_a_peak(file: AtlasFile):
    """Rows: whole picture, patch, then each method in each view; columns: the peaks, best first."""
    (grid,) = parts(unit_page(file, "features.4", 5), Grid)
    assert grid.columns == 9
    assert grid.row_labels == (
        *("picture", "patch", "deconvnet\nnatural", "deconvnet\nsignal"),
        *("guided\nnatural", "guided\nsignal"),
    )
    rows = [[tile.picture for tile in grid.tiles[row * 9 : row * 9 + 9]] for row in range(grid.rows)]
    peaks = file.peaks(1, 5)
    for picture, peak in zip(rows[0], peaks, strict=True):
        np.testing.assert_array_equal(picture, file.picture(peak.image))
    np.testing.assert_array_equal(rows[1], file.tiles(file.sheet(1, 5, "patches")))
    np.testing.assert_array_equal(rows[5], file.tiles(file.sheet(1, 5, "projections", "guided", "signal")))


def test_pictures_carry_value_and_class(file: AtlasFile):
    """To three digits, best first."""
    (grid,) = parts(unit_page(file, "features.4", 5), Grid)
    for tile, peak in zip(grid.tiles, file.peaks(1, 5), strict=False):
        value, label = tile.caption.splitlines()
        assert float(value) == pytest.approx(peak.value, rel=5e-3)
        assert label == file.image(peak.image).label


def test_boxes_lie_where_the_placement_puts_them(file: AtlasFile):
    """Field dashed and tile solid, on the small picture, to one px; a field beyond the border stays beyond it."""
    (grid,) = parts(unit_page(file, "features.4", 5), Grid)
    crossed = 0
    for tile, peak in zip(grid.tiles, file.peaks(1, 5), strict=False):
        field, box = tile.marks
        assert (field.dashed, box.dashed) == (True, False)
        for mark, truth in ((field, peak.box), (box, peak.tile_box)):
            rows = [
                (PLACEMENT.top + edge * PLACEMENT.row_scale) * SIDE / PLACEMENT.height
                for edge in (truth.top, truth.bottom)
            ]
            cols = [
                (PLACEMENT.left + edge * PLACEMENT.col_scale) * SIDE / PLACEMENT.width
                for edge in (truth.left, truth.right)
            ]
            found = [mark.box.top, mark.box.bottom, mark.box.left, mark.box.right]
            assert np.abs(np.subtract(found, rows + cols)).max() <= 1
        crossed += field.box != field.box.clipped(SIDE, SIDE)
    assert crossed


def test_the_histogram_counts_all_images_and_marks_the_peaks(file: AtlasFile):
    """Whatever the bins that are left out."""
    (histogram, *_) = parts(unit_page(file, "features.4", 5), Chart)
    assert sum(bar.value for bar in histogram.bars) == file.unit_statistics(1).histogram[5].sum()
    assert len(histogram.marks) <= 9


def test_classes_are_ordered_by_mean_with_their_prior(file: AtlasFile):
    """A class's bar is the mean of its images' maxima; the words give its share of the images."""
    _, classes = parts(unit_page(file, "features.4", 5), Chart)
    names, counts = file.statistic("classes"), file.statistic("class_counts")
    means = dict(zip(names, file.unit_statistics(1).class_means[5], strict=True))
    assert [bar.label for bar in classes.bars] == sorted(names, key=lambda name: -means[name])
    assert all(bar.value == pytest.approx(means[bar.label]) for bar in classes.bars)
    share = 100 * counts[names.index(classes.bars[0].label)] / sum(counts)
    assert f"{share:.0f} % of images" in classes.bars[0].note
    labels = [file.image(peak.image).label for peak in file.peaks(1, 5)]
    for bar in classes.bars:
        assert (f"{labels.count(bar.label)} of 9 peaks" in bar.note) == (bar.label in labels)


@pytest.mark.parametrize("inches", [7.0, 12.0])
def test_the_words_of_classes_are_whole(file: AtlasFile, inches: float):
    """Names, means, shares and counts of peaks: none is cut at a page's own width."""
    sheet = unit_page(file, "features.4", 5)
    words = [item.text for item in lay_out(sheet, inches).items if isinstance(item, Words)]
    _, classes = parts(sheet, Chart)
    assert any("peaks" in bar.note for bar in classes.bars)
    for bar in classes.bars:
        assert bar.label in words and bar.note in words


def test_a_dead_unit_has_words_only(file: AtlasFile):
    """Nothing is drawn where there is nothing."""
    sheet = unit_page(file, "features.4", 11)
    assert sheet.panels == ()
    assert "No peaks: never above zero in 38 images" in sheet.caption
    assert sheet._repr_png_().startswith(b"\x89PNG")


def test_pictures_that_were_left_out_are_said_to_be(copy: Path):
    """An atlas without whole pictures has a page all the same."""
    with AtlasWriter.resume(copy) as writer, writer.transaction():
        writer._connection.execute("DELETE FROM picture")
    with AtlasFile(copy) as opened:
        (grid,) = parts(unit_page(opened, "features.4", 5), Grid)
    assert [tile.note for tile in grid.tiles[:9]] == ["not kept"] * 9


def test_without_tiles_the_field_is_drawn_all_the_same(file: AtlasFile, copy: Path):
    """Where it was with them, inside the picture, to one px; there is no tiles' box then."""
    with AtlasWriter.resume(copy) as writer, writer.transaction():
        edges = [f"{kind}_{edge} = NULL" for kind in ("tile", "source") for edge in ("top", "left", "bottom", "right")]
        writer._connection.execute(f"UPDATE peak SET {', '.join(edges)}")
    with AtlasFile(copy) as opened:
        (bare,) = parts(unit_page(opened, "features.4", 5), Grid)
    (whole,) = parts(unit_page(file, "features.4", 5), Grid)
    for one, other in zip(bare.tiles[:9], whole.tiles[:9], strict=True):
        (field,), known = one.marks, other.marks[0].box.clipped(SIDE, SIDE)
        assert field.dashed
        for edge in ("top", "left", "bottom", "right"):
            assert abs(getattr(field.box, edge) - getattr(known, edge)) <= 1


def test_many_peaks_show_the_nine_highest(tmp_path: Path):
    """And few show what there is."""
    for k, columns in ((16, 9), (4, 4)):
        with AtlasFile(small_atlas(tmp_path / f"{k}.atlas", k=k, units=6, images=24)) as opened:
            sheet = unit_page(opened, "features.4", 2)
        assert parts(sheet, Grid)[0].columns == columns
        assert f"the {'nine' if columns == 9 else 'four'} highest peaks" in sheet.caption


def test_a_layer_without_projections_has_a_page(file: AtlasFile):
    """Pictures and patches; no row of projections, no specificity."""
    sheet = unit_page(file, "classifier.1", 2)
    assert parts(sheet, Grid)[0].row_labels == ("picture", "patch")
    assert "Retention" not in sheet.caption and "Specificity" not in sheet.caption


def test_an_unknown_unit_is_refused(file: AtlasFile):
    """With the units that there are."""
    with pytest.raises(UsageError, match="units 0 to 11, there is no unit 12"):
        unit_page(file, "features.4", 12)
