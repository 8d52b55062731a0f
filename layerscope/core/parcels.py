"""Work as it travels in parts: what is large and the same from stage to stage goes once, known by what it holds; the
rest goes with each stage, and with each piece what it alone needs (`core/parted.py`).

A class says by `travels_alone = True` that its objects are such (a network with its weights is).
"""

import hashlib
import io
import pickle
from collections.abc import Callable, Collection, Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from layerscope.core.engines import Piece, travelling
from layerscope.core.errors import ImageError
from layerscope.core.parted import Parting


@runtime_checkable
class Sighted(Protocol):
    """Work that can look at a few images, whose names `few` tells as `take` (of `core/parted.py`) knows them."""

    def few(self) -> Any: ...

    def sight(self) -> tuple[tuple[str, str], ...]:
        """What they are: of each its name, and what was read or why it cannot be."""
        ...


@dataclass(frozen=True)
class Parcel:
    """A stage's work. rest: all of it but what travels alone, and how a few images look where it comes from. alone: of
    that the SHA-256, in the order of need. luggage: from a piece what goes along with it."""

    rest: bytes
    alone: tuple[str, ...]
    luggage: Callable[[Piece[Any]], Any]


class Packing:
    """Packs the works of one build. keep: is handed what travels alone, once, with its SHA-256. engine: its name."""

    def __init__(self, engine: str, keep: Callable[[str, bytes], None]) -> None:
        self._engine, self._keep = engine, keep
        self._keys: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._kept: set[str] = set()

    def parcel(self, work: Any, *, elsewhere: bool) -> Parcel:
        """Work, packed. elsewhere: for machines that may see other images. Raises UsageError where the network or the
        images cannot travel."""
        seen = (work.few(), work.sight()) if elsewhere and isinstance(work, Sighted) else None
        parting = isinstance(work, Parting)
        with travelling(self._engine):
            file = io.BytesIO()
            pickler = _Pickler(file, self._key)
            pickler.dump((work.hollow() if parting else work, seen))
        return Parcel(file.getvalue(), tuple(pickler.met), copy(work).luggage if parting else lambda piece: None)

    def _key(self, thing: Any) -> str:
        if thing not in self._keys:
            data = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
            key = hashlib.sha256(data).hexdigest()
            if key not in self._kept:
                self._keep(key, data)
                self._kept.add(key)
            self._keys[thing] = key
        return self._keys[thing]


class Unpacking:
    """Opens the works of one build. fetch: the bytes of what travels alone, by its SHA-256; opened once, and kept while
    the latest work holds it."""

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._opened: dict[str, Any] = {}

    def work(self, rest: bytes, alone: Collection[str]) -> Any:
        """The work. Raises ImageError where a few images are not here what they are where it comes from."""
        self._opened = {key: self._opened[key] for key in alone if key in self._opened}
        work, seen = _Unpickler(io.BytesIO(rest), self._alone).load()
        if seen is not None:
            work.take(seen[0])
            _require_same(work.sight(), seen[1])
        return work

    def _alone(self, key: str) -> Any:
        if key not in self._opened:
            self._opened[key] = pickle.loads(self._fetch(key))
        return self._opened[key]


def _require_same(sight: Iterable[tuple[str, str]], there: Iterable[tuple[str, str]]) -> None:
    for (name, here), (_, seen) in zip(sight, there, strict=True):
        if here != seen:
            raise ImageError(
                f"{name} is not the same for every machine: here {here}, where the atlas is written {seen}; every "
                "machine must have the images under the same path"
            )


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, key: Callable[[Any], str]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._key, self.met = key, dict[str, None]()

    def persistent_id(self, obj: Any) -> str | None:
        if not getattr(obj.__class__, "travels_alone", False):
            return None
        key = self._key(obj)
        self.met[key] = None
        return key


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, alone: Callable[[str], Any]) -> None:
        super().__init__(file)
        self._alone = alone

    def persistent_load(self, pid: str) -> Any:
        return self._alone(pid)
