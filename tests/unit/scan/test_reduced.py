"""Maxima and sums over maps, however many channels lie abreast: those of plain reductions."""

import numpy as np
import pytest
import torch
from torch import Tensor

from layerscope.scan import reduced
from layerscope.scan.reduced import LARGE, maxima_of_rows, sums_of
from layerscope.testing.slow import slow_paths

SHAPES = [(1, 1, 1, 1), (2, 5, 7, 3), (3, 4, 9, 16), (2, 8, 8, 24), (1, 6, 1, 40), (2, 3, 5, 32), (1, 7, 6, 130)]
LARGE_SHAPES = [(2, 56, 56, 24), (3, 30, 31, 64), (40, 7, 7, 96), (300, 1, 1, 512)]


def maps(shape: tuple[int, ...], shift: float = 0.0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape)).float() * 3 + shift


def plain_sums(values: Tensor) -> np.ndarray:
    rows = values.double().numpy().reshape(-1, values.shape[-1])
    return np.stack([(rows > 0).sum(0), rows.sum(0), np.square(rows).sum(0)])


@pytest.mark.parametrize("shape", [*SHAPES, *LARGE_SHAPES], ids=str)
def test_maxima_are_those_of_each_row(shape: tuple[int, ...]) -> None:
    """The same numbers, also of a part of a map, and NaN where one is in the row."""
    values = maps(shape)
    assert torch.equal(maxima_of_rows(values), values.amax(2))
    part = values[:, :, : max(1, shape[2] - 1)]
    assert torch.equal(maxima_of_rows(part), part.amax(2))
    values[0, -1, -1, -1] = float("nan")
    assert torch.equal(maxima_of_rows(values).isnan(), values.amax(2).isnan())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_small_maps_are_summed_in_float64(shape: tuple[int, ...]) -> None:
    """To the last digits of float64; of every floating type."""
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        values = maps(shape).to(dtype)
        np.testing.assert_allclose(sums_of(values).numpy(), plain_sums(values), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 50.0, -1e-3])
@pytest.mark.parametrize("shape", LARGE_SHAPES, ids=str)
def test_sums_are_those_of_float64(shape: tuple[int, ...], shift: float) -> None:
    """Counts exactly; mean and deviation to a few parts in a million of the numbers' size."""
    values = maps(shape, shift)
    assert values.numel() >= LARGE
    found, expected = sums_of(values).numpy(), plain_sums(values)
    count = values[..., 0].numel()
    size = np.sqrt(expected[2] / count)
    np.testing.assert_array_equal(found[0], expected[0])
    assert (abs(found[1] - expected[1]) / count / size).max() < 3e-6
    deviations = [np.sqrt(np.maximum(s[2] / count - (s[1] / count) ** 2, 0)) for s in (found, expected)]
    assert (abs(deviations[0] - deviations[1]) / deviations[1]).max() < 1e-5
    with slow_paths("sums around the mean"):
        np.testing.assert_allclose(sums_of(values).numpy(), expected, rtol=1e-12)


def test_a_map_that_does_not_vary_has_next_to_no_deviation() -> None:
    """A unit that is the same everywhere: its deviation is below a hundred thousandth of it."""
    values = torch.full((8, 30, 30, 64), 0.1234567)
    above, total, squares = sums_of(values).numpy() / 7200
    assert (above == 1).all()
    assert np.sqrt(np.maximum(squares - total**2, 0)).max() < 1e-5 * 0.1234567 * 2


def test_numbers_whose_squares_are_too_large_are_summed_in_float64() -> None:
    """Infinity is never a sum of finite numbers."""
    values = maps(LARGE_SHAPES[1]) * 1e25
    np.testing.assert_allclose(sums_of(values).numpy(), plain_sums(values), rtol=1e-12)


def test_channels_are_taken_abreast() -> None:
    """Few channels fill the width that is reduced at once; many are left as they are."""
    assert [reduced._beside(units) for units in (1, 16, 24, 32, 40, 128, 130, 1000)] == [32, 2, 4, 1, 4, 1, 1, 1]
