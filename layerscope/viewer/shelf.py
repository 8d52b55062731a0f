"""The atlases that are shown: each under a short name, opened again when its file changes, missed when it is gone."""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord, RunRecord
from layerscope.core.errors import AtlasError, UsageError
from layerscope.core.lru import LruCache
from layerscope.core.version import __version__
from layerscope.facts.by_name import IndexedName, names_of
from layerscope.facts.cached import Cached
from layerscope.facts.run import first_view
from layerscope.facts.standing import names_shown
from layerscope.facts.wrapping import Reader
from layerscope.viewer.addresses import SheetKey

if TYPE_CHECKING:
    from layerscope.viewer.export.browser_network import BrowserNetwork

# Bytes of sprites: about fifty, those of a large layer or of several small ones.
MOST_SPRITES = 8 << 20
# The lesson, and a cover of each layer.
MOST_MADE = 256
MOST_ANSWERED = 32
# Bytes of decoded pictures: units next to each other show the same ones.
MOST_PICTURES = 8 << 20


class Book:
    """One state of one atlas as the viewer shows it.

    slug: its short name in addresses. file: the atlas; what several pages ask of it is kept. mark: 12 hex digits that
    change when the file does. pictures: bytes of decoded pictures that are kept. Usable from several threads; while the
    atlas is being built nothing of it is kept.
    network: what runs in a reader's browser beside an export; None everywhere else.
    """

    network: "BrowserNetwork | None" = None

    def __init__(
        self, slug: str, file: Reader, mark: str, *, settled: bool = False, pictures: int = MOST_PICTURES
    ) -> None:
        self.slug, self.mark = slug, mark
        self.file = Cached(file, settled=settled)
        self._sprites = LruCache[bytes](MOST_SPRITES, len)
        self._pictures = LruCache[np.ndarray | None](pictures, lambda found: 1 if found is None else found.nbytes)
        self._made = LruCache[Any](MOST_MADE)
        self._answered = LruCache[Any](MOST_ANSWERED)

    @property
    def settled(self) -> bool:
        """Whether what was made of it may be kept."""
        return self.file.settled

    @property
    def title(self) -> str:
        """The file's name without its ending."""
        return self.file.path.stem

    @property
    def finished(self) -> bool:
        return self.file.finished

    @property
    def run(self) -> RunRecord:
        """What made the atlas. Raises AtlasError while its build has only just begun."""
        return self.file.run

    @property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        """All layers, in execution order."""
        return self.file.layers

    def layer(self, key: str) -> AtlasLayerRecord:
        """The layer that a URL names: by its name, an alias, or "l" and its id. Raises UsageError, with near names."""
        if re.fullmatch(r"l\d{1,9}", key):
            found = next((layer for layer in self.layers if layer.id == int(key[1:])), None)
            if found is not None:
                return found
        return self.file.layer(key)

    def sheets(self, layer: AtlasLayerRecord) -> tuple[tuple[str, str, str], ...]:
        """Kind, method and view of the tiles that stand for a unit of a layer: its own projections, then patches.

        Of these, those that the layer has any of.
        """
        every = [("projections", layer.method or "", first_view(self.run)), ("patches", "", "")]
        return tuple(sheet for sheet in every if self.file.units_with_sheets(layer.id, *sheet))

    def shown(self, layer: AtlasLayerRecord) -> frozenset[int]:
        """The units of a layer that have tiles here: patches, or projections by the layer's own method."""
        return frozenset[int]().union(*(self.file.units_with_sheets(layer.id, *sheet) for sheet in self.sheets(layer)))

    def sheet(self, layer: AtlasLayerRecord, unit: int, kind: str, method: str = "", view: str = "") -> SheetKey | None:
        """A unit's sheet of this kind, method and view; None if there is none."""
        if unit not in self.file.units_with_sheets(layer.id, kind, method, view):
            return None
        return SheetKey(layer=layer.id, unit=unit, kind=kind, method=method, view=view)

    def own_projections(self, layer: AtlasLayerRecord, unit: int, method: str | None = None) -> SheetKey | None:
        """A unit's projections in the run's first view, by a method or by the layer's own; None if there are none."""
        return self.sheet(layer, unit, "projections", method or layer.method or "", first_view(self.run))

    def made(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What pages gather from many parts of the atlas, gathered once for several readers. key: what it is."""
        return self._made.get(key, make) if self.settled else make()

    def asked(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """What many pages need of the file, such as all names of a layer for a few of them, asked once. key: of what.

        ask: asks the file alone. What is `made` may ask for this, and would wait for ever for itself the other way
        round.
        """
        return self.file.derived(key, ask)

    def called(self, layer: AtlasLayerRecord) -> Mapping[int, str]:
        """By unit, what it is called: see `facts.standing.names_shown`."""
        return self.asked(("called", layer.id), lambda: names_shown(self.file, layer))

    def maxima(self, layer: AtlasLayerRecord) -> Float32[np.ndarray, " u"]:
        """The highest activation of each unit of a layer; none before it is scanned."""
        return self.file.scanned(layer.id).maximum

    def answered(self, text: str, answer: Callable[[], Any]) -> Any:
        """What a search finds, found once for its page and for where it leads."""
        # Not `made`: what answers asks for what is made, and a cache that waits for itself waits for ever.
        return self._answered.get(text, answer) if self.settled else answer()

    def sprite(self, layer: AtlasLayerRecord, block: int, kind: str, make: Callable[[], bytes]) -> bytes:
        """A sprite's bytes, made once for several readers."""
        return self._sprites.get((layer.id, block, kind), make) if self.settled else make()

    def picture(self, image: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """An image's small whole picture; None if it has none."""
        if not self.settled:
            return self.file.picture(image)
        return self._pictures.get(image, lambda: self.file.picture(image))

    def photos(self, layer: AtlasLayerRecord) -> Mapping[int, int]:
        """By unit without patches, the image that excites it most, of those with a small picture."""
        return self.made(("photos", layer.id), lambda: dict(self._photos(layer)))

    @property
    def partly_patched(self) -> bool:
        """Whether an image stands for some unit that has no patches."""
        return any(self.photos(layer) for layer in self.layers)

    def _photos(self, layer: AtlasLayerRecord) -> Iterator[tuple[int, int]]:
        patched, kept = self.file.units_with_sheets(layer.id, "patches"), dict[int, bool]()
        for unit, images in enumerate(self.file.all_peaks(layer.id).image.tolist()):
            for image in images if unit not in patched else ():
                if image >= 0 and kept.setdefault(image, self.file.has_picture(image)):
                    yield unit, image
                    break

    @property
    def names(self) -> tuple[IndexedName, ...]:
        """All names that lead to units."""
        return self.made("names", lambda: names_of(self.file))

    @property
    def pictured(self) -> tuple[int, ...]:
        """The images with a peak of which there is a small picture, in order."""
        return self.made("pictured", self._with_pictures)

    @property
    def of_classes(self) -> Mapping[str, int]:
        """By class, its first image with a peak of which there is a small picture."""
        return self.made("of classes", lambda: dict(self._of_classes()))

    def _of_classes(self) -> Iterator[tuple[str, int]]:
        labels = {image: name for layer in self.layers for image, name in self.file.peak_labels(layer.id).items()}
        held = self.file.images_with_pictures()
        for image in sorted(labels, reverse=True):
            if image in held:
                yield labels[image], image

    def _with_pictures(self) -> tuple[int, ...]:
        found = [np.unique(self.file.all_peaks(layer.id).image) for layer in self.layers]
        held = self.file.images_with_pictures()
        return tuple(image for image in np.unique(np.concatenate(found)).tolist() if image in held) if found else ()

    @property
    def dissected(self) -> bool:
        """Whether it says of any layer what its units detect."""
        return any(self.file.concepts(layer.id) for layer in self.layers)


class Shelf:
    """Some atlases under short names, in the order given. Raises AtlasError, NotAnAtlas or UnknownVersion.

    taken: names that none of them may have, since addresses begin with them.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]], *, taken: Sequence[str] = ()) -> None:
        if not paths:
            raise UsageError("name at least one atlas to show")
        self._lock = threading.Lock()
        self._paths = dict(zip(slugs_of([Path(path) for path in paths], taken), map(Path, paths), strict=True))
        self._books: dict[str, Book] = {slug: _open(slug, path) for slug, path in self._paths.items()}

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(self._paths)

    def __iter__(self) -> Iterator[Book]:
        """The atlases that are there now."""
        for slug in self._paths:
            try:
                yield self.book(slug)
            except AtlasError:
                continue

    def path(self, slug: str) -> Path:
        return self._paths[slug]

    def book(self, slug: str) -> Book:
        """The atlas of this name as its file is now. Raises KeyError for another name, AtlasError where it is gone."""
        path = self._paths[slug]
        with self._lock:
            book = self._books[slug]
            if not path.exists():
                raise AtlasError(f"{path.name} was removed or renamed while it was shown; put it back or start again")
            if mark_of(path) != book.mark:
                # The old one stays open for requests that still read it; it closes when the last lets go of it.
                book = self._books[slug] = _open(slug, path)
            return book

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            for book in self._books.values():
                book.file.close()


def _open(slug: str, path: Path) -> Book:
    return Book(slug, AtlasFile(path), mark_of(path))


def mark_of(path: Path) -> str:
    """12 hex digits that change when the file's bytes may have, or layerscope did."""
    stat = path.stat()
    state = json.dumps([stat.st_size, stat.st_mtime_ns, stat.st_ino, __version__])
    return hashlib.sha256(state.encode()).hexdigest()[:12]


def slugs_of(paths: Sequence[Path], others: Sequence[str] = ()) -> list[str]:
    """A short name for each file, safe in addresses and file names, all different, and none of `others`."""
    taken: list[str] = []
    for path in paths:
        plain = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40] or "atlas"
        plain = f"{plain}-atlas" if plain in ("static", "live", "ws", *others) else plain
        number, slug = 2, plain
        while slug in taken:
            number, slug = number + 1, f"{plain}-{number}"
        taken.append(slug)
    return taken
