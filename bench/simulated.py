"""Work that only waits, in a module of its own, so that other processes find it by its name."""

import time
from collections.abc import Iterator, Sequence

from layerscope.core.engines import Made, Piece, in_turn

# A simulated piece: as long as a shard of a small network, and what comes of one of a large network.
PIECE_SECONDS, PIECE_BYTES = 0.5, 1_000_000


class Simulated:
    """Work that waits, and gives so many bytes."""

    def __call__(self, pieces: Sequence[Piece[None]], /) -> Iterator[Made[bytes]]:
        return in_turn(pieces, self._made)

    def _made(self, piece: Piece[None]) -> Iterator[bytes]:
        time.sleep(PIECE_SECONDS)
        yield bytes(PIECE_BYTES)
