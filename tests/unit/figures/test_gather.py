"""What figures are made of: tiles on a shared scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerscope.figures.gather import on_shared_scale

TILES = arrays(np.uint8, (4, 3, 3, 3))
SCALES = arrays(np.float32, 4, elements=st.floats(0, 100, width=32))


@given(TILES, SCALES)
def test_a_shared_scale_keeps_the_signal(tiles, scales):
    """A level times its scale is the signal; on the largest scale it is the same signal, to half a gray level."""
    shared = on_shared_scale(tiles, scales).astype(float)
    signal = (tiles.astype(float) - 128) * scales[:, None, None, None]
    again = (shared - 128) * float(scales.max())
    if scales.max() > 0:
        assert np.abs(again - signal).max() <= 0.5001 * scales.max()


@given(TILES, st.floats(0.01, 100))
def test_equal_scales_change_nothing(tiles, scale):
    """Nor does a scale of zero throughout, where nothing can be compared."""
    np.testing.assert_array_equal(on_shared_scale(tiles, np.full(4, scale, np.float32)), tiles)
    np.testing.assert_array_equal(on_shared_scale(tiles, np.zeros(4, np.float32)), tiles)


def test_half_the_scale_is_half_the_contrast():
    """A worked number: level 228 is 100 above gray; at half the largest scale it stands 50 above."""
    tiles = np.full((2, 1, 1, 3), 228, np.uint8)
    assert on_shared_scale(tiles, np.array([2.0, 1.0], np.float32))[:, 0, 0, 0].tolist() == [228, 178]
