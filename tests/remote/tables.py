"""Data sets made here, as the Hub holds them: encoded pictures in Parquet files, a split a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets

IMAGES_AND_CLASSES = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["ants", "bees", "cats"])}


def rows_of(folder: Path, classes: Sequence[str] = IMAGES_AND_CLASSES["label"].names) -> list[dict[str, Any]]:
    """The pictures of a folder of classes, in the order of their paths, as rows."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {
            "image": {"bytes": path.read_bytes(), "path": path.relative_to(folder).as_posix()},
            "label": classes.index(path.parent.name),
        }
        for path in paths
    ]


def table(rows: Sequence[Mapping[str, Any]], features: Mapping[str, Any] = IMAGES_AND_CLASSES) -> datasets.Dataset:
    """Rows as a Dataset; without rows an empty one."""
    columns = {name: [row[name] for row in rows] for name in features}
    return datasets.Dataset.from_dict(columns, features=datasets.Features(features))


def write(path: Path, held: datasets.Dataset, *, group: int = 4) -> Path:
    """A Parquet file of groups of so many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held.to_parquet(path, batch_size=group)
    return path
