"""One state of an atlas, even while its build goes on, with lists of all the pictures that it stores."""

import os
from collections.abc import Container, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from layerscope.atlas.connection import plain_errors
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord, RunRecord
from layerscope.core.records import ImageRecord
from layerscope.viewer.addresses import SheetKey

# Size, time and inode of a file and of what is written beside it; None where there is nothing.
FileState: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Stored(NamedTuple):
    """A picture of the atlas: its codec, and how many bytes it takes there."""

    codec: str
    bytes: int


class Snapshot(AtlasFile):
    """An atlas as it was when this was opened. Raises what AtlasFile does.

    state: of its file, just before.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.state = state_of(Path(path))
        super().__init__(path)
        try:
            with plain_errors(self.path):
                # All that is read from here on is of one moment.
                self._connection.execute("BEGIN")
        except BaseException:
            self.close()
            raise

    @cached_property
    def _state(self) -> tuple[RunRecord, bool]:
        return super().run, super().finished

    @property
    def run(self) -> RunRecord:
        return self._state[0]

    @cached_property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        return super().layers

    @property
    def finished(self) -> bool:
        return self._state[1]

    def sheets(self) -> Iterator[tuple[SheetKey, Stored]]:
        """All sheets of tiles, in the order of layers and units."""
        query = "SELECT layer, unit, kind, method, view, codec, length(pixels) FROM sheet ORDER BY 1, 2, 3, 4, 5"
        for layer, unit, kind, method, view, codec, size in self._rows(query):
            yield SheetKey(layer=layer, unit=unit, kind=kind, method=method, view=view), Stored(codec, size)

    def small_pictures(self) -> dict[int, Stored]:
        """The small whole pictures, by image."""
        return {image: Stored(*rest) for image, *rest in self._rows("SELECT image, codec, length(pixels) FROM picture")}

    def placed_strata(self) -> Iterator[tuple[int, int, int]]:
        """Layer, unit and image of the strata whose place in the image is known."""
        if "stratum" in self._tables:
            yield from self._rows("SELECT DISTINCT layer, unit, image FROM stratum WHERE tile_top IS NOT NULL")  # type: ignore[misc]

    def images_of(self, layers: Iterable[int]) -> list[int]:
        """The images with a peak or a place in the strata of these layers, in order."""
        found, ids = set[int](), list(layers)
        for table in sorted(self._tables & {"peak", "stratum"}):
            for layer in ids:
                found |= {i for (i,) in self._rows(f"SELECT DISTINCT image FROM {table} WHERE layer = ?", layer)}
        return sorted(found)

    def images_named_of(self, images: Container[int], text: str, most: int) -> tuple[ImageRecord, ...]:
        """As `images_named`, of these images alone."""
        asked = most
        while True:
            # Images with pictures come first, and nearly all that are shown have one: the rest need not be read.
            found = self.images_named(text, asked)
            kept = tuple(one for one in found if one.id in images)[:most]
            if len(kept) == most or len(found) < asked:
                return kept
            asked *= 4

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(name for (name,) in self._rows("SELECT name FROM sqlite_schema WHERE type = 'table'"))


def state_of(atlas: Path) -> FileState:
    """What is another once somebody has written to an atlas, in its file or beside it."""
    files = (atlas, atlas.with_name(f"{atlas.name}-wal"))
    stats = (file.stat() if file.exists() else None for file in files)
    return tuple((stat.st_size, stat.st_mtime_ns, stat.st_ino) if stat and stat.st_size else None for stat in stats)
