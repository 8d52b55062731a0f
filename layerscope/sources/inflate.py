"""A gzip file read from any place, though gzip can only be unpacked from its start: marks on the way spare the rest.

A mark is a decompressor as it stood at a place. The first passage sets one in every MiB or so; whoever reads later goes
on from the last mark before. Nothing is unpacked to disk, and each process makes its marks itself: what travels is a
place in the unpacked stream. A mark takes some 40 kB; where they become many, every second one goes.
"""

import threading
import zlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CHUNK = 2**20  # packed bytes asked for at once, and most unpacked bytes made at once
MOST_MARKS = 256
_GZIP = 31  # zlib's word for a gzip header and trailer around the largest window
_MAGIC = b"\x1f\x8b"


class BrokenStream(Exception):
    """A gzip file that ends early, or whose bytes are not what they were; says where."""


@dataclass(slots=True)
class _State:
    """Where a passage stands. made: unpacked bytes so far. taken: packed bytes asked for so far. packed: of those what
    is still to be unpacked."""

    made: int
    taken: int
    stream: Any
    packed: bytes = b""
    ended: bool = False

    def copy(self) -> "_State":
        return _State(self.made, self.taken, self.stream.copy(), self.packed, self.ended)


class Inflated:
    """The unpacked bytes of a gzip file of any number of members. Several threads may read.

    fetch: offset, size -> packed bytes, fewer only at the end.
    """

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self._fetch, self._lock = fetch, threading.Lock()
        self._marks = [_State(0, 0, zlib.decompressobj(_GZIP))]
        self._apart = CHUNK
        self._at, self._block = self._marks[0].copy(), b""

    def read(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on, fewer only at the end. Raises BrokenStream, and whatever `fetch` does."""
        with self._lock:
            self._go_before(offset)
            found: list[bytes] = []
            while size > 0:
                begin = self._at.made - len(self._block)
                part = self._block[max(offset - begin, 0) :][:size]
                found.append(part)
                offset, size = offset + len(part), size - len(part)
                if size > 0 and not self._step():
                    break
            return b"".join(found)

    def _go_before(self, offset: int) -> None:
        """Stand where the last block begins at `offset` or before it."""
        place = bisect_right(self._marks, offset, key=lambda mark: mark.made) - 1
        here = self._at.made - len(self._block)
        if here > offset or self._marks[place].made > self._at.made:
            self._at, self._block = self._marks[place].copy(), b""
        while self._at.made <= offset and self._step():
            pass

    def _step(self) -> bool:
        """Unpack one more block; False at the end."""
        at = self._at
        while not at.ended:
            if not at.packed:
                # Only the stream itself need be kept here, no bytes that wait to be unpacked.
                self._mark(at)
                at.packed = self._fetch(at.taken, CHUNK)
                at.taken += len(at.packed)
            if not at.packed:
                raise BrokenStream(f"it ends after {at.taken:,} bytes, before its end mark")
            try:
                block = at.stream.decompress(at.packed, CHUNK)
            except zlib.error:
                raise BrokenStream(f"its bytes are damaged behind {at.made:,} unpacked bytes") from None
            at.packed = at.stream.unconsumed_tail
            if at.stream.eof:
                self._next_member(at)
            if block:
                at.made, self._block = at.made + len(block), block
                return True
        return False

    def _next_member(self, at: _State) -> None:
        at.packed = at.stream.unused_data
        while len(at.packed) < len(_MAGIC):
            more = self._fetch(at.taken, CHUNK)
            if not more:
                break
            at.packed, at.taken = at.packed + more, at.taken + len(more)
        # Whatever else stands behind a member is padding, which gzip passes over too.
        at.ended = not at.packed.startswith(_MAGIC)
        at.stream = zlib.decompressobj(_GZIP)

    def _mark(self, at: _State) -> None:
        if at.made < self._marks[-1].made + self._apart:
            return
        self._marks.append(at.copy())
        if len(self._marks) > MOST_MARKS:
            self._marks, self._apart = self._marks[::2], 2 * self._apart
