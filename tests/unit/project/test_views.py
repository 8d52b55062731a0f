"""A view is one fixed linear map, and gray levels are what their scale says."""

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.core.geometry import Box
from layerscope.core.records import Statistics
from layerscope.project.extents import Extent
from layerscope.project.tiling import view_tiles
from layerscope.project.views import (
    COLOUR_EXPONENT,
    FLAT_BELOW,
    KERNEL_RADIUS,
    ROUNDING,
    NaturalView,
    _from_the_top,
    colour_matrix,
    radial_kernel,
    reduced,
    scales_of,
    to_gray_levels,
)
from layerscope.testing.slow import slow_paths

FREQUENCIES = np.linspace(0, 0.5, 65)
STATISTICS = Statistics(
    colour=np.array([[1.0, 0.8, 0.7], [0.8, 1.1, 0.9], [0.7, 0.9, 1.2]]),
    spectrum=1 / np.maximum(FREQUENCIES, 0.01) ** 2,
    images=256,
)


@pytest.fixture(scope="module")
def natural() -> NaturalView:
    """The view of pictures whose power falls as those of photographs."""
    return NaturalView(STATISTICS)


def directly(natural: NaturalView, signals: torch.Tensor) -> torch.Tensor:
    """The view of signals on the whole input plane: colours mixed, then a plain convolution with zeros around."""
    mixed = torch.einsum("dc,mchw->mdhw", natural.colour.double(), signals.double())
    kernel = natural.kernel.double().flip(0, 1)[None, None]
    flat = mixed.flatten(0, 1)[:, None]
    return F.conv2d(flat, kernel, padding=KERNEL_RADIUS).reshape(mixed.shape)


def signal_at(extent: Extent, seed: int) -> torch.Tensor:
    """Random signals on an extent, zero beyond the plane."""
    generator = torch.Generator().manual_seed(seed)
    signal = torch.randn((len(extent.tops), 3, extent.height, extent.width), generator=generator)
    for index, (top, left) in enumerate(zip(extent.tops, extent.lefts, strict=True)):
        rows, cols = top + np.arange(extent.height), left + np.arange(extent.width)
        signal[index, :, torch.from_numpy((rows < 0) | (rows >= extent.spatial_size[0]))] = 0
        signal[index, :, :, torch.from_numpy((cols < 0) | (cols >= extent.spatial_size[1]))] = 0
    return signal


@settings(max_examples=10)
@given(
    top=st.integers(-9, 50), left=st.integers(-9, 60), box_top=st.integers(0, 36), box_left=st.integers(0, 46),
    side=st.integers(8, 24), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_tile_is_cut_from_the_view_of_the_whole_plane(top, left, box_top, box_left, side, seed) -> None:
    """Filtering only what lies around a tile gives what filtering the whole input plane gives, cropped."""
    natural, size = NaturalView(STATISTICS), (60, 70)
    extent = Extent(np.array([top]), np.array([left]), 13, 17, size)
    signal, box = signal_at(extent, seed), Box(top=box_top, left=box_left, bottom=box_top + side, right=box_left + side)
    whole = torch.zeros(1, 3, size[0] + 40, size[1] + 40)
    whole[:, :, top + 20 : top + 33, left + 20 : left + 37] = signal
    expected = directly(natural, whole[:, :, 20:-20, 20:-20])[..., box.top : box.bottom, box.left : box.right]
    tiles, scales = view_tiles(signal, extent, [box], (side, side), natural, ("natural", "signal"), (0, 1, 2))
    levels = to_gray_levels(expected.float(), scales[:, 0], (0, 1, 2))
    assert np.abs(tiles[0, 0].astype(int) - levels[0].astype(int)).max() <= 1
    inside = whole[:, :, 20 + box.top : 20 + box.bottom, 20 + box.left : 20 + box.right]
    np.testing.assert_array_equal(tiles[0, 1], to_gray_levels(inside, scales[:, 1], (0, 1, 2))[0])
    np.testing.assert_array_equal(scales[:, 1], scales_of(inside.numpy()))


@pytest.mark.parametrize("side", [30, 96])
@pytest.mark.parametrize("size", [1, 3, 9])
@pytest.mark.parametrize("place", ["corner", "margin", "middle"])
def test_the_scale_of_a_mostly_empty_tile_is_exact(natural: NaturalView, side: int, size: int, place: str) -> None:
    """What the transform leaves where there is nothing is no part of the percentile: float64 finds the same scale."""
    r = KERNEL_RADIUS
    at = {"corner": r, "margin": r - 8, "middle": r + side // 2}[place]
    spot = torch.randn((1, 3, size, size), generator=torch.Generator().manual_seed(size))
    held = torch.zeros(1, 3, side + 2 * r, side + 2 * r)
    held[:, :, at : at + size, at : at + size] = spot
    whole = np.zeros((3, side + 4 * r, side + 4 * r))
    for row, col in np.ndindex(size, size):
        colours = natural.colour.double().numpy() @ spot[0, :, row, col].double().numpy()
        reach = np.s_[:, at + row : at + row + 2 * r + 1, at + col : at + col + 2 * r + 1]
        whole[reach] += colours[:, None, None] * natural.kernel.double().numpy()
    inner = np.abs(whole[:, 2 * r : -2 * r, 2 * r : -2 * r])
    present = np.sort(inner[inner > ROUNDING * np.abs(whole).max()])
    (scale,) = scales_of(natural.apply(held).contiguous().numpy())
    assert scale == pytest.approx(present[int(0.99 * len(present))], rel=1e-3)


def test_a_tile_far_from_all_signal_is_empty(natural: NaturalView) -> None:
    """Where the kernel does not reach there is no signal, not the transform's rounding on a scale of its own."""
    held = torch.zeros(1, 3, 128, 128)
    held[:, :, 0, 0] = 5.0
    tile = natural.apply(held)[..., 8:, 8:]
    assert scales_of(tile.contiguous().numpy()).tolist() == [0.0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_maps_in_pairs_are_those_of_each_alone(natural: NaturalView, count: int) -> None:
    """Signals of very different strength, dense and sparse, that share a transform: each as the slow form makes it."""
    side = 30 + 2 * KERNEL_RADIUS
    signals = torch.randn((count, 3, side, side), generator=torch.Generator().manual_seed(count))
    signals[1:] *= 1e25  # squares overflow
    signals[2:] = 0
    signals[2:, :, 30:33, 30:33] = 1e-25
    found = natural.apply(signals)
    with slow_paths("maps in pairs"):
        expected = natural.apply(signals)
    largest = expected.abs().amax((1, 2, 3), keepdim=True)
    assert bool((largest > 0).all()) and float(((found - expected) / largest).abs().max()) < 2e-6
    # To the bit what each is without the others: rows of an atlas do not depend on what was projected together.
    assert torch.equal(found, torch.cat([natural.apply(one) for one in signals.split(1)]))


@given(size=st.integers(1, 5000), place=st.floats(0, 1), equal=st.integers(1, 4000), seed=st.integers(0, 99))
def test_a_place_from_the_top_is_that_of_a_sort(size: int, place: float, equal: int, seed: int) -> None:
    """Any place of any numbers, many of them equal, and highest where the sample does not look."""
    values = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    values[:equal] = values[0]
    values[1:60:7] = 9
    chosen = max(1, round(place * size))
    assert _from_the_top(values, chosen) == np.sort(values)[-chosen]


@given(seed=st.integers(0, 50))
def test_the_natural_view_is_linear(seed: int) -> None:
    """The view of a sum is the sum of the views, whatever the unit."""
    natural, side = NaturalView(STATISTICS), 20 + 2 * KERNEL_RADIUS
    a, b = torch.randn((2, 1, 3, side, side), generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(natural.apply(a + 2 * b), natural.apply(a) + 2 * natural.apply(b), rtol=1e-3, atol=1e-4)


def test_colours_are_mixed_by_the_covariance() -> None:
    """The covariance to its exponent, its largest eigenvalue 1; without variance nothing is left."""
    matrix = colour_matrix(STATISTICS.colour)
    assert COLOUR_EXPONENT == 1
    np.testing.assert_allclose(matrix, STATISTICS.colour / np.linalg.eigvalsh(STATISTICS.colour).max(), rtol=1e-5)
    np.testing.assert_allclose(colour_matrix(np.zeros((3, 3))), 0)


def test_the_kernel_is_a_low_pass_that_ends() -> None:
    """Symmetric, highest in the middle, about 1 at low frequencies, and falling as the root of the power."""
    kernel = radial_kernel(STATISTICS.spectrum)
    assert kernel.shape == (2 * KERNEL_RADIUS + 1,) * 2
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)
    assert np.unravel_index(kernel.argmax(), kernel.shape) == (KERNEL_RADIUS, KERNEL_RADIUS)
    response = np.abs(np.fft.fft2(kernel, (256, 256)))[0, :129]
    assert response[0] == pytest.approx(1, abs=0.25)
    for frequency in (0.125, 0.25, 0.375):
        assert response[round(256 * frequency)] == pytest.approx(FLAT_BELOW / frequency, rel=0.12)


def test_a_flat_spectrum_leaves_a_signal_as_it_is() -> None:
    """For white images without colour correlation the natural view is the signal itself."""
    white = NaturalView(Statistics(colour=np.eye(3), spectrum=np.ones(65), images=256))
    x = torch.randn((1, 3, 60, 60), generator=torch.Generator().manual_seed(0))
    r = KERNEL_RADIUS
    torch.testing.assert_close(white.apply(x), x[..., r:-r, r:-r], rtol=1e-3, atol=1e-4)


@given(seed=st.integers(0, 99), zeros=st.integers(0, 60))
def test_scales_are_the_99th_percentile_of_what_is_there(seed: int, zeros: int) -> None:
    """NumPy's higher or inverted quantile of the non-zero magnitudes; 0 where there are none."""
    tile = np.random.default_rng(seed).normal(size=(1, 3, 5, 4)).astype(np.float32)
    tile.reshape(-1)[:zeros] = 0
    (scale,) = scales_of(tile)
    present = np.abs(tile[tile != 0])
    if not len(present):
        assert scale == 0
        return
    assert scale in present
    assert np.quantile(present, 0.99, method="lower") <= scale <= np.quantile(present, 0.99, method="higher")
    assert (present > scale).mean() <= 0.01 or len(present) < 100


def test_zero_is_mid_gray_and_the_scale_is_white() -> None:
    """0 is 128, the scale itself the ends, beyond it nothing more; without signal all is flat."""
    tile = torch.tensor([0.0, 2.0, -2.0, 9.0, -9.0, 1.0]).reshape(1, 1, 2, 3).expand(1, 3, 2, 3)
    levels = to_gray_levels(tile, np.array([2.0], np.float32), (0, 1, 2))
    assert levels[0, :, :, 1].tolist() == [[128, 255, 0], [255, 0, 192]]
    assert (to_gray_levels(tile, np.array([0.0], np.float32), (0, 1, 2)) == 128).all()


def test_channels_are_shown_in_their_order() -> None:
    """BGR is turned; one channel becomes three of the same; others are chosen."""
    tile = torch.arange(4.0).reshape(1, 4, 1, 1)
    scale = np.array([4.0], np.float32)
    assert to_gray_levels(tile, scale, (2, 1, 0))[0, 0, 0].tolist() == [192, 160, 128]
    assert to_gray_levels(tile, scale, (3,))[0, 0, 0].tolist() == [224, 224, 224]


def test_larger_tiles_are_averaged_down() -> None:
    """A tile of its stored size stays the same tensor; a plain one stays plain; the mean is kept."""
    tile = torch.rand((1, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    assert reduced(tile, (32, 32)) is tile
    smaller = reduced(tile, (8, 8))
    assert smaller.shape == (1, 3, 8, 8) and float(smaller.mean()) == pytest.approx(float(tile.mean()), abs=0.02)
    torch.testing.assert_close(reduced(torch.full((1, 3, 30, 30), 0.4), (7, 7)), torch.full((1, 3, 7, 7), 0.4))


@pytest.mark.parametrize("known", ["colour", "spectrum", ""])
def test_what_is_not_known_of_pictures_is_taken_as_of_any(known: str) -> None:
    """Pictures all of one colour tell of no covariance, each of one colour of no spectrum: a plain one then."""
    zero = {"colour": np.zeros((3, 3)), "spectrum": np.zeros(65)}
    given_ = {name: getattr(STATISTICS, name) if name == known else zero[name] for name in zero}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        natural = NaturalView(Statistics(**given_))
    plain, known_view = NaturalView.plain(3), NaturalView(STATISTICS)
    torch.testing.assert_close(natural.colour, (known_view if known == "colour" else plain).colour)
    torch.testing.assert_close(natural.kernel, (known_view if known == "spectrum" else plain).kernel)
    tile = natural.apply(torch.randn(1, 3, 60, 60, generator=torch.Generator().manual_seed(0)))
    assert bool(torch.isfinite(tile).all()) and bool(tile.abs().amax() > 0)
