"""The statistics of the images themselves: covariance between channels, power by radial frequency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.scan.input_statistics import add_images, joined, statistics_of


def images(count: int, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 2.0, (count, *shape)).astype(np.float32)


@given(cuts=st.lists(st.integers(1, 9), max_size=3), channels=st.integers(1, 4))
def test_sums_add_however_images_are_grouped(cuts: list[int], channels: int) -> None:
    """One call for all images, or one for each piece, in any grouping: the same statistics."""
    pixels = images(10, (channels, 6, 9))
    pieces = [add_images({}, part) for part in np.split(pixels, sorted(set(cuts))) if len(part)]
    whole, sums = statistics_of(add_images({}, pixels)), {}
    for piece in pieces:
        sums = joined(sums, piece)
    found = statistics_of(sums)
    np.testing.assert_allclose(found.colour, whole.colour, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.spectrum, whole.spectrum, rtol=1e-9)
    assert found.images == whole.images == 10


def test_colour_is_the_covariance_over_all_px() -> None:
    """What np.cov says of the channels as rows."""
    pixels = images(5, (3, 8, 7))
    pixels[:, 1] += pixels[:, 0]
    expected = np.cov(pixels.transpose(1, 0, 2, 3).reshape(3, -1).astype(np.float64), bias=True)
    np.testing.assert_allclose(statistics_of(add_images({}, pixels)).colour, expected, rtol=1e-4)


@pytest.mark.parametrize(("rows", "cols"), [(32, 32), (24, 40), (33, 20)])
@pytest.mark.parametrize("frequency", [0.125, 0.25, 0.4])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_wave_stands_at_its_frequency(rows: int, cols: int, frequency: float, axis: int) -> None:
    """A sine of f cycles per px puts its power at index 2 f (n - 1), along either axis and on any plane."""
    along = np.indices((rows, cols))[axis]
    wave = np.sin(2 * np.pi * frequency * along).astype(np.float32)
    spectrum = statistics_of(add_images({}, np.broadcast_to(wave, (2, 3, rows, cols)).copy())).spectrum
    assert abs(spectrum.argmax() / (2 * (len(spectrum) - 1)) - frequency) <= 1.5 / max(rows, cols)


def test_the_spectrum_of_noise_is_flat_and_of_a_plain_picture_nothing() -> None:
    """White noise has the same power everywhere but at the middle, which the mean takes away."""
    spectrum = statistics_of(add_images({}, images(64, (1, 32, 32)))).spectrum
    assert spectrum[2:].max() < 1.3 * spectrum[2:].min()
    plain = statistics_of(add_images({}, np.full((2, 3, 16, 16), 0.7, np.float32)))
    np.testing.assert_allclose(plain.spectrum, 0, atol=1e-8)
    np.testing.assert_allclose(plain.colour, 0, atol=1e-5)


@pytest.mark.parametrize("value", [0.7, -2.1, 1e4, 1e20])
def test_plain_pictures_vary_by_nothing(value: float) -> None:
    """Of pictures all of one colour, covariance and spectrum are exactly zero, however bright it is."""
    found = statistics_of(add_images({}, np.full((40, 3, 30, 50), value, np.float32)))
    assert not found.colour.any() and not found.spectrum.any()


def test_one_step_in_one_px_is_seen() -> None:
    """The smallest difference that pictures can have is no rounding: 1/255 in one px of a shard."""
    pixels = np.full((128, 1, 30, 50), 0.7, np.float32)
    pixels[3, 0, 7, 9] += 1 / 255
    found = statistics_of(add_images({}, pixels))
    assert found.colour[0, 0] == pytest.approx((1 / 255) ** 2 / pixels.size, rel=1e-3) and found.spectrum.any()
