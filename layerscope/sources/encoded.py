"""Images that lie as encoded bytes at a place in a file: a picture file is one such place, a tar member another."""

from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress

from layerscope.core.records import Input
from layerscope.sources.decode import LARGEST_FILE, UPRIGHT, DecodeOptions, Unusable, decode, is_deep
from layerscope.sources.entries import entry_list
from layerscope.sources.image import ReadImage, of_bytes
from layerscope.sources.listing import Entry
from layerscope.sources.source import Source
from layerscope.sources.storage import LOCAL, Storage
from layerscope.sources.values import sixteen_bit_remarks


class EncodedSource(Source):
    """Picture files, or members of tar files, decoded by threads: Pillow releases the interpreter lock.

    reading: how they are decoded. storage: where they lie. everything: these and further files, as version 0.1.0 listed
    them; empty for none.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        *,
        name: str,
        reading: DecodeOptions = UPRIGHT,
        storage: Storage = LOCAL,
        everything: Iterable[Entry] = (),
        said: Sequence[str] = (),
    ) -> None:
        super().__init__(entries, name=name, said=said)
        self._reading, self._storage, self._everything = reading, storage, entry_list(everything)

    def reading(self) -> Iterable[str]:
        yield from self._reading.differences()

    def hollow(self) -> "EncodedSource":
        view = super().hollow()
        assert isinstance(view, EncodedSource)
        view._everything = ()
        return view

    def former(self) -> "EncodedSource | None":
        if not self._everything:
            return None
        return EncodedSource(
            self._everything, name=self.name, reading=self._reading, storage=self._storage, said=self.said
        )

    def _looked_at(self, input: Input) -> list[str]:
        deep = []
        for id in self._some():
            with suppress(Unusable):
                entry = self._entries[id]
                encoded = self._encoded(entry)
                if is_deep(encoded):
                    deep.append(decode(encoded, name=entry.identity, reading=self._reading))
        return sixteen_bit_remarks(deep)

    def stamp(self, id: int) -> Hashable:
        return self._storage.stamp(self._entries[id].path)

    def read(self, id: int) -> ReadImage:
        return of_bytes(self.record(id), self._encoded(self._entries[id]), self._reading)

    def _encoded(self, entry: Entry) -> bytes:
        """The bytes of one image. Raises Unusable, and ImageError for what the machine fails with."""
        if entry.size is not None and entry.size > LARGEST_FILE:
            raise Unusable(f"larger than {LARGEST_FILE >> 30} GiB")
        return self._storage.read(entry)
