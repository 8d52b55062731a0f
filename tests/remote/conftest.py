"""Data sets in folders of this machine; nothing is asked of the Hub."""

from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from tests.remote.tables import rows_of, table, write

datasets.disable_progress_bars()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen pictures in folders of three classes, JPEG and PNG; one copy, and one that is broken."""
    folder = tmp_path_factory.mktemp("pictures")
    for n in range(13):
        drawn = np.random.default_rng(n).integers(0, 256, (40 + n, 52, 3), np.uint8)
        path = folder / ("ants", "bees", "cats")[n % 3] / f"{n:02}.{'jpg' if n % 2 else 'png'}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(drawn).save(path)
    (folder / "ants" / "copy.png").write_bytes((folder / "cats" / "02.png").read_bytes())
    broken = folder / "bees" / "04.png"
    broken.write_bytes(broken.read_bytes()[:200])
    return folder


@pytest.fixture(scope="session")
def parquet(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as a data set of two files of several groups of rows, with a second split of three rows."""
    folder = tmp_path_factory.mktemp("parquet") / "insects"
    rows = rows_of(pictures)
    write(folder / "data" / "train-00000-of-00002.parquet", table(rows[:9]))
    write(folder / "data" / "train-00001-of-00002.parquet", table(rows[9:]))
    write(folder / "data" / "test-00000-of-00001.parquet", table(rows[:3]))
    return folder


@pytest.fixture(scope="session")
def saved(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as `save_to_disk` writes them, in splits, and alone."""
    folder = tmp_path_factory.mktemp("saved")
    held = table(rows_of(pictures))
    datasets.DatasetDict(train=held, test=held.select(range(3))).save_to_disk(folder / "splits")
    held.save_to_disk(folder / "alone")
    return folder
