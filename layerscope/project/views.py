"""How a projection is shown: a stated view of it, cropped to a tile, in gray levels around zero.

`signal` is the projection as its method gives it. `natural` passes it through the images' own statistics: the
covariance between colours and the fall of their spectrum, one fixed linear map for all units. It adds nothing about
any unit, but turns what a network weighs (colour differences and fine detail that pictures hardly contain) into what
a reader can see. For a linear unit, covariance times weights is the pattern that the unit stands for (Haufe 2014;
Kindermans 2017); for rectified signals that is an analogy: it is a view.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32, Float64
from torch import Tensor

from layerscope.core.records import Statistics

# Fixed by eye on SqueezeNet and darknet_tiny, judged on MobileNetV2 (docs/decisions/004-natural-view.md).
COLOUR_EXPONENT = 1.0
SPECTRUM_EXPONENT = 0.5
# Below this frequency (cycles per px) the filter is flat: larger shapes keep their strength, and the kernel is short.
FLAT_BELOW = 0.06
# The filter's kernel ends here, in px; what is left out holds less than 1 % of it.
KERNEL_RADIUS = 24
# A Fourier transform in float32 leaves some 1e-7 of the largest value where there is nothing.
ROUNDING = 1e-6


class NaturalView:
    """The natural view of one set of images and one network input.

    colour: float32[c, c], applied across channels. kernel: float32[2r+1, 2r+1], applied over the input plane.
    """

    def __init__(self, statistics: Statistics) -> None:
        # Of images that are all of one colour, or each of one colour, nothing is known in this respect.
        plain = plain_statistics(len(statistics.colour))
        statistics = replace(
            statistics,
            colour=statistics.colour if np.any(statistics.colour) else plain.colour,
            spectrum=statistics.spectrum if np.any(statistics.spectrum) else plain.spectrum,
        )
        self.colour = torch.from_numpy(colour_matrix(statistics.colour))
        self.kernel = torch.from_numpy(radial_kernel(statistics.spectrum))
        self._spectra: dict[int, Tensor] = {}

    @classmethod
    def plain(cls, channels: int) -> "NaturalView":
        """The view for images that nothing is known of: independent channels, power falling as 1 / frequency^2."""
        return cls(plain_statistics(channels))

    def apply(self, signal: Float32[Tensor, "m c h w"]) -> Float32[Tensor, "m c inner_h inner_w"]:
        """Signals seen through the filter, less a border of KERNEL_RADIUS px on every side that the kernel needs.

        What is below ROUNDING of a signal's largest value, border included, is zero.
        """
        (m, channels, height, width), r = signal.shape, KERNEL_RADIUS
        size = max(_fast_size(height), _fast_size(width))
        factors = _to_norm_one(signal)
        mixed = (self.colour.to(signal.device) * factors) @ signal.reshape(m, channels, height * width)
        # What wraps around stays within the border.
        found = _in_pairs(mixed.reshape(m, channels, height, width), self._spectrum(size).to(signal.device))
        largest = _largest(found)[:, :, None]
        inner = found[:, :, r : height - r, r : width - r].permute(0, 4, 1, 2, 3)
        inner = inner.reshape(m, -1, (height - 2 * r) * (width - 2 * r))[:, :channels]
        inner.masked_fill_(inner.abs() <= ROUNDING * largest, 0)
        return inner.div_(factors).reshape(m, channels, height - 2 * r, width - 2 * r)

    def _spectrum(self, size: int) -> Tensor:
        """Of the kernel with its centre at the origin, where it is real; twice, for both numbers of a pair."""
        if size not in self._spectra:
            laid = F.pad(self.kernel.double(), (0, size - len(self.kernel)) * 2).roll((-KERNEL_RADIUS,) * 2, (0, 1))
            self._spectra[size] = torch.fft.fft2(laid).real.float()[..., None].repeat(1, 1, 2)
        return self._spectra[size]


def _to_norm_one(signal: Float32[Tensor, "m c h w"]) -> Float32[Tensor, "m 1 1"]:
    """Powers of two that bring each signal to a norm of about 1."""
    norms = torch.linalg.vector_norm(signal, dim=(1, 2, 3))
    if not bool(((norms > 1e-15) & (norms < torch.inf)).all()):  # where squares vanish or overflow
        norms = torch.linalg.vector_norm(signal, dim=(1, 2, 3), dtype=torch.float64)
    exponents = torch.frexp(norms).exponent.clamp(-120, 120)
    return torch.ldexp(torch.ones_like(exponents, dtype=torch.float32), -exponents)[:, None, None]


def _in_pairs(maps: Float32[Tensor, "m c h w"], spectrum: Float32[Tensor, "s s 2"]) -> Float32[Tensor, "m half s s 2"]:
    """Maps convolved, cyclically, with the kernel of a real spectrum: half of the channels as [..., 0], the others as
    [..., 1].

    One complex transform serves two channels of a signal, as its real and its imaginary part. It rounds in proportion
    to the larger of the two: another signal's map would leave its last digits there, whichever came along with it.
    """
    (m, channels, height, width), size = maps.shape, len(spectrum)
    half = (channels + 1) // 2
    pairs = maps.new_zeros((m, half, size, size, 2))
    pairs[:, :, :height, :width, 0] = maps[:, :half]
    pairs[:, : channels - half, :height, :width, 1] = maps[:, half:]
    transformed = torch.view_as_real(torch.fft.fft2(torch.view_as_complex(pairs)))
    return torch.view_as_real(torch.fft.ifft2(torch.view_as_complex(transformed.mul_(spectrum))))


def _largest(pairs: Float32[Tensor, "m half s s 2"]) -> Float32[Tensor, "m 1"]:
    """The largest magnitude of each signal of `_in_pairs`: along rows first, which keeps many numbers side by side."""
    rows = pairs.flatten(3)
    return torch.maximum(rows.amax(2), -rows.amin(2)).flatten(1).amax(1, keepdim=True)


def plain_statistics(channels: int) -> Statistics:
    """Independent channels, and power that falls as 1 / frequency^2, as in photographs."""
    frequency = np.linspace(0, 0.5, 65)
    return Statistics(colour=np.eye(channels), spectrum=1 / np.maximum(frequency, FLAT_BELOW) ** 2)


def colour_matrix(covariance: Float64[np.ndarray, "c c"]) -> Float32[np.ndarray, "c c"]:
    """The covariance between channels to COLOUR_EXPONENT, scaled to a largest eigenvalue of 1."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.clip(values, 0, None) / max(values.max(), 1e-12)
    return ((vectors * values**COLOUR_EXPONENT) @ vectors.T).astype(np.float32)


def radial_kernel(spectrum: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "d d"]:
    """The spectrum to SPECTRUM_EXPONENT as a short kernel, flat below FLAT_BELOW and 1 there."""
    size = 256
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    known = np.linspace(0, 0.5, len(spectrum))
    smooth = np.maximum(spectrum, spectrum.max() * 1e-12)
    level = np.interp(np.maximum(frequency, FLAT_BELOW), known, smooth)
    response = (level / np.interp(FLAT_BELOW, known, smooth)) ** SPECTRUM_EXPONENT
    kernel = np.fft.fftshift(np.fft.irfft2(response, s=(size, size)))
    middle, r = size // 2, KERNEL_RADIUS
    kernel = kernel[middle - r : middle + r + 1, middle - r : middle + r + 1]
    taper = np.hanning(2 * r + 3)[1:-1]
    return (kernel * np.outer(taper, taper) ** 0.5).astype(np.float32)


def _fast_size(length: int) -> int:
    """The next even length whose only prime factors are 2, 3 and 5."""
    size = length + length % 2
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 2


def scales_of(tiles: Float32[np.ndarray, "m c h w"]) -> Float32[np.ndarray, " m"]:
    """Per tile the 99th percentile of its non-zero |x|; 0 where it is empty.

    With the maximum in its place a handful of px would make every tile dull.
    """
    scales = np.zeros(len(tiles), np.float32)
    for index, tile in enumerate(np.abs(tiles.reshape(len(tiles), -1))):
        count = int(np.count_nonzero(tile > 0))
        if count:
            scales[index] = _from_the_top(tile, count - min(int(0.99 * count), count - 1))
    return scales


def _from_the_top(values: Float32[np.ndarray, " n"], place: int) -> np.float32:
    """The place-th largest value, counted from 1. A sample tells which values need not be looked at."""
    sample = values[:: max(len(values) // 1024, 1)]
    bound = min(2 * place * len(sample) // len(values) + 2, len(sample))
    high = values[values >= np.partition(sample, -bound)[-bound]]
    high = high if len(high) >= place else values
    return np.partition(high, -place)[-place]


def to_gray_levels(
    tiles: Float32[Tensor, "m c h w"], scales: Float32[np.ndarray, " m"], shown: tuple[int, ...]
) -> np.ndarray:
    """Tiles as uint8[m, h, w, 3]: zero is 128, ±scale the ends, clipped. shown: the channels for red, green, blue."""
    factor = torch.from_numpy(np.where(scales > 0, 127.5 / np.maximum(scales, 1e-30), 0).astype(np.float32))
    chosen = channels_of(tiles, shown) * factor.reshape(-1, 1, 1, 1).to(tiles.device)
    levels = chosen.add_(128).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return levels.expand(-1, -1, -1, 3).contiguous().cpu().numpy()


def channels_of(tiles: Float32[Tensor, "m c h w"], shown: Sequence[int]) -> Float32[Tensor, "m shown h w"]:
    """These channels; the very tiles where they are all of them in their order."""
    return tiles if [*shown] == [*range(tiles.shape[1])] else tiles[:, [*shown]]


def reduced(tiles: Float32[Tensor, "m c h w"], size: tuple[int, int]) -> Float32[Tensor, "m c rows cols"]:
    """Tiles at the size at which they are kept; larger ones are averaged down."""
    if tuple(tiles.shape[-2:]) == size:
        return tiles
    return F.interpolate(tiles, size=size, mode="bilinear", antialias=True, align_corners=False)
