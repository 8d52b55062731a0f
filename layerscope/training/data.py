"""What a user calls "the data": pictures to train on and others to validate with, found or held out."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.images import path_of
from layerscope.sources import Source, open_source

if TYPE_CHECKING:
    from layerscope.sources.types import Images

HELD_OUT = 0.05
WORLD = "world"
WORLD_TO_TRAIN, WORLD_TO_VALIDATE = (12_000, 1), (1_000, 2)  # how many pictures, of which seed
CONCEPTS = "concepts.json"  # beside the images/ that layerscope world writes
ANNOTATIONS = "val_annotations.txt"  # Tiny ImageNet's: file, class, box


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Some pictures of a source, by id."""

    source: Source
    ids: Int64[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """What to train on and what to validate with. how: a sentence on where the latter come from."""

    name: str
    train: Split
    validate: Split
    how: str


def open_data(data: "Images", validate: "Images | None" = None, *, side: int = 64, seed: int = 0) -> Data:
    """Open a data set: a folder with train*.tar and val*.tar, or with train/ and val/, or any one source of pictures.

    Of one source a seeded 5 % are held out, of each class at least one picture where it has two. data, validate: what
    `open_source` takes, or "world" for the visual world, drawn at `side` px. Raises ImageError and UsageError.
    """
    folder = _folder(data)
    train = _world(side, *WORLD_TO_TRAIN) if data == WORLD else _open(_named(folder, "train") or data)
    name = train.name if folder is None else folder.resolve().name
    if validate is None and data == WORLD:
        other = _world(side, *WORLD_TO_VALIDATE)
        how = f"validated on {len(other):,} other pictures of the visual world"
    elif validate is not None:
        other = _world(side, *WORLD_TO_VALIDATE) if validate == WORLD else _open(validate)
        how = f"validated on {other.name}"
    elif (named := _named(folder, "val")) is not None:
        other = _open(named)
        how = f"validated on {other.name} in the same folder"
    else:
        return _held_out(train, name, seed)
    return Data(name=name, train=_all(train), validate=_all(other), how=how)


def open_validation(data: "Images", *, side: int = 64, limit: int | None = None) -> Source:
    """The pictures of a data set to evaluate with: those for validation where it has them apart, else all.

    limit: only the first so many.
    """
    if data == WORLD:
        count, seed = WORLD_TO_VALIDATE
        return _world(side, min(limit or count, count), seed)
    return _open(_named(_folder(data), "val") or data, limit)


def _folder(data: "Images") -> Path | None:
    """The folder that data names; None for what is no folder."""
    path = path_of(data)
    return path if path is not None and path.is_dir() else None


def _named(folder: Path | None, name: str) -> Path | list[Path] | None:
    """The .tar files, else the folder, whose names begin so."""
    found = sorted(folder.glob(f"{name}*")) if folder is not None else []
    tars = [path for path in found if path.suffix == ".tar"]
    return tars or next((path for path in found if path.is_dir()), None)


def _world(side: int, count: int, seed: int) -> Source:
    from layerscope.world import World

    return open_source(World(count, seed=seed, size=max(side, 64)))


def _open(data: "Images", limit: int | None = None) -> Source:
    folder = _folder(data)
    if folder is not None and (folder / CONCEPTS).is_file() and (folder / "images").is_dir():
        return open_source(folder / "images", limit=limit)
    source = open_source(data, limit=limit)
    if folder is not None:
        relabel(source, folder)
    return source


def relabel(source: Source, folder: Path) -> None:
    """Take the classes of Tiny ImageNet as it is published: CLASS/images/FILE, and a table for val/images/FILE."""
    if source.label_names != ("images",):
        return
    table = folder / ANNOTATIONS
    if table.is_file():
        with plain_failures(table, kind=UsageError):
            lines = [line.split("\t") for line in table.read_text(encoding="utf-8", errors="replace").splitlines()]
        classes = {fields[0]: fields[1] for fields in lines if len(fields) > 1}
        source.relabel(lambda identity: classes.get(PurePosixPath(identity).name))
    elif any(identity.count("/") > 1 for identity, _ in source.listing()):
        source.relabel(lambda identity: PurePosixPath(identity).parts[-3] if identity.count("/") > 1 else None)


def _all(source: Source) -> Split:
    return Split(source=source, ids=np.arange(len(source)))


def _held_out(source: Source, name: str, seed: int) -> Data:
    draws = np.random.default_rng(seed)
    by_class: dict[str | None, list[int]] = {}
    for id, label in enumerate(source.labelling()):
        by_class.setdefault(label, []).append(id)
    held: list[int] = []
    for label in sorted(by_class, key=str):
        members = by_class[label]
        if len(members) > 1:
            held += draws.permutation(members)[: max(round(HELD_OUT * len(members)), 1)].tolist()
    if not held:
        raise ImageError(f"{source.name} has one picture of each class: none can be held out; give --validate SRC")
    out = np.array(sorted(held), np.int64)
    rest = np.setdiff1d(np.arange(len(source)), out)
    how = f"{len(out):,} of the {len(source):,} pictures are held out for validation, drawn with seed {seed}"
    return Data(name=name, train=Split(source=source, ids=rest), validate=Split(source=source, ids=out), how=how)
