"""Some of a source's images as a source of their own, whose images are numbered anew."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from layerscope.core.choice import ChosenImages
from layerscope.core.records import ImageRecord, Input, Placement
from layerscope.sources.classes import listed
from layerscope.sources.image import Cut, PictureLike, ReadImage
from layerscope.sources.listing import Entry, listed_as
from layerscope.sources.source import Source


class ChosenSource(Source):
    """The images of `source` at these places, which grow. entries: how they are listed, one a place."""

    def __init__(
        self, source: Source, places: Sequence[int], entries: Iterable[Entry], *, name: str, said: Sequence[str]
    ) -> None:
        super().__init__(entries, name=name, label_names=source.label_names or None, said=said)
        self._source, self._places = source, places
        self.in_threads = source.in_threads

    def identity(self) -> Iterator[str]:
        yield from (listed_as(entry.identity, entry.size) for entry in self._entries)
        yield from self._source.identity()

    def reading(self) -> Iterable[str]:
        return self._source.reading()

    def require(self, input: Input) -> None:
        self._source.require(input)

    def stamp(self, id: int) -> Hashable:
        return self._source.stamp(self._places[id])

    def read(self, id: int) -> ReadImage:
        record, picture = self._source.read(self._places[id])
        known = self._entries[id]
        label = record.label if known.label is None else known.label
        return replace(record, id=id, source=known.identity, label=label), picture

    def hollow(self) -> "ChosenSource":
        view = copy(super().hollow())
        assert isinstance(view, ChosenSource)
        view._source = self._source.hollow()
        return view

    def know(self, entries: Mapping[int, Entry]) -> None:
        super().know(entries)
        self._source.know({self._places[id]: entry for id, entry in entries.items()})

    def _looked_at(self, input: Input) -> list[str]:
        return self._source._looked_at(input)

    def _fill(
        self, record: ImageRecord, picture: PictureLike, input: Input, row: Float32[np.ndarray, "h w c"]
    ) -> tuple[Placement, Cut | None]:
        return self._source._fill(record, picture, input, row)


def places_of(entries: Sequence[Entry], choice: ChosenImages) -> range | list[int]:
    """The places of the images that are taken."""
    return choice.places((entry.identity for entry in entries), len(entries))


def choice_remarks(entries: Sequence[Entry], places: Sequence[int]) -> Iterator[str]:
    """A remark where images that are taken leave classes out."""
    if len(places) == len(entries):
        return
    taken = sorted({label for place in places if (label := entries[place].label) is not None})
    every = {entry.label for entry in entries if entry.label is not None}
    if len(taken) < len(every):
        first = places[0] == 0 and places[-1] == len(places) - 1
        held = f"{len(taken):,} of the {len(every):,} classes ({listed(taken) or 'none'})"
        spread = ", for they are taken in order: sample takes as many from all over the list" if first else ""
        yield f"{'the first' if first else 'the chosen'} {len(places):,} images hold {held}{spread}"
