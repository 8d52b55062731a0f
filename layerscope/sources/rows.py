"""Images that lie as encoded bytes in the rows of a data set's files: Parquet, here or on the Hub, or Arrow.

A row is had by its file and number alone. Of a Parquet file the group of rows that holds it is read, and of that only
the column of images; groups that were read last stay, since neighbours are asked for one after the other. An Arrow file
is mapped. So nothing is unpacked on the disk, and any row can be read at any time, in any process.
"""

import hashlib
import os
import re
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate, pairwise
from typing import IO, Any, NamedTuple

from layerscope.core.errors import ImageError
from layerscope.core.failures import of_the_machine, out_of_memory, unread
from layerscope.core.lru import LruCache
from layerscope.sources.decode import LARGEST_FILE, UPRIGHT, DecodeOptions, Unusable, reason
from layerscope.sources.encoded import EncodedSource
from layerscope.sources.listing import Entry
from layerscope.sources.storage import LOCAL, Storage

PARQUET, ARROW = ".parquet", ".arrow"
ON_HUB = "hf://"
# Bytes of images, unpacked: so much of what was read last stays, and a group of rows may be so large.
KEPT_BYTES = 256 * 2**20
LARGEST_GROUP = 2 * 2**30
_KEPT_FILES = 64


class RowHead(NamedTuple):
    """What the listing asks of a row: its image's name, and its field in the column of labels; None for none."""

    name: str | None
    label: Any


@dataclass(frozen=True)
class _Opened:
    """One file. starts: the number of the first row of each group, and the count of all. about: what Parquet's footer
    says, or an Arrow table."""

    starts: Sequence[int]
    about: Any


class RowFiles:
    """Files of rows, read by number, by any thread. column: the one that holds images. It pickles, without what it
    keeps."""

    def __init__(self, column: str) -> None:
        self.column = column
        self._opened: LruCache[_Opened] = LruCache(_KEPT_FILES)
        self._groups: LruCache[Any] = LruCache(KEPT_BYTES, lambda group: group.nbytes)

    def __reduce__(self) -> tuple[Any, ...]:
        return RowFiles, (self.column,)

    def image(self, path: str, row: int) -> Any:
        """What the row holds of its image: bytes, or {"bytes", "path"}; None for nothing. Raises OSError, and
        ValueError for a file that is broken."""
        opened = self._file(path)
        group = bisect_right(opened.starts, row) - 1
        start = opened.starts[group]
        if path.endswith(ARROW):
            return opened.about.column(self.column)[row].as_py()
        read = self._groups.get((path, group), lambda: _group(path, opened.about, group, [self.column]))
        return read.column(self.column)[row - start].as_py()

    def heads(self, path: str, label: str | None) -> Iterator[RowHead]:
        """What the listing asks of every row of a file, in order; no image is read. Raises KeyError for a column that
        the file lacks."""
        opened = self._file(path)
        schema = _schema(opened)
        names_told = any(field.name == "path" for field in _fields(schema.field(self.column).type))
        wanted = [*([f"{self.column}.path"] if names_told else []), *([] if label is None else [label])]
        for group, (start, end) in enumerate(pairwise(opened.starts)):
            table = opened.about if path.endswith(ARROW) else _group(path, opened.about, group, wanted)
            names = _names(table.column(self.column)) if names_told else [None] * (end - start)
            labels = [None] * (end - start) if label is None else table.column(label).to_pylist()
            yield from map(RowHead, names, labels)

    def require_small_groups(self, path: str) -> None:
        """Raises ImageError for a file whose groups of rows are too large to be read at once."""
        if path.endswith(ARROW):
            return
        about = self._file(path).about
        for group in range(about.num_row_groups):
            columns = (about.row_group(group).column(place) for place in range(about.num_columns))
            size = sum(
                one.total_uncompressed_size for one in columns if one.path_in_schema.split(".")[0] == self.column
            )
            if size > LARGEST_GROUP:
                raise ImageError(
                    f'"{path}" holds {size / 2**30:.1f} GiB of images in one group of rows, which would be read at '
                    f"once; the most is {LARGEST_GROUP >> 30} GiB: write it anew with smaller groups (row_group_size=)"
                )

    def _file(self, path: str) -> _Opened:
        return self._opened.get(path, lambda: _arrow(path) if path.endswith(ARROW) else _parquet(path))


class RowSource(EncodedSource):
    """Images in the rows of files; an entry's offset is the number of its row in its file.

    files: what reads them. storage: where images lie that a row names and does not hold. version: what tells the data
    set from one of other rows.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        *,
        name: str,
        files: RowFiles,
        version: str,
        reading: DecodeOptions = UPRIGHT,
        storage: Storage = LOCAL,
        everything: Iterable[Entry] = (),
        said: Sequence[str] = (),
    ) -> None:
        super().__init__(entries, name=name, reading=reading, storage=storage, everything=everything, said=said)
        self._files, self._version = files, version

    def identity(self) -> Iterator[str]:
        yield from super().identity()
        yield f"data set {self._version}, column {self._files.column}"

    def stamp(self, id: int) -> Hashable:
        # A name on the Hub holds its revision, so that what it names never changes.
        return self._entries[id].path if self._entries[id].path.startswith(ON_HUB) else super().stamp(id)

    def _encoded(self, entry: Entry) -> bytes:
        try:
            held = self._files.image(entry.path, entry.offset)
        except (MemoryError, ImageError):
            raise
        except Exception as failure:
            raise _of_row(entry, failure) from failure
        encoded = held.get("bytes") if isinstance(held, dict) else held
        path = held.get("path") if isinstance(held, dict) else None
        if encoded is None and path:
            return super()._encoded(Entry(identity=entry.identity, path=path))
        if encoded is None:
            raise Unusable("the row holds no image")
        if len(encoded) > LARGEST_FILE:
            raise Unusable(f"larger than {LARGEST_FILE >> 30} GiB")
        return encoded


def version_of(paths: Sequence[str]) -> str:
    """What tells Parquet files from others of the same names: their sizes, and what they say at their ends of their
    groups of rows. Raises OSError, ValueError."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 8, 0))
            length = int.from_bytes(file.read(4), "little")
            file.seek(max(size - 8 - length, 0))
            digest.update(f"{size}:".encode() + file.read())
    return digest.hexdigest()[:16]


def schema_of(path: str) -> Any:
    """The Arrow schema of a file. Raises OSError, and ValueError for one that is broken."""
    return _schema(_arrow(path) if path.endswith(ARROW) else _parquet(path))


def _schema(opened: _Opened) -> Any:
    schema = opened.about.schema
    return schema.to_arrow_schema() if hasattr(schema, "to_arrow_schema") else schema


def _fields(type: Any) -> Iterator[Any]:
    """The fields of a type that has some."""
    return (type.field(place) for place in range(type.num_fields))


def plainly(failure: Exception) -> str:
    """What the Hub fails with, in short, without what stands behind an address: a signature lets anybody read."""
    return re.sub(r"(https?://)(?:[^\s/@]*@)?([^\s?#]*)(?:[?#]\S*)?", r"\1\2", reason(failure))


def _of_row(entry: Entry, failure: Exception) -> Exception:
    """What a row that cannot be read means: too little memory, an end of the build, or one image less."""
    if out_of_memory(failure):
        return MemoryError()
    if isinstance(failure, OSError) and of_the_machine(failure):
        return ImageError(unread(entry.path, failure))
    if entry.path.startswith(ON_HUB):  # a connection that is gone would leave out all images to come
        return ImageError(
            f'"{entry.path}" cannot be read from the Hub now ({plainly(failure)}): run the same command again'
        )
    return Unusable(f"unreadable: {reason(failure)}")


def _parquet(path: str) -> _Opened:
    with closing(_binary(path)) as file:
        about = import_module("pyarrow.parquet").ParquetFile(file).metadata
    counts = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
    return _Opened(starts=[0, *accumulate(counts)], about=about)


def _arrow(path: str) -> _Opened:
    pyarrow: Any = import_module("pyarrow")
    table = pyarrow.ipc.open_stream(pyarrow.memory_map(path)).read_all()
    return _Opened(starts=[0, table.num_rows], about=table)


def _group(path: str, about: Any, group: int, columns: list[str]) -> Any:
    """Some columns of a group of rows, read now. The file is opened anew, so that threads share nothing."""
    with closing(_binary(path)) as file:
        opened = import_module("pyarrow.parquet").ParquetFile(file, metadata=about)
        return opened.read_row_group(group, columns=columns, use_threads=False)


def _binary(path: str) -> IO[bytes]:
    if path.startswith(ON_HUB):
        # By itself it would read 5 MiB ahead of each small column.
        return import_module("huggingface_hub").HfFileSystem().open(path, "rb", cache_type="none")
    return open(path, "rb")


def _names(column: Any) -> list[str | None]:
    """The names in a column of images."""
    struct_field = import_module("pyarrow.compute").struct_field
    return [name for chunk in column.chunks for name in struct_field(chunk, "path").to_pylist()]
