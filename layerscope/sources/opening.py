"""What a user calls "the images" becomes a source: each thing that can be meant is told from the others here."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from layerscope.core.errors import ImageError, UsageError
from layerscope.sources.dataset import DatasetSource, dataset_entries
from layerscope.sources.encoded import EncodedSource
from layerscope.sources.files import fixed_root, from_paths, in_folder, matching
from layerscope.sources.labels import with_labels
from layerscope.sources.source import Entry, Source
from layerscope.sources.tars import are_archives, in_tars


def open_source(images: Any, *, labels: str | Path | None = None, limit: int | None = None) -> Source:
    """The images as a source, in their fixed order; of files, the first that is an image is decoded.

    images: a folder, a glob, a list of files, one or more .tar files (a path, list or glob), a map-style Dataset, or
    a source, which is returned as it is. labels: a CSV or TSV file of lines "file, class". limit: only the first so
    many. Raises ImageError where there are no images, UsageError for arguments that cannot be used.
    """
    if isinstance(images, Source):
        if labels is not None or limit is not None:
            raise UsageError("labels and limit belong to where the images are opened; these are already open")
        return images
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, got {limit}")
    labels = None if labels is None else Path(labels).expanduser()
    if isinstance(images, (str, os.PathLike)):
        return _encoded(*_named(os.fspath(images), labels), labels, limit)
    if isinstance(images, Sequence) and any(isinstance(image, (str, os.PathLike)) for image in images):
        return _encoded(*_listed(images), labels, limit)
    return _dataset(images, labels, limit)


def _named(images: str, labels: Path | None) -> tuple[list[Entry], str, str]:
    """Entries, name and what is counted, of one path or glob."""
    path = Path(images).expanduser()
    if path.is_dir():
        return in_folder(path, without=labels), f"{path.resolve().name}/", "file"
    if path.exists():
        entries = in_tars([path]) if are_archives([path]) else from_paths([path])
        return entries, path.name, "image"
    if not glob.has_magic(images):
        raise ImageError(f'the images "{images}" do not exist; expected a folder, a glob, or .tar files')
    pattern = str(path)
    paths = matching(pattern)
    if are_archives(paths):
        return in_tars(paths), path.name, "image"
    return from_paths(paths, fixed_root(pattern)), f"{fixed_root(pattern).name}/{path.name}".lstrip("/"), "file"


def _listed(images: Sequence[Any]) -> tuple[list[Entry], str, str]:
    if not all(isinstance(image, (str, os.PathLike)) for image in images):
        raise UsageError("a list of images must hold either paths only or pictures only")
    paths = [Path(image).expanduser() for image in images]
    if are_archives(paths):
        return in_tars(paths), f"{len(paths)} .tar files" if len(paths) > 1 else paths[0].name, "image"
    if any(are_archives([path]) for path in paths):
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    return from_paths(paths), "a list", "file"


def _encoded(entries: list[Entry], name: str, counted: str, labels: Path | None, limit: int | None) -> Source:
    chosen = with_labels(entries, labels) if labels is not None else entries
    source = EncodedSource(chosen[:limit], name=f"{name} ({_count(len(entries), counted, limit)})")
    if not source.any_usable():
        first = source.check(threads=1)[0]
        raise ImageError(f'no image can be read in {source.name}; the first, "{first.source}": {first.skipped}')
    return source


def _dataset(dataset: Any, labels: Path | None, limit: int | None) -> Source:
    if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__") or isinstance(dataset, (dict, bytes)):
        raise UsageError(
            f"images of type {type(dataset).__name__} cannot be used; give a folder, a glob, a list of files, "
            ".tar files, or a Dataset with __len__ and __getitem__"
        )
    if len(dataset) == 0:
        raise ImageError(f"the images are an empty {type(dataset).__name__}")
    entries = dataset_entries(dataset)
    chosen = with_labels(entries, labels) if labels is not None else entries
    name = f"{type(dataset).__name__} ({_count(len(entries), 'item', limit)})"
    return DatasetSource(dataset, chosen[:limit], name=name, labelled=labels is not None)


def _count(count: int, counted: str, limit: int | None) -> str:
    number = f"{count:,} {counted}{'' if count == 1 else 's'}"
    return number if limit is None or limit >= count else f"the first {limit:,} of {number}"
