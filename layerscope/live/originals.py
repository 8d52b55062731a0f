"""Where an atlas's images still lie: each is found by the name that the atlas has for it, and checked by its hash.

An atlas holds names of images relative to a folder that it does not name. Looked at are, in this order: a source that
the user names; the world that drew them; files and archives of that name in the atlas's own folder, in the one above
it, and where the program was started. A file counts only where its bytes are those that were scanned.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import LayerscopeError
from layerscope.core.images import TAR_ENDINGS
from layerscope.core.records import Batch, ImageRecord, Input
from layerscope.sources import Entry, Source, open_source
from layerscope.sources.decode import ORIENTATIONS, DecodeOptions
from layerscope.sources.encoded import EncodedSource
from layerscope.world.finding import world_with

# How a run calls its images: "photos/ (9 files)", "photos/*.png (9 files)", "val.tar (9 images)", "World (9 items)".
_FOLDER = re.compile(r"([^/\\]+)/[^/\\]*\(")
_ARCHIVE = re.compile(rf"([^/\\]+(?:{'|'.join(map(re.escape, TAR_ENDINGS))})) \(", re.IGNORECASE)
_WORLD = "World ("


class Originals:
    """The images of one atlas as they lie now.

    images: the source, in the words of the run. record: by number what the atlas knows of an image; count: of them.
    source: where the user says that they lie. places: folders that are looked into.
    """

    def __init__(
        self, images: str, record: Callable[[int], ImageRecord], count: int, *, places: Sequence[Path],
        source: Source | None = None,
    ) -> None:  # fmt: skip
        self._images, self._record, self._count = images, record, count
        self._places, self._given = tuple(places), source
        self._one = threading.Lock()

    @classmethod
    def of(cls, file: AtlasFile, source: Source | None = None) -> "Originals":
        """Those of an atlas: looked into are its folder, the one above that, and the present one."""
        here = file.path.absolute().parent
        places = list(dict.fromkeys([here, here.parent, Path.cwd()]))
        return cls(file.run.images, file.image, file.image_count(), places=places, source=source)

    def load(self, record: ImageRecord, input: Input) -> Batch | None:
        """An image as the scan got it: a batch of one; None where its bytes are found nowhere."""
        if record.sha256 is None or record.skipped is not None:
            return None
        # A source notes what it reads: one thread at a time.
        with self._one:
            return next(self._found(record, input), None)

    def _found(self, record: ImageRecord, input: Input) -> Iterator[Batch]:
        for source, id in self._candidates(record):
            try:
                batch = source.load([id], input)
            except LayerscopeError:
                continue
            read = batch.records[0]
            if len(batch.ids) and (read.sha256, read.height, read.width) == (
                record.sha256,
                record.height,
                record.width,
            ):
                yield batch

    def _candidates(self, record: ImageRecord) -> Iterator[tuple[Source, int]]:
        for source, ids in self._sources:
            if record.source in ids:
                yield source, ids[record.source]
        for path in self._paths(record):
            entry = Entry(identity=record.source, size=record.size, path=str(path))
            for orientation in ORIENTATIONS:
                reading = DecodeOptions(orientation=orientation)
                yield EncodedSource([entry], name=path.name, reading=reading), 0

    @cached_property
    def _sources(self) -> list[tuple[Source, dict[str, int]]]:
        """Sources that are read by number, each with its numbers by name."""
        found = [self._given, self._drawn(), *self._archives()]
        return [(one, {entry.identity: id for id, entry in enumerate(one.entries)}) for one in found if one is not None]

    def _drawn(self) -> Source | None:
        if not self._images.startswith(_WORLD) or not self._count:
            return None
        world = world_with(self._record(0), self._record(self._count - 1), self._count)
        return None if world is None else open_source(world)

    def _archives(self) -> Iterator[Source]:
        named = _ARCHIVE.match(self._images)
        for path in [place / named[1] for place in self._places] if named else ():
            try:
                if path.is_file():
                    yield open_source(path)
            except (LayerscopeError, OSError):
                continue

    def _paths(self, record: ImageRecord) -> Iterator[Path]:
        """Files that bear an image's name and size. A name that leads out of its folder is none."""
        name, folder = PurePosixPath(record.source), _FOLDER.match(self._images)
        if name.is_absolute() or ".." in name.parts or "\\" in record.source or "\0" in record.source:
            return
        below = [folder[1]] if folder and folder[1] != ".." else []
        for place in self._places:
            for inside in (*below, "."):
                path = place / inside / name
                try:
                    if path.is_file() and path.stat().st_size == record.size:
                        yield path
                except OSError:
                    continue
