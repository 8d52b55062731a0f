"""What a first-layer filter prefers, read from its weights: a direction, a frequency, a colour, its symmetry.

Weights are first put into px values (divided by the input's std), red, green and blue, in float64. Their principal
component over the colours gives one colour axis and one gray filter; direction and frequency are read from the power
spectrum of that filter. Angles are those of a line as seen on the screen: 0 is horizontal, counter-clockwise is
positive, (-90, 90] degrees, so that -45 falls from the upper left to the lower right.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Float64

from layerscope.facts.patches import angle_of, direction

# The spectrum is sampled this finely, whatever the filter's size: 1/256 cycles per px.
_SAMPLES = 256
# Hues in steps of 30 degrees from pure red; the opponent of a hue is six steps further.
_HUES = (
    *("red", "orange", "yellow", "yellow-green", "green", "green"),
    *("cyan", "blue", "blue", "violet", "magenta", "red"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSight:
    """What a filter prefers.

    angle: of the line or edge it likes best, degrees. oriented: how much one direction prevails, 0 (none) to 1.
    frequency: where its spectrum is highest, cycles per px. chroma: the share of its energy that tells colours apart,
    0..1; gray filters have 0. colour, opponent: what it likes and what counts against it, by hue; "" without chroma.
    uniform: the share of its energy in its mean, 1 for a filter that is the same everywhere. even: how much it is
    mirrored about its middle along the preferred direction, 1 for a line or a blob, 0 for an edge. light: whether the
    middle of it likes the colour (or light) rather than its opposite.
    """

    angle: float
    oriented: float
    frequency: float
    chroma: float
    colour: str
    opponent: str
    uniform: float
    even: float
    light: bool


def filter_sight(weights: Float[np.ndarray, "c h w"]) -> FilterSight:
    """Read a filter. weights: per px value, red, green, blue (or gray)."""
    values = weights.astype(np.float64)
    axis, gray = principal(values)
    energy = float((values**2).sum())
    chroma = 1 - len(values) * float((values.mean(0) ** 2).sum()) / energy if energy else 0.0
    light = bool((gray * _middle(gray.shape)).sum() > 0)
    colour, opponent = hues(axis if light else -axis) if chroma > 1e-6 else ("", "")
    uniform = gray.size * gray.mean() ** 2 / (float((gray**2).sum()) or 1.0)
    rows, cols, spectrum = _spectrum(gray - gray.mean())
    turn = direction(rows, cols, np.abs(spectrum) ** 2 * (np.hypot(rows, cols) <= 0.5))
    peak = int(np.argmax(np.abs(spectrum)))
    waves = float(np.hypot(rows, cols).ravel()[peak])
    return FilterSight(
        angle=angle_of(turn),
        oriented=abs(turn),
        frequency=waves if uniform < 0.5 else 0.0,
        chroma=max(chroma, 0.0),
        colour=colour,
        opponent=opponent,
        uniform=float(uniform),
        even=_evenness(gray, float(rows.ravel()[peak]), float(cols.ravel()[peak])),
        light=light,
    )


def principal(values: Float64[np.ndarray, "c h w"]) -> tuple[Float64[np.ndarray, " c"], Float64[np.ndarray, "h w"]]:
    """The colour axis of most energy, of length 1 and light rather than dark, and the filter along it."""
    colours = np.linalg.svd(values.reshape(len(values), -1), full_matrices=False)[0]
    axis = colours[:, 0]
    axis = -axis if axis[np.argmax(np.abs(axis))] < 0 else axis
    return axis, np.tensordot(axis, values, 1)


def hues(axis: Float64[np.ndarray, " c"]) -> tuple[str, str]:
    """The names of a colour axis's hue and of the opposite one. axis: red, green, blue."""
    red, green, blue = axis
    hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    step = round(hue / 30) % 12
    return _HUES[step], _HUES[(step + 6) % 12]


def _middle(shape: tuple[int, ...]) -> Float64[np.ndarray, "h w"]:
    """A round window over the middle third."""
    rows, cols = (np.arange(n) - (n - 1) / 2 for n in shape)
    width = max(min(shape) / 6, 0.5)
    return np.exp(-(rows[:, None] ** 2 + cols**2) / (2 * width**2))


def _spectrum(
    gray: Float64[np.ndarray, "h w"],
) -> tuple[Float64[np.ndarray, "s s"], Float64[np.ndarray, "s s"], Complex[np.ndarray, "s s"]]:
    """Frequencies along rows and columns, cycles per px, and the transform there."""
    rows, cols = np.meshgrid(np.fft.fftfreq(_SAMPLES), np.fft.fftfreq(_SAMPLES), indexing="ij")
    return rows, cols, np.fft.fft2(gray, (_SAMPLES, _SAMPLES))


def _evenness(gray: Float64[np.ndarray, "h w"], row_waves: float, col_waves: float) -> float:
    """How much of the wave at this frequency is mirrored about the middle of the filter's energy."""
    power = gray**2
    if not power.any():
        return 0.0
    rows, cols = np.mgrid[: gray.shape[0], : gray.shape[1]]
    row, col = (float((power * place).sum() / power.sum()) for place in (rows, cols))
    wave = np.exp(-2j * np.pi * ((rows - row) * row_waves + (cols - col) * col_waves))
    found = (gray * wave).sum()
    return float(found.real**2 / (abs(found) ** 2 or 1.0))
