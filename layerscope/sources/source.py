"""A source is an ordered list of images with stable identities, that gives batches on demand.

What differs between kinds of sources is only how one image is read (``read``); order, labels, duplicates, skipping
and batching are here, once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np
from jaxtyping import Float32, Int64

from layerscope.core.errors import ImageError, LayerscopeError
from layerscope.core.failures import plain_failures
from layerscope.core.records import Batch, ImageRecord, Input, Placement
from layerscope.sources.ahead import in_order
from layerscope.sources.cache import ImageCache
from layerscope.sources.decode import Unusable, reason
from layerscope.sources.entries import PieceEntries, entry_list
from layerscope.sources.image import Cut, PictureLike, PlacedImage, ReadImage, Small
from layerscope.sources.listing import Entry, listed_as
from layerscope.sources.met import MetImages
from layerscope.sources.prepare import PICTURE_SIDE, empty_rows, fill, require_picture_channels, small

Rows = Float32[np.ndarray, "b h w c"]
Ids = Sequence[int] | Int64[np.ndarray, " b"]
CHECK_RUN = 32
SOME = 8  # images that are looked at before all are read


class Source(ABC):
    """Images in a fixed order. Ids are places in this order, from 0.

    A kind of source is a class of this that lists its images as entries, in an order that depends on nothing else, and
    says in ``read`` how one is had; `of_pixels` and `of_bytes` make what that returns. Everything else is here.

    name: the source in words. label_names: the classes, sorted; empty without labels. said: remarks, as sentences.
    pictured: the images whose small whole pictures come along in batches. in_threads: False where ``read`` must not be
    called by several threads at once.
    """

    pictured: Container[int] = ()
    in_threads: bool = True
    _cut: Container[int] = ()
    _cache: ImageCache | None = None

    def __init__(
        self, entries: Iterable[Entry], *, name: str, label_names: tuple[str, ...] | None = None,
        said: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.name, self.said = name, tuple(said)
        self._entries = entry_list(entries)
        self.label_names = self._labels_met() if label_names is None else label_names
        self._met_images = MetImages()

    @abstractmethod
    def read(self, id: int) -> ReadImage:
        """One image: its record, without duplicate, and its picture, None where it cannot be used.

        It is the same at each call, and called by any thread. Raises Unusable, with a short reason, for an image that
        cannot be had: it is left out, and all others go on.
        """

    def require(self, input: Input) -> None:
        """Raises ImageError where this kind of source cannot make such an input; pictures give 1 or 3 channels."""
        require_picture_channels(input)

    def record(self, id: int) -> ImageRecord:
        """What the listing tells of an image."""
        entry = self._entries[id]
        return ImageRecord(id=id, source=entry.identity, size=entry.size, label=entry.label)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"

    @property
    def entries(self) -> Sequence[Entry]:
        """The images as they are listed; long lists lie in a file, so go through them rather than hold them."""
        return self._entries

    @property
    def skipped(self) -> tuple[ImageRecord, ...]:
        """The images met so far that could not be used, by id, each with its reason."""
        return self._met_images.skipped

    def label(self, id: int) -> str | None:
        """The class of image `id`, or None."""
        return self._entries[id].label

    def listing(self) -> list[tuple[str, int | None]]:
        """Identity and size in bytes of every image, in order, read from no image; size None where it is unknown."""
        return [(entry.identity, entry.size) for entry in self._entries]

    def identity(self) -> Iterable[str]:
        """What tells these images, as they are read, from others: the parts of a run's fingerprint."""
        return chain((listed_as(entry.identity, entry.size) for entry in self._entries), self.reading())

    def reading(self) -> Iterable[str]:
        """How the images are read, where not as they are: further parts of their identity."""
        return ()

    def former(self) -> "Source | None":
        """The same images as version 0.1.0 numbered them, with files that are none; None where that is the same."""
        return None

    @plain_failures("the images", kind=ImageError)
    def remarks(self, input: Input) -> tuple[str, ...]:
        """What a user should know before these images are used so, as sentences; a few of them are read."""
        return (*self.said, *self._looked_at(input))

    def _looked_at(self, input: Input) -> list[str]:
        """What a few images tell."""
        return []

    def _some(self) -> list[int]:
        """A few ids, spread over the source."""
        return sorted({round(place * (len(self) - 1) / (SOME - 1)) for place in range(SOME)})

    def labelling(self) -> list[str | None]:
        """The class of every image as far as the listing tells it, read from no image."""
        return [entry.label for entry in self._entries]

    def picturing(self, ids: Container[int]) -> "Source":
        """The same source, in whose batches the small whole pictures of these images come along."""
        view = copy(self)
        view.pictured = ids
        return view

    def _with_cuts(self, ids: Container[int]) -> "Source":
        """The same source, in whose batches the bytes that were normalised come along, of these images."""
        view = copy(self)
        view._cut = ids
        return view

    def cached_in(self, cache: ImageCache | None) -> "Source":
        """The same source, which reads no image again that the cache holds."""
        view = copy(self)
        view._cache = cache
        return view

    def apart(self) -> "Source":
        """The same source for another thread or process: it has met no image yet, and keeps none."""
        view = self.cached_in(None)
        view._met_images = MetImages()
        return view

    def hollow(self) -> "Source":
        """The same source without the names of its images, for a journey: `know` gives it some back."""
        view = copy(self)
        view._entries = PieceEntries(len(self), {})
        return view

    def named(self, ids: Iterable[int]) -> Mapping[int, Entry]:
        """How these images are listed, by id."""
        return {int(id): self._entries[int(id)] for id in ids}

    def know(self, entries: Mapping[int, Entry]) -> None:
        """From now on, of a hollow source, these images can be read, and no others."""
        self._entries = PieceEntries(len(self), entries)

    def stamp(self, id: int) -> Hashable:
        """What changes when the file that holds image `id` is written; the same always where there is no file."""
        return None

    def release(self, ids: Iterable[int]) -> None:
        """Nobody will ask for these images again: what is kept of them may go."""
        if self._cache is not None:
            self._cache.release(ids)

    def relabel(self, class_of: "Callable[[str], str | None]") -> None:
        """Take the class of every image from its identity, in place of what its folder or archive says."""
        self._entries = entry_list(replace(entry, label=class_of(entry.identity)) for entry in self._entries)
        self.label_names = self._labels_met()

    def listing_only(self, entries: Iterable[Entry], *, name: str, said: Sequence[str]) -> "Source":
        """The same source with these entries, some of its own in their order, which may have other labels."""
        view = copy(self)
        Source.__init__(view, entries, name=name, said=said)
        return view

    def remember(self, records: Iterable[ImageRecord]) -> list[ImageRecord]:
        """Take over what was found elsewhere or earlier, so that duplicates and skipped images are known as if met now.

        The same records, in order, each with its duplicate.
        """
        return [self._met_images.note(record) for record in records]

    @plain_failures("the images", kind=ImageError)
    def check(self, *, threads: int = 2) -> tuple[ImageRecord, ...]:
        """Go through all images once and return those that cannot be used; also kept in `skipped`."""
        starts = range(0, len(self), CHECK_RUN)
        runs = (range(start, min(start + CHECK_RUN, len(self))) for start in starts)
        groups = ((None, [partial(self._checked, id) for id in run]) for run in runs)
        for _, records in in_order(groups, threads=self._threads(threads), ahead=1):
            self.remember(records)
        return self.skipped

    def load(self, ids: Ids, input: Input) -> Batch:
        """These images, now, in the calling thread. Raises ImageError where the source cannot make such an input."""
        self.require(input)
        if self._cache is not None:
            return next(self._cache.batches(self.cached_in(None), [ids], 1, 0))
        (ids, rows), calls = self._group(ids, input)
        return self._batch(ids, rows, [call() for call in calls])

    def batches(self, input: Input, runs: Iterable[Ids], *, threads: int = 2, ahead: int = 4) -> Iterator[Batch]:
        """One batch for each run of ids, in order, read ahead: at most `ahead` batches wait beside the current one.

        The batches are the same bytes whatever `threads` and `ahead` are. An image that fails is left out of ids,
        pixels and placements, and its record says why. Raises ImageError as `load` does.
        """
        self.require(input)
        if self._cache is not None:
            return self._cache.batches(self.cached_in(None), runs, threads, ahead)
        return self._batches(input, runs, threads, ahead)

    def _batches(self, input: Input, runs: Iterable[Ids], threads: int, ahead: int) -> Iterator[Batch]:
        groups = (self._group(ids, input) for ids in runs)
        with closing(in_order(groups, threads=self._threads(threads), ahead=ahead)) as ordered:
            for (ids, rows), placed in ordered:
                yield self._batch(ids, rows, placed)

    def _group(self, ids: Ids, input: Input) -> tuple[tuple[Ids, Rows], list[Callable[[], PlacedImage]]]:
        """Room for a run, and one call per image that fills its row of it."""
        rows = empty_rows(len(ids), input)
        return (ids, rows), [partial(self._place, int(id), input, row) for id, row in zip(ids, rows, strict=True)]

    def _place(self, id: int, input: Input, row: Float32[np.ndarray, "h w c"]) -> PlacedImage:
        """Read and prepare one image into its row; no placement where it cannot be used. Runs in any thread."""
        record, picture = self._met(id)
        if picture is None:
            return PlacedImage(record)
        try:
            placement, cut = self._fill(record, picture, input, row)
        except Unusable as failure:
            return PlacedImage(replace(record, skipped=str(failure)))
        return PlacedImage(record, placement, self._small(id, picture, input), cut if id in self._cut else None)

    def _met(self, id: int) -> ReadImage:
        """What reading an image gives; of a guest's code whatever goes wrong is the reason that it is left out."""
        try:
            return self.read(id)
        except Unusable as failure:
            return replace(self.record(id), skipped=str(failure)), None
        except (MemoryError, LayerscopeError):
            raise
        except Exception as failure:
            if type(self).__module__.startswith("layerscope."):
                raise
            return replace(self.record(id), skipped=f"the {type(self).__name__} failed: {reason(failure)}"), None

    def _small(self, id: int, picture: PictureLike, input: Input) -> Small | None:
        """The small whole picture, if it is asked for and can be had."""
        try:
            return small(picture, input, PICTURE_SIDE) if id in self.pictured else None
        except Unusable:
            return None

    def _fill(
        self, record: ImageRecord, picture: PictureLike, input: Input, row: Float32[np.ndarray, "h w c"]
    ) -> tuple[Placement, Cut | None]:
        return fill(picture, input, row)

    def _batch(self, ids: Ids, rows: Rows, placed: Sequence[PlacedImage]) -> Batch:
        """Join what the threads did; only here, in order, is anything noted."""
        usable = [place for place, image in enumerate(placed) if image.placement is not None]
        if len(usable) < len(placed):
            rows = rows[usable]
        return Batch(
            ids=np.asarray([ids[place] for place in usable], np.int64),
            pixels=rows.transpose(0, 3, 1, 2),
            placements=tuple(image.placement for image in placed if image.placement is not None),
            records=tuple(self._met_images.note(image.record) for image in placed),
            pictures=tuple(placed[place].small for place in usable) if self.pictured else (),
            cuts=tuple(placed[place].cut for place in usable) if self._cut else (),
        )

    def _labels_met(self) -> tuple[str, ...]:
        """The classes of the images, sorted."""
        return tuple(sorted({entry.label for entry in self._entries if entry.label is not None}))

    def any_usable(self) -> bool:
        """True if at least one image can be read; stops at the first that can."""
        return any(self._checked(id).skipped is None for id in range(len(self)))

    def _checked(self, id: int) -> ImageRecord:
        return self._met(id)[0]

    def _threads(self, wanted: int) -> int:
        """How many threads may read at once."""
        return max(wanted, 1) if self.in_threads else 1
