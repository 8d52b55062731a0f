"""What a user calls "the images" becomes a source: the kind that claims them opens them.

The kinds are rows of `core/images.py`, ours, which open files and Datasets here, and those of other packages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.core.addresses import shown
from layerscope.core.braces import has_braces
from layerscope.core.choice import EVERY, ChosenImages
from layerscope.core.columns import TOLD, Columns
from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.images import (
    IMAGES,
    ImageKind,
    are_archives,
    column_forms,
    forms,
    kind_of,
    path_of,
    paths_in,
    scheme_of,
)
from layerscope.core.stores import store_of
from layerscope.sources.chosen import ChosenSource, choice_remarks, places_of
from layerscope.sources.dataset import DatasetSource
from layerscope.sources.decode import LARGEST_PICTURE, UPRIGHT, DecodeOptions, Unusable, decode, reason
from layerscope.sources.encoded import EncodedSource
from layerscope.sources.files import fixed_root, from_paths, in_folder, matching, without_braces
from layerscope.sources.labels import with_labels
from layerscope.sources.listing import Entry, FileListing
from layerscope.sources.numbered import require_numbered
from layerscope.sources.source import Source
from layerscope.sources.storage import LOCAL, Storage
from layerscope.sources.targets import Classes, classes_listed
from layerscope.sources.tars import in_tars

if TYPE_CHECKING:
    from layerscope.sources.types import Images


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a user asks of images besides which they are. labels: a table of files and classes. columns: of a table of
    images, which hold them and their classes. choice: which of them. reading: how encoded pictures are read. manifest:
    where a listing that takes long is kept. anew: list again all the same. compared: list again and keep nothing; only
    archives that are what they were are taken from the listing that was kept."""

    labels: Path | None = None
    columns: Columns = TOLD
    choice: ChosenImages = EVERY
    reading: DecodeOptions = UPRIGHT
    manifest: Path | None = field(default=None, compare=False)
    anew: bool = field(default=False, compare=False)
    compared: bool = field(default=False, compare=False)


@plain_failures("the images", kind=ImageError)
def open_source(
    images: "Images",
    *,
    labels: str | Path | None = None,
    columns: Columns = TOLD,
    limit: int | None = None,
    choice: ChosenImages = EVERY,
    orientation: str = "upright",
    max_pixels: int = LARGEST_PICTURE,
    manifest: Path | None = None,
    **relisted: bool,
) -> Source:
    """The images as a source, in their fixed order; of files, the first that is an image is decoded, of a Dataset a few
    items are read.

    images: a folder, a glob, a list of files, one or more .tar files (a path, list, glob or brace pattern), a map-style
    Dataset, a text of a form that an installed kind has, or a source, which is returned as it is. labels: a table of
    files and classes. columns: of a data set's table. limit: only the first so many. choice: which of them, where more
    is asked. orientation: "upright" turns pictures as their EXIF orientation says, "stored" takes them as they lie.
    max_pixels: larger pictures are refused. manifest: the file in which the listing of a store elsewhere is kept, so
    that it is listed once; relisted: `anew` or `compared`, see Asked. Raises ImageError where there are no images,
    UsageError for arguments that cannot be used.
    """
    kind = kind_of(images)
    if kind is None:
        raise ImageError(_nowhere(images))
    choice = choice if limit is None else replace(choice, limit=limit)
    reading = DecodeOptions(orientation=orientation, most_px=max_pixels)
    table = None if labels is None else Path(labels).expanduser()
    asked = Asked(labels=table, columns=columns, choice=choice, reading=reading, manifest=manifest, **relisted)
    if columns != TOLD and not kind.columns:
        named = shown(str(images))
        raise UsageError(f'image_column and label_column are for {column_forms()}; "{named}" has no columns')
    kind = IMAGES[kind.name]
    return kind.open(images, asked) if kind.asks else _of_guest(kind, images, asked)


def is_open(images: Any) -> bool:
    """True for a source."""
    return isinstance(images, Source)


def as_it_is(source: Source, asked: Asked) -> Source:
    """A source that is open already. Raises UsageError where more is asked of it, which would be lost."""
    if asked != Asked():
        raise UsageError(
            "these images are already open; labels, orientation, max_pixels and which of them are taken belong to "
            "where they are opened"
        )
    return source


def open_folder(images: Any, asked: Asked) -> Source:
    """All pictures below a folder."""
    path = _path(images)
    return encoded_source(in_folder(path, without=asked.labels), f"{path.resolve().name}/", "file", asked)


def open_glob(images: Any, asked: Asked) -> Source:
    """The pictures, or the archives, that match a pattern."""
    pattern = str(_path(images))
    if scheme_of(str(images)):
        raise ImageError(_nowhere(images))
    if has_braces(pattern):
        return _of_paths(without_braces([Path(pattern)]), Path(pattern).name, asked)
    paths = matching(pattern)
    if are_archives(paths):
        return _of_paths(paths, Path(pattern).name, asked)
    root = fixed_root(pattern)
    return encoded_source(from_paths(paths, root), f"{root.name}/{Path(pattern).name}".lstrip("/"), "file", asked)


def open_files(images: Any, asked: Asked) -> Source:
    """A picture file, or a list of them."""
    path = path_of(images)
    if path is not None:
        return encoded_source(from_paths([path]), path.name, "image", asked)
    return _of_paths(_only_paths(images), "a list", asked)


def open_archives(images: Any, asked: Asked) -> Source:
    """The pictures inside one .tar file, or a list of them."""
    path = path_of(images)
    paths = _only_paths(images) if path is None else [path]
    return _of_paths(paths, f"{len(paths)} .tar files" if len(paths) > 1 else paths[0].name, asked)


def _of_paths(paths: Sequence[Path], name: str, asked: Asked) -> Source:
    """Archives only, or picture files only, in their order."""
    if are_archives(paths):
        return encoded_source(in_tars([str(path) for path in paths]), name, "image", asked)
    return encoded_source(from_paths(paths), name, "file", asked)


def open_dataset(dataset: Any, asked: Asked) -> Source:
    """The items of a map-style Dataset, or a list of pictures."""
    listed = dataset.tolist() if hasattr(dataset, "tolist") and getattr(dataset, "ndim", 0) == 1 else dataset
    return _dataset(listed, asked.labels, asked.choice)


def _of_guest(kind: ImageKind, images: Any, asked: Asked) -> Source:
    """What a guest's kind opens, with the labels and the choice that were asked for; its failures become sentences."""
    if asked.reading.differences():
        raise UsageError(f"orientation and max_pixels are for picture files; {kind.form} gives pictures as they are")
    try:
        source = kind.open(images)
    except LayerscopeError:
        raise
    except Exception as failure:
        said = f"{type(failure).__name__}: {reason(failure)}"
        raise ImageError(
            f'the images "{images}" cannot be opened: the image kind "{kind.name}" fails: {said}'
        ) from failure
    if not isinstance(source, Source):
        return _dataset(source, asked.labels, asked.choice)
    if not len(source):
        raise ImageError(f'the images "{images}" are none')
    return _usable(_chosen(source, asked))


def _chosen(source: Source, asked: Asked) -> Source:
    """What is asked for of a guest's source; as it is, where that is all."""
    if asked.labels is None and not any(asked.choice.given()):
        return source
    entries, remarks = (source.entries, ()) if asked.labels is None else with_labels(source.entries, asked.labels)
    places, said = places_of(entries, asked.choice), (*source.said, *remarks)
    cut = "" if len(places) == len(entries) else f", {asked.choice.words(len(entries), 'image')}"
    how: Any = {"name": f"{source.name}{cut}", "said": (*said, *choice_remarks(entries, places))}
    taken = (entries[place] for place in places)
    return source.listing_only(taken, **how) if asked.choice.is_prefix else ChosenSource(source, places, taken, **how)


def _path(images: Any) -> Path:
    path = path_of(images)
    assert path is not None, "the kind is told by its path"
    return path


def _only_paths(images: Any) -> list[Path]:
    """The paths of a list that holds nothing else, and either archives or picture files."""
    paths = paths_in(images)
    if len(paths) != len(images):
        raise UsageError("a list of images must hold either paths only or pictures only")
    elsewhere = next((one for one in images if store_of(one) is not None), None)
    if elsewhere is not None:
        raise UsageError(f'a list of images must lie in one place: "{shown(elsewhere)}" is not of this machine')
    paths = without_braces(paths)
    if any(are_archives([path]) for path in paths) and not are_archives(paths):
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    return paths


def _nowhere(images: Any) -> str:
    """Why a text names no images, with what to write instead."""
    scheme = scheme_of(str(images))
    hint = f'; nothing installed opens what begins with "{scheme}"' if scheme else ""
    return f'the images "{shown(str(images))}" do not exist{hint}; expected {forms()}'


def encoded_source(
    found: FileListing,
    name: str,
    counted: str,
    asked: Asked,
    *,
    kind: Callable[..., Source] = EncodedSource,
    storage: Storage = LOCAL,
) -> Source:
    """What is asked for of a listing. counted: what one of its images is, in a word. kind: what it is opened as.
    storage: where it lies. Raises ImageError where there is no image."""
    entries, everything, said = found.entries, found.everything, found.said
    labels, choice, reading = asked.labels, asked.choice, asked.reading
    if not entries and found.first_other is not None:
        raise ImageError(_no_image(f"{name} ({EVERY.words(len(everything), counted)})", found.first_other))
    if not entries:
        raise ImageError(
            f"no image can be read in {name}: what lies there was written by layerscope (an atlas, a figure), not an "
            "image of your own"
        )
    if labels is not None:
        entries, remarks = with_labels(entries, labels)
        everything = with_labels(everything, labels)[0] if everything else everything
        said = [*(sentence for sentence in said if sentence not in found.of_classes), *remarks]
    places = places_of(entries, choice)
    source = kind(
        (entries[place] for place in places),
        name=f"{name} ({choice.words(len(entries), counted)})",
        reading=reading,
        storage=storage,
        everything=everything[: choice.limit] if choice.is_prefix else (),
        said=[*said, *choice_remarks(entries, places)],
    )
    return _usable(source)


def _usable(source: Source) -> Source:
    """Raises ImageError for a source of which no image can be read."""
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


def _dataset(dataset: Any, labels: Path | None, choice: ChosenImages) -> Source:
    require_numbered(dataset)
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
    places = places_of(entries, choice)
    name = f"{type(dataset).__name__} ({choice.words(len(entries), 'item')})"
    said = [*said, *choice_remarks(entries, places)]
    taken = (entries[place] for place in places)
    return DatasetSource(dataset, taken, name=name, classes=classes, said=said, places=places)
