"""Pictures to measure with: as rough and as large as photographs, drawn from a seed, since the project ships none.

Noise whose amplitude falls as 1 / frequency has a photograph's spectrum (Field 1987); shapes give it edges.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw

SHORT_SIDE = 256
LONGEST_SIDE = 384
QUALITY = 90
SHAPES = 6


def write_pictures(folder: Path, count: int, *, seed: int = 0) -> list[Path]:
    """`count` JPEG files of about 40 kB, short side 256 px; picture i depends on the seed and i alone."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:05d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        Image.fromarray(picture(np.random.default_rng([seed, index]))).save(path, quality=QUALITY)
    return paths


def picture(rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """Shapes of plain colours under noise that is mostly gray."""
    sides = [SHORT_SIDE, int(rng.integers(SHORT_SIDE, LONGEST_SIDE + 1))]
    rows, cols = rng.permutation(sides).tolist()
    gray = fractal_noise(rng, rows, cols)[..., None]
    colour = np.stack([fractal_noise(rng, rows, cols) for _ in range(3)], axis=-1)
    levels = shapes(rng, rows, cols) + 26 * gray + 4 * colour
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def fractal_noise(rng: np.random.Generator, rows: int, cols: int) -> Float64[np.ndarray, "rows cols"]:
    """Noise of mean 0 and standard deviation 1 whose amplitude falls as 1 / frequency."""
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols)[None])
    frequency[0, 0] = np.inf
    phases = np.exp(2j * np.pi * rng.random(frequency.shape))
    noise = np.fft.irfft2(phases / frequency, s=(rows, cols))
    return noise / noise.std()


def shapes(rng: np.random.Generator, rows: int, cols: int) -> Float64[np.ndarray, "rows cols 3"]:
    """Discs and rectangles of random colours, one over the other."""
    image = Image.new("RGB", (cols, rows), tuple(rng.integers(60, 196, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(SHAPES):
        left, top = rng.integers(0, cols - 8), rng.integers(0, rows - 8)
        box = [int(v) for v in (left, top, rng.integers(left + 8, cols + 1), rng.integers(top + 8, rows + 1))]
        draw_one = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        draw_one(box, fill=tuple(rng.integers(0, 256, 3).tolist()))
    return np.asarray(image).astype(np.float64)
