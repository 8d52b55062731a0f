"""What a user calls "the images" becomes a source: each thing that can be meant is told from the others here."""

import glob
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.sources.classes import listed
from layerscope.sources.dataset import DatasetSource
from layerscope.sources.decode import LARGEST_PICTURE, Reading, Unusable, decode, reason
from layerscope.sources.encoded import EncodedSource
from layerscope.sources.files import fixed_root, from_paths, in_folder, matching
from layerscope.sources.labels import with_labels
from layerscope.sources.listing import Listing
from layerscope.sources.source import Entry, Source
from layerscope.sources.targets import Classes, classes_listed
from layerscope.sources.tars import are_archives, in_tars

# What is handed over and cannot be read by number, by the name of its type or of one that it is made from.
INSTEAD = {
    "IterableDataset": "it can only be read from start to end: give a map-style Dataset, or a list of its items",
    "DataLoader": "it gives batches: give its .dataset",
    "DataFrame": "give the list of its column of paths, and the classes as a labels file",
    "dict": "give what one of its keys holds",
    "bytes": "give a path, or a list of pictures",
    "str_": "give a path",
}


@plain_failures("the images", kind=ImageError)
def open_source(
    images: Any,
    *,
    labels: str | Path | None = None,
    limit: int | None = None,
    orientation: str = "upright",
    max_pixels: int = LARGEST_PICTURE,
) -> Source:
    """The images as a source, in their fixed order; of files, the first that is an image is decoded, of a Dataset a few
    items are read.

    images: a folder, a glob, a list of files, one or more .tar files (a path, list or glob), a map-style Dataset, or
    a source, which is returned as it is. labels: a table of files and classes. limit: only the first so many.
    orientation: "upright" turns pictures as their EXIF orientation says, "stored" takes them as they lie. max_pixels:
    larger pictures are refused. Raises ImageError where there are no images, UsageError for arguments that cannot be
    used.
    """
    reading = Reading(orientation=orientation, most_px=max_pixels)
    if isinstance(images, Source):
        if labels is not None or limit is not None or reading.differences():
            raise UsageError(
                "labels, limit, orientation and max_pixels belong to where images are opened; these are already open"
            )
        return images
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, got {limit}")
    labels = None if labels is None else Path(labels).expanduser()
    if isinstance(images, (str, os.PathLike)):
        return _encoded(*_named(os.fspath(images), labels), labels, limit, reading)
    if hasattr(images, "tolist") and getattr(images, "ndim", 0) == 1:  # a column of paths
        images = images.tolist()
    if isinstance(images, Sequence) and any(isinstance(image, (str, os.PathLike)) for image in images):
        return _encoded(*_listed(images), labels, limit, reading)
    return _dataset(images, labels, limit)


def _named(images: str, labels: Path | None) -> tuple[Listing, str, str]:
    """Listing, name and what is counted, of one path or glob."""
    path = Path(images).expanduser()
    if path.is_dir():
        return in_folder(path, without=labels), f"{path.resolve().name}/", "file"
    if path.exists():
        found = in_tars([path]) if are_archives([path]) else from_paths([path])
        return found, path.name, "image"
    if not glob.has_magic(images):
        raise ImageError(f'the images "{images}" do not exist; expected a folder, a glob, or .tar files')
    pattern = str(path)
    paths = matching(pattern)
    if are_archives(paths):
        return in_tars(paths), path.name, "image"
    return from_paths(paths, fixed_root(pattern)), f"{fixed_root(pattern).name}/{path.name}".lstrip("/"), "file"


def _listed(images: Sequence[Any]) -> tuple[Listing, str, str]:
    if not all(isinstance(image, (str, os.PathLike)) for image in images):
        raise UsageError("a list of images must hold either paths only or pictures only")
    paths = [Path(image).expanduser() for image in images]
    if are_archives(paths):
        return in_tars(paths), f"{len(paths)} .tar files" if len(paths) > 1 else paths[0].name, "image"
    if any(are_archives([path]) for path in paths):
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    return from_paths(paths), "a list", "file"


def _encoded(
    found: Listing, name: str, counted: str, labels: Path | None, limit: int | None, reading: Reading
) -> Source:
    entries, everything, said = found.entries, found.everything, found.said
    if not entries and found.first_other is not None:
        raise ImageError(_no_image(f"{name} ({_count(len(everything), counted, None)})", found.first_other))
    if not entries:
        raise ImageError(
            f"no image can be read in {name}: what lies there was written by layerscope (an atlas, a figure), not an "
            "image of your own"
        )
    if labels is not None:
        entries, told = with_labels(entries, labels)
        everything = with_labels(everything, labels)[0] if everything else everything
        said = [*(sentence for sentence in said if sentence not in found.of_classes), *told]
    source = EncodedSource(
        entries[:limit],
        name=f"{name} ({_count(len(entries), counted, limit)})",
        reading=reading,
        everything=everything[:limit],
        said=[*said, *_of_limit(entries, limit)],
    )
    if not source.any_usable():
        first = source.check(threads=1)[0]
        raise ImageError(f'no image can be read in {source.name}; the first, "{first.source}": {first.skipped}')
    return source


def _no_image(name: str, first: tuple[str, bytes]) -> str:
    identity, head = first
    try:
        decode(head, name=identity)
    except Unusable as failure:
        return f'no image can be read in {name}; the first, "{identity}": {failure}'
    return f'no image can be read in {name}; the first, "{identity}": not an image'


def _of_limit(entries: Sequence[Entry], limit: int | None) -> Iterator[str]:
    """A remark where the first images leave classes out."""
    taken = sorted({entry.label for entry in entries[:limit] if entry.label is not None})
    every = {entry.label for entry in entries if entry.label is not None}
    if limit is not None and len(taken) < len(every):
        held = f"{len(taken):,} of the {len(every):,} classes ({listed(taken) or 'none'})"
        yield (
            f"the first {limit:,} images hold {held}, for they are taken in order; a glob or a list of files can take "
            "some of each"
        )


def _dataset(dataset: Any, labels: Path | None, limit: int | None) -> Source:
    _require_numbered(dataset)
    try:
        count = len(dataset)
    except Exception as failure:  # the user's code
        kind = type(dataset).__name__
        raise UsageError(
            f"images of type {kind} cannot be used: their number is not told ({reason(failure)})"
        ) from None
    if count == 0:
        raise ImageError(f"the images are an empty {type(dataset).__name__}")
    classes = classes_listed(dataset)
    said: list[str] = []
    known = classes.labels or [None] * count
    entries = [Entry(identity=str(id), label=known[id]) for id in range(count)]
    if labels is not None:
        (entries, said), classes = with_labels(entries, labels), Classes()
    name = f"{type(dataset).__name__} ({_count(len(entries), 'item', limit)})"
    said = [*said, *_of_limit(entries, limit)]
    return DatasetSource(dataset, entries[:limit], name=name, classes=classes, said=said)


def _require_numbered(images: Any) -> None:
    """Raises UsageError, with what to give instead, for what is not read by number."""
    kinds = [kind.__name__ for kind in type(images).__mro__]
    instead = next((INSTEAD[kind] for kind in kinds if kind in INSTEAD), None)
    if isinstance(images, Image.Image):
        instead = "give a list of pictures: [picture]"
    elif isinstance(images, io.IOBase):
        instead = "give its path"
    elif isinstance(images, (set, frozenset)):
        instead = "it has no order: give sorted(images)"
    elif hasattr(images, "__next__"):
        instead = "it can be read only once: give list(images)"
    if instead is not None:
        raise UsageError(f"images of type {type(images).__name__} cannot be used: {instead}")
    if not hasattr(images, "__getitem__") or not hasattr(images, "__len__"):
        raise UsageError(
            f"images of type {type(images).__name__} cannot be used; give a folder, a glob, a list of files, "
            ".tar files, or a Dataset with __len__ and __getitem__"
        )


def _count(count: int, counted: str, limit: int | None) -> str:
    number = f"{count:,} {counted}{'' if count == 1 else 's'}"
    return number if limit is None or limit >= count else f"the first {limit:,} of {number}"
