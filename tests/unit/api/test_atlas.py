"""What a user holds of an atlas: layers by name, units by number, tiles as pixels, tables as data frames."""

import subprocess
import sys

import numpy as np
import pytest

from layerscope.api.atlas import Atlas, AtlasLayer, Peak, Unit
from layerscope.api.atlas import open as open_atlas
from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import AtlasError, UsageError
from tests.helpers.atlases import CLASSES, picture, small_atlas


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return small_atlas(tmp_path_factory.mktemp("api") / "small.atlas", units=6, images=24)


@pytest.fixture(scope="module")
def atlas(path):
    with open_atlas(path) as opened:
        yield opened


def test_an_atlas_is_a_collection_of_layers(atlas):
    """Length, order and names agree however layers are reached; aliases reach the same layer."""
    names = ["features.1", "features.4", "classifier.1"]
    assert len(atlas) == 3
    assert [layer.name for layer in atlas] == [layer.name for layer in atlas.layers] == names
    assert all(isinstance(layer, AtlasLayer) for layer in atlas.layers)
    assert atlas["features"].name == "features.4"
    with pytest.raises(UsageError, match=r'has no layer "features.44"; did you mean features.4'):
        atlas["features.44"]


def test_a_layer_shows_its_record(atlas):
    """Kind, units, map, field and choice are those that were written; a dense layer has no map."""
    layer = atlas["features.4"]
    assert (layer.kind, layer.units, layer.map, layer.auto, layer.method) == ("relu", 6, (16, 16), True, "guided")
    assert layer.field.box(row=0, col=1).left == -7
    assert atlas["classifier.1"].map is None


def test_a_layer_is_a_collection_of_units(atlas):
    """Units are counted from 0; any integer will do."""
    layer = atlas["features.4"]
    assert len(layer) == 6
    assert [unit.number for unit in layer] == list(range(6))
    assert layer[np.int64(3)].number == 3
    assert isinstance(layer[3], Unit)


@pytest.mark.parametrize("unit", [6, -1, 10**9])
def test_a_unit_that_does_not_exist_is_refused(atlas, unit):
    """The sentence names the range; a negative number counts from no end."""
    with pytest.raises(UsageError, match=rf'layer "features.4" has units 0 to 5, and no unit {unit}'):
        atlas["features.4"][unit]


def test_peaks_carry_all_their_places(atlas):
    """Best first, with the field that the layer's window gives, and boxes of the tile and the source picture."""
    layer = atlas["features.4"]
    peaks = layer[0].peaks
    assert all(isinstance(peak, Peak) for peak in peaks)
    assert [peak.rank for peak in peaks] == list(range(9))
    assert sorted((peak.value for peak in peaks), reverse=True) == [peak.value for peak in peaks]
    assert all(peak.box == layer.field.box(peak.row, peak.col) for peak in peaks)
    assert all(peak.tile_box.height == 24 and peak.source_box.height == 48 for peak in peaks)
    assert [len(unit.peaks) for unit in layer] == [9, 9, 9, 9, 2, 0]


def test_a_patch_is_what_the_picture_shows_at_the_peak(atlas):
    """patch(rank) is the picture within the peak's tile box."""
    unit = atlas["features.4"][2]
    for peak in unit.peaks:
        box = peak.tile_box
        expected = picture(peak.image)[box.top : box.bottom, box.left : box.right].astype(int)
        found = unit.patch(peak.rank)
        assert found.dtype == np.uint8
        assert np.abs(found - expected).mean() < 12


def test_a_projection_is_of_the_method_and_view_asked_for(atlas):
    """Without a method it is the plate's; every method and view gives another picture; zero is mid-gray."""
    unit = atlas["features.4"][0]
    seen = {
        (method, view): unit.projection(0, method, view=view).astype(float)
        for method in ("deconvnet", "guided")
        for view in ("natural", "signal")
    }
    np.testing.assert_array_equal(unit.projection(0), seen["guided", "natural"])
    assert seen["deconvnet", "natural"].mean() > 128 > seen["guided", "natural"].mean()
    assert seen["guided", "signal"].std() > seen["guided", "natural"].std() / 2
    assert len({pixels.tobytes() for pixels in seen.values()}) == 4


@pytest.mark.parametrize(
    ("layer", "unit", "ask", "sentence"),
    [
        ("features.4", 0, lambda u: u.patch(9), "unit 0 has peaks of rank 0 to 8, and none of rank 9"),
        ("features.4", 4, lambda u: u.patch(2), "unit 4 has peaks of rank 0 to 1, and none of rank 2"),
        ("features.4", 0, lambda u: u.projection(-1), "none of rank -1"),
        ("features.4", 5, lambda u: u.patch(0), "unit 5 has no peaks: it was never above zero"),
        (
            "features.4",
            0,
            lambda u: u.projection(0, "gradient"),
            'no projections by "gradient" in this atlas, only',
        ),
        ("features.4", 0, lambda u: u.projection(0, "guidedd"), "only deconvnet, guided; did you mean guided"),
        ("features.4", 0, lambda u: u.projection(0, view="nature"), 'no view "nature" in this atlas, only natural, s'),
        ("classifier.1", 0, lambda u: u.projection(0), 'layer "classifier.1" has no projections in this atlas, only'),
        ("classifier.1", 0, lambda u: u.projection(0, "guided"), "has no projections by guided in this atlas"),
    ],
)
def test_what_the_atlas_does_not_hold_is_named(atlas, layer, unit, ask, sentence):
    """Every tile that cannot be had is refused in one sentence that says what can."""
    with pytest.raises(UsageError, match=sentence):
        ask(atlas[layer][unit])


def test_statistics_of_a_unit_are_its_row_of_the_layers(atlas):
    """Plain numbers, the histogram, and class means by the class's name."""
    layer = atlas["features.1"]
    numbers, every = layer[1].statistics, layer.statistics
    assert numbers.maximum == float(every.maximum[1]) == layer[1].peaks[0].value
    assert numbers.histogram.sum() == 22
    assert list(numbers.class_means) == list(CLASSES)
    assert numbers.class_means["ring"] == float(every.class_means[1, 1])


def test_frames_hold_what_the_classes_hold(atlas):
    """Rows of the four tables, under names that join them."""
    peaks, units, images, layers = (atlas.to_frame(name) for name in ("peaks", "units", "images", "layers"))
    assert [len(frame) for frame in (peaks, units, images, layers)] == [114, 18, 24, 3]
    best = peaks[(peaks.layer == "features.4") & (peaks.unit == 0) & (peaks["rank"] == 0)].iloc[0]
    peak = atlas["features.4"][0].peaks[0]
    assert (best.value, best.image, best.tile_top) == (peak.value, peak.image, peak.tile_box.top)
    assert best.source == images.source[peak.image]
    assert list(layers.layer) == [layer.name for layer in atlas]
    assert list(layers.field_rows_size) == [7, 23, 64]
    assert images.skipped.notna().sum() == 1
    assert images.peaks.sum() == len(peaks) == units.peaks.sum()
    known = "layers, units, peaks, images, shares, kept, uses, concepts, labels, words, misfits"
    with pytest.raises(UsageError, match=f'no table "unit": choose one of {known}; did you mean'):
        atlas.to_frame("unit")


def test_without_pandas_the_need_is_named(atlas, monkeypatch):
    """Everything else works without pandas; to_frame says what to install."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="to_frame needs pandas, which is not installed: pip install pandas"):
        atlas.to_frame("peaks")


def test_reprs_say_what_is_held(atlas, path):
    """One line each."""
    assert repr(atlas) == f"<Atlas {str(path)!r}: 3 layers>"
    assert repr(atlas["features.4"]) == "<AtlasLayer 'features.4': relu, 6 units, map 16 x 16>"
    assert repr(atlas["classifier.1"]) == "<AtlasLayer 'classifier.1': relu, 6 units, dense>"
    assert repr(atlas["features.4"][4]) == "<Unit 4 of 'features.4': 2 peaks>"


def test_an_unfinished_atlas_is_readable_and_says_so(tmp_path):
    """What is there can be used; that it is not all is shown."""
    with open_atlas(small_atlas(tmp_path / "a.atlas", units=3, images=9, k=2, finished=False)) as atlas:
        assert not atlas.finished
        assert repr(atlas).endswith("3 layers, unfinished>")
        assert "not finished" in atlas._repr_html_()


def test_a_closed_atlas_says_so(path):
    """After its `with` an atlas is closed, also for the layers and units that came from it."""
    with open_atlas(path) as atlas:
        unit = atlas["features.4"][0]
    with pytest.raises(AtlasError, match="was closed; open it again"):
        _ = unit.peaks


def test_plots_are_figures_of_the_atlas(atlas):
    """A layer's plot is its plate, a unit's plot its page: sheets that draw themselves."""
    from layerscope.figures import Sheet

    assert isinstance(atlas["features.4"].plot(), Sheet)
    assert isinstance(atlas["features.4"][0].plot(), Sheet)


def test_a_plot_at_a_prompt_is_one_line(atlas):
    """What it shows and how it is saved, whatever is drawn; never its arrays."""
    unit, layer = atlas["features.4"][0].plot(), atlas["features.4"].plot()
    assert repr(unit).startswith("<Sheet 'Unit 0 of features.4 of torchvision:smallnet': ")
    for sheet in (unit, layer):
        assert repr(sheet).endswith('tiles; save("figure.png") writes it, a notebook shows it>')
        assert "\n" not in repr(sheet) and "array" not in repr(sheet) and len(repr(sheet)) < 160


def test_an_atlas_stands_on_a_file(path):
    """Programs that want arrays of a whole layer use the file below."""
    with Atlas(AtlasFile(path)) as atlas:
        assert atlas.file.all_peaks(0).value.shape == (6, 9)
        assert atlas.run.k == 9


def test_using_an_atlas_needs_no_torch(path):
    """A fresh process opens, shows and describes an atlas, and neither torch nor pandas nor matplotlib is in it."""
    code = f"""
import sys
from layerscope.api.atlas import open
with open({str(path)!r}) as atlas:
    atlas._repr_html_(), atlas["features.4"]._repr_html_(), atlas["features.4"][0]._repr_html_()
    assert atlas["features.4"][0].projection(0).shape == (24, 24, 3)
heavy = {{"torch", "torchvision", "pandas", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
