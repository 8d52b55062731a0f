"""The slowest reference: convolution, ReLU and pooling of a plain chain, forward and back, as loops over numbers.

It holds the autograd reference to the written rules on nets of a few hundred numbers. Every step has ``forward`` and
``back(signal, x, method)``, where x is what the step was given.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

Map = Float64[np.ndarray, "c h w"]


@dataclass(frozen=True)
class Sliding:
    """Where a window lies over a plane, per output position."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    def size(self, input_size: Sequence[int]) -> tuple[int, ...]:
        reach = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        return tuple(
            (n + 2 * p - r) // s + 1 for n, p, r, s in zip(input_size, self.padding, reach, self.stride, strict=True)
        )

    def taps(self, row: int, col: int, input_size: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
        """(kernel row, kernel col, input row, input col) of the taps inside the plane, row by row."""
        for i, j in itertools.product(range(self.kernel[0]), range(self.kernel[1])):
            r = row * self.stride[0] - self.padding[0] + i * self.dilation[0]
            c = col * self.stride[1] - self.padding[1] + j * self.dilation[1]
            if 0 <= r < input_size[0] and 0 <= c < input_size[1]:
                yield i, j, r, c


@dataclass(frozen=True)
class Convolve:
    """weight: [outputs, inputs / groups, kernel rows, kernel cols]. The bias has no way back."""

    weight: Float64[np.ndarray, "o i kh kw"]
    bias: Float64[np.ndarray, " o"]
    sliding: Sliding
    groups: int = 1

    def _terms(self, x: Map) -> Iterator[tuple[float, tuple[int, int, int], tuple[int, int, int]]]:
        outputs, share = self.weight.shape[:2]
        rows, cols = self.sliding.size(x.shape[1:])
        for o, row, col, i in itertools.product(range(outputs), range(rows), range(cols), range(share)):
            channel = o // (outputs // self.groups) * share + i
            for a, b, r, c in self.sliding.taps(row, col, x.shape[1:]):
                yield self.weight[o, i, a, b], (o, row, col), (channel, r, c)

    def forward(self, x: Map) -> Map:
        out = np.zeros((len(self.weight), *self.sliding.size(x.shape[1:]))) + self.bias[:, None, None]
        for weight, there, here in self._terms(x):
            out[there] += weight * x[here]
        return out

    def back(self, signal: Map, x: Map, method: str) -> Map:
        out = np.zeros_like(x)
        for weight, there, here in self._terms(x):
            out[here] += weight * signal[there]
        return out


@dataclass(frozen=True)
class Rectifier:
    """ReLU (slope 0), LeakyReLU (slope above 0), ReLU6 (ceiling 6)."""

    slope: float = 0.0
    ceiling: float = np.inf

    def _open(self, x: Map) -> Bool[np.ndarray, "c h w"]:
        return (x > 0) & (x < self.ceiling)

    def forward(self, x: Map) -> Map:
        return np.minimum(np.where(x > 0, x, self.slope * x), self.ceiling)

    def back(self, signal: Map, x: Map, method: str) -> Map:
        out = np.zeros_like(signal)
        for place in np.ndindex(*signal.shape):
            value = signal[place]
            if method != "gradient" and value < 0:
                value = self.slope * value
            if method != "deconvnet" and not self._open(x)[place]:
                value = self.slope * value
            out[place] = value
        return out


@dataclass(frozen=True)
class MaxPool:
    """Of equal values the first in reading order wins; the way back goes to the winner, and overlaps add."""

    sliding: Sliding

    def _winners(self, x: Map) -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int]]]:
        rows, cols = self.sliding.size(x.shape[1:])
        for channel, row, col in itertools.product(range(len(x)), range(rows), range(cols)):
            best: tuple[int, int, int] | None = None
            for _, _, r, c in self.sliding.taps(row, col, x.shape[1:]):
                if best is None or x[channel, r, c] > x[best]:
                    best = (channel, r, c)
            assert best is not None
            yield (channel, row, col), best

    def forward(self, x: Map) -> Map:
        out = np.zeros((len(x), *self.sliding.size(x.shape[1:])))
        for there, here in self._winners(x):
            out[there] = x[here]
        return out

    def back(self, signal: Map, x: Map, method: str) -> Map:
        out = np.zeros_like(x)
        for there, here in self._winners(x):
            out[here] += signal[there]
        return out


@dataclass(frozen=True)
class AveragePool:
    """The mean over each window; `counted` says whether padding counts in the divisor."""

    sliding: Sliding
    counted: bool = True

    def _shares(self, x: Map) -> Iterator[tuple[float, tuple[int, int, int], tuple[int, int, int]]]:
        rows, cols = self.sliding.size(x.shape[1:])
        for channel, row, col in itertools.product(range(len(x)), range(rows), range(cols)):
            taps = list(self.sliding.taps(row, col, x.shape[1:]))
            divisor = self.sliding.kernel[0] * self.sliding.kernel[1] if self.counted else len(taps)
            for _, _, r, c in taps:
                yield 1 / divisor, (channel, row, col), (channel, r, c)

    def forward(self, x: Map) -> Map:
        out = np.zeros((len(x), *self.sliding.size(x.shape[1:])))
        for share, there, here in self._shares(x):
            out[there] += share * x[here]
        return out

    def back(self, signal: Map, x: Map, method: str) -> Map:
        out = np.zeros_like(x)
        for share, there, here in self._shares(x):
            out[here] += share * signal[there]
        return out


Step = Convolve | Rectifier | MaxPool | AveragePool


def activations(chain: Sequence[Step], image: Map) -> list[Map]:
    """What each step gives; the image itself comes first."""
    given = [image]
    for step in chain:
        given.append(step.forward(given[-1]))
    return given


def project(chain: Sequence[Step], image: Map, *, unit: int, row: int, col: int, method: str) -> Map:
    """The last step's activation at a place, carried back; a ReLU at the end is the start and is not applied."""
    given = activations(chain, image)
    signal = np.zeros_like(given[-1])
    signal[unit, row, col] = given[-1][unit, row, col]
    steps = list(zip(chain, given[:-1], strict=True))
    if isinstance(chain[-1], Rectifier):
        steps.pop()
    for step, x in reversed(steps):
        signal = step.back(signal, x, method)
    return signal
