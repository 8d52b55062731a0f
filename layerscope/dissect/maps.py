"""The maps of the wanted layers over all images, twice: once to find thresholds, once to compare with masks.

They are cached as float16 between the two passes up to a budget of bytes; the images behind it are run again, in the
same batches, so that both passes see the same numbers whatever the budget.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.errors import TraceError
from layerscope.core.records import Batch, Input, LayerRecord
from layerscope.graph import Carrier
from layerscope.sources import Source

BATCH = 32
# The largest value of the first batch is brought to at most 2^8: it leaves room for values 2^8 times as large below
# float16's infinity, and 2^-22 of it is still a normal number.
_LARGEST_EXPONENT = 8

# The maps of one program by node: float16[n, rows, cols, units].
Maps = dict[int, Tensor]


@dataclass(frozen=True, eq=False)
class BatchMaps:
    """A batch of usable images and its maps, one entry per program."""

    batch: Batch
    maps: tuple[Maps, ...]


class Activations:
    """The maps of some layers under several programs of one architecture. runs: the ids of the usable images of every
    batch, as far as the first pass has come."""

    def __init__(
        self, programs: Sequence[Carrier], layers: Sequence[LayerRecord], source: Source, input: Input, memory: int
    ) -> None:
        self.programs, self.layers, self.source, self.input = programs, layers, source, input
        self.runs: list[Int64[np.ndarray, " n"]] = []
        self._scales: list[dict[int, float]] = [{} for _ in programs]
        self._room = memory
        self._cached: list[tuple[Maps, ...]] = []

    def pieces(self) -> list[Piece[range]]:
        """The batches of the first pass, as ids."""
        starts = range(0, len(self.source), BATCH)
        runs = [range(start, min(start + BATCH, len(self.source))) for start in starts]
        return [Piece(number, len(ids), ids) for number, ids in enumerate(runs)]

    def first(self, pieces: Sequence[Piece[range]], /) -> Iterator[Made[BatchMaps]]:
        """The work of the first pass: every batch with its maps; nothing for one without usable images."""
        with closing(self.source.batches(self.input, [piece.held for piece in pieces])) as batches:  # type: ignore[type-var]
            yield from in_turn(pieces, lambda piece: self._forwarded(next(batches)))

    def _forwarded(self, batch: Batch) -> Iterator[BatchMaps]:
        if not len(batch.ids):
            return
        maps = self._maps(batch)
        size = sum(one.nbytes for program in maps for one in program.values())
        if len(self._cached) == len(self.runs) and size <= self._room:
            self._cached.append(maps)
            self._room -= size
        self.runs.append(batch.ids)
        yield BatchMaps(batch, maps)

    def again(self, pieces: Sequence[Piece[Int64[np.ndarray, " n"]]], /) -> Iterator[Made[tuple[Maps, ...]]]:
        """The work of the second pass over the runs: the same maps as before."""
        return in_turn(pieces, lambda piece: iter([self._once_more(piece)]))

    def _once_more(self, piece: Piece[Int64[np.ndarray, " n"]]) -> tuple[Maps, ...]:
        if piece.number < len(self._cached):
            return self._cached[piece.number]
        return self._maps(self.source.load(piece.held, self.input))

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
