"""The list of a source's images, of any length: in memory while it is short, else packed in a nameless file.

A name with its class, size and place takes some 300 bytes as Python holds it, half a gigabyte for 1.5 million
images. So a long list lies in a file that nobody sees and that goes with the process; a thousand images of it are read
at once, and the few parts that were read last stay.
"""

import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import IO, Any, overload

from layerscope.core.lru import LruCache
from layerscope.sources.listing import Entry

# So many entries are read at once; lists of up to SHORT stay in memory.
PART = 1024
SHORT = 16 * PART
# So many parts stay in memory: as many groups of images may be looked up at the same time.
_KEPT_PARTS = 8

_Row = tuple[str, int | None, str | None, str, int]


def entry_list(entries: Iterable[Entry]) -> Sequence[Entry]:
    """These entries, in their order; what is given is gone through once and not held."""
    coming = iter(entries)
    first = tuple(islice(coming, SHORT + 1))
    return first if len(first) <= SHORT else EntryTable(chain(first, coming))


class EntryTable(Sequence[Entry]):
    """Entries in a nameless file. Raises OSError where there is no room for it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="layerscope-")  # noqa: SIM115
        self._starts, self._count = [0], 0
        self._parts: LruCache[list[_Row]] = LruCache(_KEPT_PARTS)
        coming = iter(entries)
        while part := [_row(entry) for entry in islice(coming, PART)]:
            self._starts.append(self._starts[-1] + self._file.write(pickle.dumps(part)))
            self._count += len(part)
        self._file.flush()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(place, slice):
            return entry_list(self[id] for id in range(*place.indices(self._count)))
        id = range(self._count)[place]
        return _entry(self._parts.get(id // PART, lambda: self._part(id // PART))[id % PART])

    def __iter__(self) -> Iterator[Entry]:
        for number in range(len(self._starts) - 1):
            yield from map(_entry, self._part(number))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return entry_list, (tuple(self),)

    def _part(self, number: int) -> list[_Row]:
        """One part, read now; by any thread, and by forked processes, which share the file's position."""
        start, end = self._starts[number], self._starts[number + 1]
        return pickle.loads(os.pread(self._file.fileno(), end - start, start))


class PieceEntries(Sequence[Entry]):
    """The entries of a source that has left its names behind: as many as there were, of which some are known."""

    def __init__(self, count: int, known: Mapping[int, Entry]) -> None:
        self._count, self._known = count, known

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Entry]: ...
    def __getitem__(self, place: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(place, slice):
            return [self[id] for id in range(*place.indices(self._count))]
        found = self._known.get(range(self._count)[place])
        if found is None:
            raise RuntimeError(f"image {place} was not named to this process; its piece must bring its name along")
        return found


def _row(entry: Entry) -> _Row:
    return entry.identity, entry.size, entry.label, entry.path, entry.offset


def _entry(row: _Row) -> Entry:
    identity, size, label, path, offset = row
    return Entry(identity=identity, size=size, label=label, path=path, offset=offset)
