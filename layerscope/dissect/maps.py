"""The maps of the wanted layers over all images, twice: once to find thresholds, once to compare with masks.

They are kept as float16 between the two passes up to a budget of bytes; the images behind it are run again, in the
same batches, so that both passes see the same numbers whatever the budget.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from layerscope.core.errors import ImageError, TraceError
from layerscope.core.records import Batch, Input, LayerRecord
from layerscope.graph import Carrier
from layerscope.sources import Source

BATCH = 32
# The largest value of the first batch is brought to at most 2^8: it leaves room for values 2^8 times as large below
# float16's infinity, and 2^-22 of it is still a normal number.
_LARGEST_EXPONENT = 8

# The maps of one program by node: float16[n, rows, cols, units].
Maps = dict[int, Tensor]


class Activations:
    """The maps of some layers under several programs of one architecture."""

    def __init__(
        self, programs: Sequence[Carrier], layers: Sequence[LayerRecord], source: Source, input: Input, memory: int
    ) -> None:
        self.programs, self.layers, self.source, self.input = programs, layers, source, input
        self._scales: list[dict[int, float]] = [{} for _ in programs]
        self._room = memory
        self._kept: list[tuple[Maps, ...]] = []
        self._runs: list[Int64[np.ndarray, " n"]] = []

    def first(self) -> Iterator[tuple[Batch, tuple[Maps, ...]]]:
        """Every batch with usable images and its maps, one entry per program. Raises ImageError if there is none."""
        runs = (range(start, min(start + BATCH, len(self.source))) for start in range(0, len(self.source), BATCH))
        for batch in self.source.batches(self.input, runs):
            if not len(batch.ids):
                continue
            maps = self._maps(batch)
            size = sum(one.nbytes for program in maps for one in program.values())
            if len(self._kept) == len(self._runs) and size <= self._room:
                self._kept.append(maps)
                self._room -= size
            self._runs.append(batch.ids)
            yield batch, maps
        if not self._runs:
            raise ImageError(f"none of the {len(self.source)} images in {self.source.name} can be used")

    def again(self) -> Iterator[tuple[int, tuple[Maps, ...]]]:
        """The number of images in every batch, and the same maps as before."""
        for number, ids in enumerate(self._runs):
            kept = self._kept[number] if number < len(self._kept) else self._maps(self.source.load(ids, self.input))
            yield len(ids), kept

    def _maps(self, batch: Batch) -> tuple[Maps, ...]:
        pixels = torch.from_numpy(batch.pixels)
        pairs = zip(self.programs, self._scales, strict=True)
        return tuple(self._of(program, scales, pixels) for program, scales in pairs)

    def _of(self, program: Carrier, scales: dict[int, float], pixels: Tensor) -> Maps:
        values = program.run(pixels, {layer.node for layer in self.layers})
        found = {}
        for layer in self.layers:
            maps = values[layer.node].float().cpu().permute(0, 2, 3, 1)
            largest = float(maps.abs().amax())
            if not np.isfinite(largest):
                what = "NaN" if np.isnan(largest) else "infinity"
                raise TraceError(f"layer {layer.name} gives {what}: the weights or the input are unusable")
            if layer.node not in scales:
                # A power of two, so that scaling changes no digit.
                scales[layer.node] = 2.0 ** (_LARGEST_EXPONENT - np.frexp(largest)[1]) if largest else 1.0
            found[layer.node] = (maps * scales[layer.node]).half().contiguous()
        return found
