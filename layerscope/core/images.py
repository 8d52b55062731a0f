"""The kinds of images, in words: what a user can name or hand over, how each is told, and what opens it.

A source of images is named by a text (a path, a glob, or what begins with a kind's prefix, as `hf:` would), by a list
of paths, or handed over from Python. The first kind that claims it opens it; nothing heavy is loaded to tell which.
"""

import glob
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from layerscope.core.braces import has_braces
from layerscope.core.registry import Registry, Row, later
from layerscope.core.stores import REMOTE, STORES, ImageStore, store_of

GZIP_ENDINGS = (".tgz", ".tar.gz")
TAR_ENDINGS = (".tar", *GZIP_ENDINGS, ".tar.bz2", ".tar.xz", ".tar.zst")
# What a text begins with that names a place elsewhere; one letter would be a drive of Windows.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True, kw_only=True)
class ImageKind(Row):
    """A way to name images.

    form: as users write it, words of theirs in capitals ("hf:NAME"), or what is handed over. open: what was named -> a
    `layerscope.sources.Source`, or a map-style Dataset, whose items may be pictures, pairs (picture, label) or dicts;
    it raises a LayerscopeError, in one sentence, for what it cannot give. It is asked for all images: which labels and
    how many of them a user wants is seen to afterwards.

    Images are of this kind where their text begins with `prefix` and no such file exists, or where `claims`, a function
    of what was named, says so. asks: `open` takes a second argument, `layerscope.sources.opening.Asked`, and does what
    it says; for kinds of files. columns: its images lie in a table, whose columns can be named. written: users can
    write it on a command line. samples: texts that tests may open, which need no file and no network.
    """

    form: str
    open: Callable[..., Any]
    prefix: str = ""
    claims: Callable[[Any], bool] | None = None
    asks: bool = False
    columns: bool = False
    written: bool = True
    samples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.prefix or self.claims):
            raise ValueError(f'the image kind "{self.name}" needs a prefix or claims')

    def is_prefixed(self, images: Any) -> bool:
        """Whether a text begins with this kind's prefix, and with more than that."""
        return isinstance(images, str) and images.startswith(self.prefix or "\0") and images != self.prefix

    def is_its_own(self, images: Any) -> bool:
        """Whether what was named is of this kind, files that exist aside."""
        return self.is_prefixed(images) or (self.claims is not None and self.claims(images))


def path_of(images: Any) -> Path | None:
    """The path that a text or a path-like object names; None for anything else."""
    return Path(os.path.expanduser(os.fspath(images))) if isinstance(images, (str, os.PathLike)) else None


def _is_folder(images: Any) -> bool:
    path = path_of(images)
    return path is not None and path.is_dir()


def _is_glob(images: Any) -> bool:
    path = path_of(images)
    return path is not None and not path.exists() and (glob.has_magic(str(path)) or has_braces(str(path)))


def _is_files(images: Any) -> bool:
    path = path_of(images)
    if path is None:
        return bool(paths_in(images)) and not _is_archives(images) and _store_of_list(images) is None
    return path.exists() and not path.is_dir() and not _is_archives(images)


def _is_archives(images: Any) -> bool:
    path = path_of(images)
    if path is not None:
        return path.exists() and not path.is_dir() and are_archives([path])
    found = paths_in(images)
    return bool(found) and are_archives(found) and _store_of_list(images) is None


def _store_of_list(images: Any) -> ImageStore | None:
    """The store of the first of several addresses; None for a list of files here, and for what is no list."""
    listed = cast(Sequence[object], images) if isinstance(images, (list, tuple)) else ()
    return store_of(listed[0]) if listed else None


def _lists(store: ImageStore) -> Callable[[Any], bool]:
    return lambda images: _store_of_list(images) is store


def paths_in(images: Any) -> list[Path]:
    """The paths in a list, or in a column of a table of them; none of what is no list."""
    column = hasattr(images, "tolist") and getattr(images, "ndim", 0) == 1
    listed: object = images.tolist() if column else images
    if isinstance(listed, bytes) or not isinstance(listed, Sequence):
        return []
    return [path for path in map(path_of, cast(Sequence[object], listed)) if path is not None]


def are_archives(paths: Iterable[Path]) -> bool:
    """True where every path is named as a tar file; what is compressed otherwise than by gzip is refused later."""
    return all(path.name.lower().endswith(TAR_ENDINGS) for path in paths)


def _is_none_of_these(images: Any) -> bool:
    return path_of(images) is None and not paths_in(images)


_OPENING = "layerscope.sources.opening"

IMAGES = Registry(
    "image kind",
    "layerscope.images",
    ImageKind,
    (
        ImageKind(
            name="folder", sentence="all pictures below a folder, whose folders tell classes", form="a folder",
            claims=_is_folder, open=later(f"{_OPENING}:open_folder"), asks=True,
        ),
        ImageKind(
            name="glob", sentence='the pictures that match a pattern; "**" crosses folders', form="a glob",
            claims=_is_glob, open=later(f"{_OPENING}:open_glob"), asks=True,
        ),
        ImageKind(
            name="files", sentence="a picture, or several in the order given", form="picture files",
            claims=_is_files, open=later(f"{_OPENING}:open_files"), asks=True,
        ),
        ImageKind(
            name="tar", sentence="the pictures inside archives, WebDataset's among them", form=".tar and .tar.gz files",
            claims=_is_archives, open=later(f"{_OPENING}:open_archives"), asks=True,
        ),
        ImageKind(
            name="rows", sentence="the rows of a data set of the Hub, of Parquet files, or saved by datasets",
            form="hf:NAME:SPLIT", prefix="hf:", open=later("layerscope.sources.row_opening:open_data_set"), asks=True,
            columns=True, needs=("datasets",), install="layerscope[datasets]",
        ),
        ImageKind(
            name="source", sentence="images that are open already", form="a Source", written=False,
            claims=later(f"{_OPENING}:is_open"), open=later(f"{_OPENING}:as_it_is"), asks=True,
        ),
        ImageKind(
            name="dataset", sentence="the items of a map-style Dataset, or a list of pictures", written=False,
            form="a Dataset with __len__ and __getitem__", claims=_is_none_of_these,
            open=later(f"{_OPENING}:open_dataset"), asks=True,
        ),
        *(
            ImageKind(
                name=store.name, sentence=store.sentence, form=store.form, prefix=store.prefix, claims=_lists(store),
                needs=store.needs, install=REMOTE, open=later("layerscope.remote.opening:open_remote"), asks=True,
            )
            for store in STORES
        ),
    ),
)  # fmt: skip


def kind_of(images: Any) -> ImageKind | None:
    """The kind that was meant; None for a text that names nothing.

    What exists comes before what begins with a prefix; of all else a guest's claim comes before a Dataset. Raises
    UsageError for the prefix of a kind that cannot be loaded.
    """
    if isinstance(images, str) and not images:  # a variable that is not set, where a path would mean this folder
        return None
    dataset = IMAGES.own["dataset"]
    own = [row for row in IMAGES.own.values() if row is not dataset and row.claims is not None and row.claims(images)]
    path = path_of(images)
    if path is not None and path.exists():
        return next(iter(own), None)
    head, colon, _ = images.partition(":") if isinstance(images, str) else ("", "", "")
    if colon and head in IMAGES.guests:
        IMAGES.known(head)
    rows = list(IMAGES)
    # "hf://" would be another's than "hf:".
    prefixed = sorted((row for row in rows if row.is_prefixed(images)), key=lambda row: -len(row.prefix))
    guests = [row for row in rows if row.name in IMAGES.guests and row.is_its_own(images)]
    return next(iter([*prefixed, *own, *guests, *([dataset] if dataset.is_its_own(images) else [])]), None)


def scheme_of(images: str) -> str:
    """What a text begins with that would name a place elsewhere, such as "s3:"; empty where it names a path."""
    found = _SCHEME.match(images)
    root = images.partition("/")[0]
    return found[0].lower() if found and not os.path.exists(root) else ""


def forms(mark: str = "", *, written: bool = True) -> str:
    """How images are named, in one clause, for help, docs and refusals.

    mark: what stands around what is typed. written: on a command line; else from Python.
    """
    listed = [f"{mark}{row.form}{mark}" if row.prefix else row.form for row in IMAGES if row.written or not written]
    return f"{', '.join(listed[:-1])} or {listed[-1]}"


def column_forms() -> str:
    """How images are named whose columns can be named, in one clause."""
    return " or ".join(row.form for row in IMAGES if row.columns)
