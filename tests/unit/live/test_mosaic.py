import io

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from layerscope.live.mosaic import CUT_ABOVE, MOST_BYTES, gray_levels, mosaic


def cells(made):
    """Each place of the grid, in reading order: [places, rows, cols]."""
    rows, cols, height, width, _ = made.shape
    picture = np.asarray(Image.open(io.BytesIO(made.jpeg)))
    assert picture.shape == (rows * height, cols * width)
    return picture.reshape(rows, height, cols, width).swapaxes(1, 2).reshape(-1, height, width)


def flat_maps(levels, rows, cols):
    """Maps of one value each."""
    return torch.tensor(levels, dtype=torch.float32)[:, None, None].expand(-1, rows, cols)


def noise(units, rows, cols):
    return torch.rand((units, rows, cols), generator=torch.Generator().manual_seed(0))


def ones(units):
    return np.ones(units, np.float32)


@given(levels=st.lists(st.integers(0, 255), min_size=1, max_size=40), sides=st.sampled_from([(8, 16), (16, 8)]))
def test_units_lie_in_reading_order(levels, sides):
    """Every unit's map is at its place, as bright as its value over its scale; places without a unit are black."""
    scales = np.linspace(1, 3, len(levels), dtype=np.float32)
    maps = flat_maps(levels, *sides) / 255 * torch.from_numpy(scales)[:, None, None]
    made = mosaic(maps, scales)
    found = cells(made)
    assert made.shape[2:] == (*sides, 0) and len(found) - len(levels) < made.shape[1]
    expected = np.array([*levels, *[0] * (len(found) - len(levels))])
    assert np.abs(found - expected[:, None, None]).max() <= 2


@given(levels=st.lists(st.integers(0, 255), min_size=1, max_size=300))
def test_a_dense_layer_is_squares(levels):
    """One number a unit is a square of 8 x 8 px, which JPEG keeps to a gray level or two."""
    found = cells(mosaic(flat_maps(levels, 1, 1), np.full(len(levels), 255, np.float32)))
    assert np.abs(found[: len(levels)] - np.array(levels)[:, None, None]).max() <= 2


def test_gray_levels_end_at_the_scale_and_at_zero():
    """Nothing wraps around: what is above the scale is white, what is below zero black."""
    maps = torch.tensor([[[-5.0, 0.0, 1.0, 2.0, 9.0]]])
    assert gray_levels(maps, np.full(1, 2, np.float32)).tolist() == [[[0, 0, 128, 255, 255]]]


def test_channels_last_maps_are_the_same_picture():
    """How the maps lie in memory does not matter."""
    maps = noise(5, 9, 11)
    turned = maps[None].contiguous(memory_format=torch.channels_last)[0]
    assert mosaic(maps, ones(5)) == mosaic(turned, ones(5))


def test_a_small_mosaic_is_sent_whole():
    """What is visible only matters where everything would be much."""
    maps = noise(16, 14, 14)
    assert mosaic(maps, ones(16), (4, 8)) == mosaic(maps, ones(16))


def test_a_large_mosaic_is_cut_to_the_visible_units():
    """Above the bound, the visible units alone, from the first of them on, as they are."""
    maps = noise(100, 56, 56)
    whole, some = mosaic(maps, ones(100)), mosaic(maps, ones(100), (10, 14))
    assert CUT_ABOVE < len(whole.jpeg) <= MOST_BYTES and whole.shape[4] == 0
    assert some.shape == (2, 2, 56, 56, 10)
    shown = 255 * maps[10:14].numpy()
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9 for a, b in zip(cells(some), shown, strict=True))


def test_no_mosaic_is_larger_than_the_bound():
    """Noise is the worst case: its maps are made smaller by whole factors, and keep their highest values."""
    for visible in (None, (0, 30)):
        made = mosaic(noise(64, 224, 224), ones(64), visible)
        assert len(made.jpeg) <= MOST_BYTES
        factor = -(-224 // made.shape[2])
        assert factor > 1 and made.shape[2:4] == (-(-224 // factor),) * 2
    one = torch.zeros((64, 224, 224))
    one[7, 100, 30] = 1
    reduced = cells(mosaic(one, ones(64)))
    assert reduced.reshape(len(reduced), -1).max(1).argmax() == 7 and reduced[7].max() > 60
