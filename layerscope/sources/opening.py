"""What a user calls "the images" becomes a source: the kind that claims them opens them.

The kinds are rows of `core/images.py`, ours, which open files and Datasets here, and those of other packages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.core.addresses import shown
from layerscope.core.braces import expanded, has_braces
from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.images import IMAGES, ImageKind, are_archives, forms, kind_of, path_of, paths_in, scheme_of
from layerscope.core.stores import store_of
from layerscope.sources.classes import listed
from layerscope.sources.dataset import DatasetSource
from layerscope.sources.decode import LARGEST_PICTURE, UPRIGHT, DecodeOptions, Unusable, decode, reason
from layerscope.sources.encoded import EncodedSource
from layerscope.sources.files import fixed_root, from_paths, in_folder, matching
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
    """What a user asks of images besides which they are. labels: a table of files and classes. limit: only the first so
    many. reading: how encoded pictures are read. manifest: where a listing that takes long is kept. anew: list again
    all the same."""

    labels: Path | None = None
    limit: int | None = None
    reading: DecodeOptions = UPRIGHT
    manifest: Path | None = field(default=None, compare=False)
    anew: bool = field(default=False, compare=False)


@plain_failures("the images", kind=ImageError)
def open_source(
    images: "Images",
    *,
    labels: str | Path | None = None,
    limit: int | None = None,
    orientation: str = "upright",
    max_pixels: int = LARGEST_PICTURE,
    manifest: Path | None = None,
    anew: bool = False,
) -> Source:
    """The images as a source, in their fixed order; of files, the first that is an image is decoded, of a Dataset a few
    items are read.

    images: a folder, a glob, a list of files, one or more .tar files (a path, list, glob or brace pattern), a map-style
    Dataset, a text of a form that an installed kind has, or a source, which is returned as it is. labels: a table of
    files and classes. limit: only the first so many. orientation: "upright" turns pictures as their EXIF orientation
    says, "stored" takes them as they lie. max_pixels: larger pictures are refused. manifest: the file in which the
    listing of a store elsewhere is kept, so that it is listed once; anew: list it again all the same. Raises ImageError
    where there are no images, UsageError for arguments that cannot be used.
    """
    kind = kind_of(images)
    if kind is None:
        raise ImageError(_nowhere(images))
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, got {limit}")
    reading = DecodeOptions(orientation=orientation, most_px=max_pixels)
    table = None if labels is None else Path(labels).expanduser()
    asked = Asked(labels=table, limit=limit, reading=reading, manifest=manifest, anew=anew)
    kind = IMAGES[kind.name]
    return kind.open(images, asked) if kind.asks else _of_guest(kind, images, asked)


def is_open(images: Any) -> bool:
    """True for a source."""
    return isinstance(images, Source)


def as_it_is(source: Source, asked: Asked) -> Source:
    """A source that is open already. Raises UsageError where more is asked of it, which would be lost."""
    if asked != Asked():
        raise UsageError(
            "labels, limit, orientation and max_pixels belong to where images are opened; these are already open"
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
        return _of_paths(_expanded([Path(pattern)]), Path(pattern).name, asked)
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


def _expanded(paths: Sequence[Path]) -> list[Path]:
    """The paths that these stand for: those with braces, where no such file exists, and with wildcards beside them."""
    found: list[Path] = []
    for path in paths:
        plain = path.exists() or not has_braces(str(path))
        named = [path] if plain else map(Path, expanded(str(path)))
        found += (
            one for each in named for one in (matching(str(each)) if not plain and has_magic(str(each)) else [each])
        )
    return found


def open_dataset(dataset: Any, asked: Asked) -> Source:
    """The items of a map-style Dataset, or a list of pictures."""
    listed = dataset.tolist() if hasattr(dataset, "tolist") and getattr(dataset, "ndim", 0) == 1 else dataset
    return _dataset(listed, asked.labels, asked.limit)


def _of_guest(kind: ImageKind, images: Any, asked: Asked) -> Source:
    """What a guest's kind opens, with the labels and the limit that were asked for; its failures become sentences."""
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
        return _dataset(source, asked.labels, asked.limit)
    if not len(source):
        raise ImageError(f'the images "{images}" are none')
    if asked.labels is not None or asked.limit is not None:
        entries, said = source.entries, source.said
        entries, remarks = (entries, ()) if asked.labels is None else with_labels(entries, asked.labels)
        cut = "" if asked.limit is None or asked.limit >= len(entries) else f", the first {asked.limit:,}"
        said = (*said, *remarks, *_of_limit(entries, asked.limit))
        source = source.listing_only(entries[: asked.limit], name=f"{source.name}{cut}", said=said)
    return _usable(source)


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
    paths = _expanded(paths)
    if any(are_archives([path]) for path in paths) and not are_archives(paths):
        raise UsageError("a list of images must hold either .tar files only or picture files only")
    return paths


def _nowhere(images: Any) -> str:
    """Why a text names no images, with what to write instead."""
    scheme = scheme_of(str(images))
    hint = f'; nothing installed opens what begins with "{scheme}"' if scheme else ""
    return f'the images "{shown(str(images))}" do not exist{hint}; expected {forms()}'


def encoded_source(found: FileListing, name: str, counted: str, asked: Asked, storage: Storage = LOCAL) -> Source:
    """What was found in a place, as a source. counted: what one of the images is, in a word. Raises ImageError where
    there is no image."""
    entries, everything, said = found.entries, found.everything, found.said
    labels, limit, reading = asked.labels, asked.limit, asked.reading
    if not entries and found.first_other is not None:
        raise ImageError(_no_image(f"{name} ({_count(len(everything), counted, None)})", found.first_other))
    if not entries:
        raise ImageError(
            f"no image can be read in {name}: what lies there was written by layerscope (an atlas, a figure), not an "
            "image of your own"
        )
    if labels is not None:
        entries, remarks = with_labels(entries, labels)
        everything = with_labels(everything, labels)[0] if everything else everything
        said = [*(sentence for sentence in said if sentence not in found.of_classes), *remarks]
    source = EncodedSource(
        entries[:limit],
        name=f"{name} ({_count(len(entries), counted, limit)})",
        reading=reading,
        storage=storage,
        everything=everything[:limit],
        said=[*said, *_of_limit(entries, limit)],
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
    name = f"{type(dataset).__name__} ({_count(len(entries), 'item', limit)})"
    said = [*said, *_of_limit(entries, limit)]
    return DatasetSource(dataset, entries[:limit], name=name, classes=classes, said=said)


def _count(count: int, counted: str, limit: int | None) -> str:
    number = f"{count:,} {counted}{'' if count == 1 else 's'}"
    return number if limit is None or limit >= count else f"the first {limit:,} of {number}"
