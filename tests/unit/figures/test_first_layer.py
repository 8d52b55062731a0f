"""Filters as pictures: signed weights around mid-gray, in the colours of the picture."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.figures import filters
from layerscope.figures.first_layer import as_pictures

RGB, BGR = (Input(height=8, width=8, order=order) for order in ("RGB", "BGR"))
WEIGHTS = arrays(np.float32, (3, 3, 2, 2), elements=st.floats(-4, 4, width=16))


@given(WEIGHTS)
def test_zero_is_mid_gray_and_signs_are_kept(weights):
    """Positive weights are never darker than gray, negative ones never lighter; the largest is at full scale."""
    pictures = np.moveaxis(as_pictures(weights, RGB), -1, 1).astype(int) - 128
    assert (pictures[weights == 0] == 0).all()
    assert (pictures * np.sign(weights) >= 0).all()
    for picture, filter_ in zip(pictures, weights, strict=True):
        assert np.abs(picture).max() == (127 if filter_.any() else 0)


@given(WEIGHTS)
def test_a_negative_filter_is_the_negative_picture(weights):
    """The scale treats both signs alike."""
    np.testing.assert_array_equal(
        as_pictures(-weights, RGB).astype(int) - 128, 128 - as_pictures(weights, RGB).astype(int)
    )


def test_a_shared_scale_compares_filters():
    """A filter of half the strength has half the contrast."""
    weights = np.ones((2, 3, 1, 1), np.float32)
    weights[1] /= 2
    assert as_pictures(weights, RGB, shared_scale=True)[:, 0, 0, 0].tolist() == [255, 192]
    assert as_pictures(weights, RGB)[:, 0, 0, 0].tolist() == [255, 255]


def test_channels_are_shown_as_the_picture_s_colours():
    """A network that takes BGR has its third channel shown as red; one channel is gray in all three."""
    weights = np.zeros((1, 3, 1, 1), np.float32)
    weights[0, 2] = 1
    assert as_pictures(weights, RGB)[0, 0, 0].tolist() == [128, 128, 255]
    assert as_pictures(weights, BGR)[0, 0, 0].tolist() == [255, 128, 128]
    gray = as_pictures(weights[:, 2:], Input(channels=1, height=8, width=8))
    assert gray[0, 0, 0].tolist() == [255, 255, 255]
    shown = as_pictures(
        np.eye(5, dtype=np.float32)[4].reshape(1, 5, 1, 1), Input(channels=5, height=8, width=8, show=(4, 0, 1))
    )
    assert shown[0, 0, 0].tolist() == [255, 128, 128]


def test_all_filters_stand_in_the_order_of_units(file: AtlasFile):
    """Each tile is its unit's filter; the caption counts and measures them."""
    sheet = filters(file)
    expected = as_pictures(file.filters(0), file.run.input)
    np.testing.assert_array_equal([tile.picture for tile in sheet.tiles], expected)
    assert sheet.title == "Filters of features.1 of torchvision:smallnet"
    assert "All 12 filters, 7 × 7 px" in sheet.caption


def test_a_layer_without_filters_is_refused_by_name(file: AtlasFile, copy: Path):
    """And told which layer has them; an atlas without any says so."""
    with pytest.raises(UsageError, match=r'"features.4" has no filters.*holds those of features\.1'):
        filters(file, "features.4")
    with AtlasWriter.resume(copy) as writer, writer.transaction():
        writer._connection.execute("DELETE FROM filter")
    with AtlasFile(copy) as opened, pytest.raises(UsageError, match="holds no filters"):
        filters(opened)
