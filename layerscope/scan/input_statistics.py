"""The images themselves, as sums: how their channels vary together, and how sharp they are.

Taken on the first 256 images only, over input px; the sums of shards just add.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from layerscope.core.records import Statistics

# The first two shards: enough for a covariance and a radial mean, and a small part of a scan's time.
STATISTICS_IMAGES = 256
# Of float64 sums, relative to what is summed up.
ROUNDING = 1e-13

Sums = dict[str, np.ndarray]


def add_images(sums: Sums, pixels: Float32[np.ndarray, "n c h w"]) -> Sums:
    """The sums with some more images, as the network gets them."""
    # In float64, and around each picture's own mean: one of a single colour then varies by nothing.
    x = torch.from_numpy(pixels).double().flatten(2)
    count, _, height, width = pixels.shape
    rings, sizes, window = _rings(height, width)
    mean = x.mean(2)
    x -= mean[:, :, None]
    gray = (x.sum(1) / x.shape[1]).reshape(count, height, width) * torch.from_numpy(window)
    power = torch.fft.rfft2(gray).abs().square().sum(0).numpy()
    px = height * width
    found = {
        "images": np.array(count),
        "pixels": np.array(count * px),
        "total": (px * mean.sum(0)).numpy(),
        "products": (torch.bmm(x, x.mT).sum(0) + px * mean.T @ mean).numpy(),
        "power": np.bincount(rings.ravel(), power.ravel(), len(sizes)) / sizes,
    }
    return joined(sums, found)


def joined(a: Sums, b: Sums) -> Sums:
    """The sums of two sets of images; either may be empty."""
    return {name: np.asarray(a[name] + b[name]) for name in a} if a and b else dict(a or b)


def statistics_of(sums: Sums) -> Statistics:
    """Covariance between channels; mean power per radial frequency of the channels' mean (under a Hann window).

    What is no more than the rounding of the sums is 0.
    """
    mean = sums["total"] / sums["pixels"]
    products, power = sums["products"] / sums["pixels"], sums["power"] / sums["images"]
    colour = products - np.outer(mean, mean)
    colour[np.abs(colour) <= ROUNDING * np.sqrt(np.outer(products.diagonal(), products.diagonal()))] = 0
    # A spectrum's numbers are squared sums over a picture's px.
    px = sums["pixels"] / sums["images"]
    noise = (ROUNDING * px) ** 2 * products.diagonal().max()
    return Statistics(colour=colour, spectrum=np.where(power > noise, power, 0), images=int(sums["images"]))


@lru_cache(maxsize=4)
def _rings(
    height: int, width: int
) -> tuple[Int64[np.ndarray, "h half"], Int64[np.ndarray, " rings"], Float64[np.ndarray, "h w"]]:
    """For each frequency of images its ring (radius in steps of 1 / the longer side), the rings' sizes, the window."""
    steps = max(height, width)
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]) * steps
    rings = np.minimum(np.rint(radius), steps // 2).astype(np.int64)
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    return rings, np.maximum(np.bincount(rings.ravel(), minlength=steps // 2 + 1), 1), window
