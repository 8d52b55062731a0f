"""Bytes that lie in a store elsewhere: asked for again where that helps, and counted when they come.

An image is left out only for what is wrong with that image: where it cannot be had, what was read last is asked for,
and if that is silent too it is the store's matter, and the run stops. What is of another size than was listed has
changed, and the run stops as well: an atlas of some images of yesterday and some of today would be of neither.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerscope.core.errors import ImageError
from layerscope.remote.answers import ATTEMPTS, NotThere, ShortAnswer, Unanswered, answered, silent
from layerscope.remote.first import require_heard
from layerscope.remote.systems import address_in, full, store_named, system_of
from layerscope.sources.decode import Unusable
from layerscope.sources.listing import Entry
from layerscope.sources.signatures import named_as_image
from layerscope.sources.storage import Storage

Version = tuple[int, str]  # the size of a file, and whatever else its store says that changes with its bytes

# By root, the place that this process read last: what tells whether a store answers at all.
_READ_LAST: dict[str, str] = {}
# Archives whose version this process has looked at, by root and path.
_LOOKED_AT: set[tuple[str, str, Version]] = set()


@dataclass(frozen=True)
class RemoteFiles(Storage):
    """The files of one store.

    root: of their addresses, secrets included; see `systems`. versions: of archives, by path, as they were listed.
    """

    root: str = field(repr=False)
    versions: Mapping[str, Version] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"RemoteFiles({full(self.root, '')})"

    def shown(self, path: str) -> str:
        return full(self.root, path)

    def stamp(self, path: str) -> Hashable:
        return None

    def head(self, entry: Entry) -> bytes:
        """How a file begins; asked for only where the name does not tell, since each question takes its time."""
        return b"" if named_as_image(entry.identity) or entry.size == 0 else super().head(entry)

    def read(self, entry: Entry) -> bytes:
        if entry.path in self.versions:
            self._require_version(entry.path)
        elif entry.size is not None:
            return self._whole(entry)
        return super().read(entry)

    def raw(self, path: str, offset: int, size: int | None) -> bytes:
        if size is not None and path in self.versions:
            size = max(min(size, self.versions[path][0] - offset), 0)
        if size == 0:
            return b""
        system = self._system(path)

        def ask() -> bytes:
            if size is None:
                return system.cat_file(path)
            found = system.cat_file(path, start=offset, end=offset + size)
            if path not in self.versions:
                return found[:size]  # a beginning; a server that sends whole files sends that too
            if len(found) > size:
                raise ImageError(
                    f'"{self.shown(path)}" cannot be read in part: its server sends whole files only; copy it here, or '
                    "to a store that answers for parts"
                )
            if len(found) < size:
                raise ShortAnswer(f"{len(found):,} of {size:,} bytes came")
            return found

        return self._answered(ask, path)

    def info(self, path: str) -> Mapping[str, Any]:
        """What the store says of a file. Raises Unusable, and ImageError."""
        system = self._system(path)
        system.invalidate_cache()
        return self._answered(lambda: system.info(path), path)

    def _whole(self, entry: Entry) -> bytes:
        """A file of its own, whose size is known."""

        system = self._system(entry.path)

        def ask() -> bytes:
            found = system.cat_file(entry.path)
            if len(found) != entry.size:
                raise ShortAnswer(f"{len(found):,} of {entry.size:,} bytes came")
            return found

        try:
            return self._answered(ask, entry.path)
        except Unusable:
            self._require_size(entry)
            raise

    def _system(self, path: str) -> Any:
        """The store, which has answered: a run that goes on with a kept listing asks it for the first time here."""
        place = self.shown(path)
        try:
            require_heard(address_in(self.root, path), place)
        except Unanswered as failure:
            raise silent(place, str(failure)) from None
        return system_of(self.root)

    def _answered(self, ask: Any, path: str) -> Any:
        store, place = store_named(self.root), self.shown(path)
        try:
            found = answered(ask, store=store, place=place)
        except NotThere:
            raise Unusable("it is not in the store any more") from None
        except Unanswered as failure:
            self._require_store(place, str(failure))
            raise Unusable(f"unreadable: {failure}") from None
        _READ_LAST[self.root] = path
        return found

    def _require_store(self, place: str, why: str) -> None:
        """Raises ImageError where the store does not answer for what it gave before either."""
        last = _READ_LAST.get(self.root)
        try:
            if last is None:
                raise Unanswered(why)
            system = system_of(self.root)
            answered(
                lambda: system.cat_file(last, start=0, end=1),
                store=store_named(self.root),
                place=self.shown(last),
                attempts=1,
            )
        except (NotThere, Unanswered):
            raise silent(place, f"{why}, {ATTEMPTS} times") from None

    def _require_size(self, entry: Entry) -> None:
        """Raises ImageError where a file is of another size than when it was listed."""
        try:
            size = self.info(entry.path).get("size")
        except Unusable:
            return
        if size is not None and size != entry.size:
            raise changed(self.shown(entry.path), f"{entry.size:,} bytes then, {size:,} now")

    def _require_version(self, path: str) -> None:
        """Raises ImageError where an archive is not the one that was listed; asked once a process."""
        key = self.root, path, self.versions[path]
        if key not in _LOOKED_AT:
            try:
                now = version_of(self.info(path))
            except Unusable as failure:
                raise changed(self.shown(path), str(failure)) from None
            if now != self.versions[path]:
                raise changed(self.shown(path), "another version")
            _LOOKED_AT.add(key)


def version_of(info: Mapping[str, Any]) -> Version:
    """A file's version, of what its store says of it."""
    marks = [info.get(key) for key in ("ETag", "etag", "blob_id", "generation", "CRC", "LastModified", "mtime")]
    return int(info.get("size") or 0), str(next((mark for mark in marks if mark is not None), ""))


def changed(place: str, how: str) -> ImageError:
    """The error of what is not as it was listed."""
    return ImageError(
        f'"{place}" has changed since it was listed ({how}): an atlas is of images as they were once; list them again '
        "with --overwrite, or put back what lay there"
    )
