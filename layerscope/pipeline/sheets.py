"""The fourth stage: the tiles of a unit become one picture per kind, method and view, and what its peaks are made of
becomes their mean."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.write import AtlasWriter
from layerscope.core.codecs import BLANK
from layerscope.core.engines import Made, Piece, in_turn
from layerscope.core.pieces import Job
from layerscope.core.progress import Clock
from layerscope.core.shares import MadeOf
from layerscope.core.stages import SHEETS
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import LayerWork

GROUP = 64


@dataclass(frozen=True, eq=False)
class Units:
    """Some units of one layer."""

    work: LayerWork
    units: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class EncodedSheet:
    """The tiles of one unit as one picture. kind, method, view: what it shows. scales: of each tile."""

    unit: int
    kind: str
    method: str
    view: str
    scales: Float32[np.ndarray, " k"]
    pixels: bytes


# What a unit is made of, by earlier layer.
MadeByLayer = dict[int, MadeOf]


class Sheets(Job[Units, EncodedSheet | MadeByLayer]):
    """The sheets of all units, in groups of 64 units; the tiles lie in the scratch file, so they are encoded here."""

    stage = SHEETS

    def __init__(
        self,
        writer: AtlasWriter,
        scratch: Scratch,
        works: Sequence[LayerWork],
        settings: Settings,
        *,
        label: str,
        clock: Clock,
        threads: int,
    ) -> None:
        self.writer, self.scratch, self.settings = writer, scratch, settings
        self.label, self.clock, self.threads = label, clock, threads
        groups = [
            Units(work, work.units[first : first + GROUP])
            for work in works
            for first in range(0, len(work.units), GROUP)
        ]
        self.pieces = [Piece(number, len(group.units), group) for number, group in enumerate(groups)]
        self.work = self._encode

    def _encode(self, pieces: Sequence[Piece[Units]], /) -> Iterator[Made[EncodedSheet | MadeByLayer]]:
        with ThreadPoolExecutor(self.threads) as pool:
            yield from in_turn(pieces, lambda piece: self._encoded(piece.held, pool))

    def _encoded(self, group: Units, pool: ThreadPoolExecutor) -> Iterator[EncodedSheet | MadeByLayer]:
        with self.clock.time("encode"):
            made = list(pool.map(lambda unit: list(self._sheets(group.work, unit)), group.units))
        for sheets in made:
            yield from sheets

    def _sheets(self, work: LayerWork, unit: int) -> Iterator[EncodedSheet | MadeByLayer]:
        """The sheets of one unit; a unit without any peak has none."""
        present = work.peaks.image[unit] >= 0
        if not present.any():
            return
        tiles, scales, shares = self.scratch.unit(work.node, unit)
        tiles = np.where(present[:, None, None, None, None], tiles, np.uint8(BLANK))
        scales = np.where(present[:, None], scales, np.float32(0))
        kinds = [("projections", method, view) for method in work.methods for view in self.settings.views]
        for index, (kind, method, view) in enumerate([("patches", "", ""), *kinds]):
            if kind == "projections" or work.patches:
                data = encode(grid(tiles[:, index]), self.settings.codec, shows=view or kind)
                yield EncodedSheet(unit, kind, method, view, scales[:, index], data)
        if work.shared is not None:
            yield work.shared.unit(unit, shares, present)

    def put(self, piece: Piece[Units], part: EncodedSheet | MadeByLayer) -> int:
        """Store one sheet, or what a unit is made of."""
        with self.clock.time("write"):
            if isinstance(part, dict):
                self.writer.put_made_of(piece.held.work.node, part)
                return 0
            self.writer.put_sheet(
                piece.held.work.node, part.unit, part.kind, part.method, part.view, part.scales, self.settings.codec,
                part.pixels,
            )  # fmt: skip
        return 0
