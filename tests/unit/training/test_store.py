"""Pictures lie in memory, or in a file of the run's folder where they are too many; a full disk is said before."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from layerscope.core.errors import LayerscopeError
from layerscope.training.pictures import Empty, Pictures
from layerscope.training.store import Store
from layerscope.training.workers import Workers

SHAPE = (4, 8, 8, 3)


def made(empty: Empty) -> Pictures:
    """Four pictures, of which one could not be used."""
    room = empty(SHAPE)
    room[:] = np.arange(room.size, dtype=np.uint8).reshape(SHAPE)
    return Pictures(room[:3], np.array([0, 1, 0]), ("a", "b"))


def test_few_pictures_lie_in_memory(tmp_path: Path) -> None:
    """No file is made."""
    pictures = Store(tmp_path, Workers("cpu")).once("train", made)
    assert not isinstance(pictures.pixels.base, np.memmap) and list(tmp_path.iterdir()) == []


def test_many_pictures_lie_in_a_file(tmp_path: Path) -> None:
    """The same bytes, in a file that is gone once the run is over; files of others stay."""
    (tmp_path / ".mine.npy").write_text("mine")
    store = Store(tmp_path, Workers("cpu"), in_memory=100)
    pictures = store.once("train", made)
    assert (tmp_path / ".train.npy").exists()
    assert np.array_equal(pictures.pixels, made(lambda shape: np.empty(shape, np.uint8)).pixels)
    store.clear()
    assert [path.name for path in tmp_path.iterdir()] == [".mine.npy"]


def test_several_processes_read_what_the_first_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others decode nothing."""
    monkeypatch.setattr(Workers, "meet", lambda self: None)
    first, second = Workers("cpu"), Workers("cpu")
    first.count = second.count = 2
    second.rank, second.first = 1, False
    mine = Store(tmp_path, first).once("train", made)
    theirs = Store(tmp_path, second).once("train", lambda empty: pytest.fail("decoded twice"))
    assert np.array_equal(mine.pixels, theirs.pixels) and np.array_equal(mine.labels, theirs.labels)
    assert theirs.classes == ("a", "b") and len(theirs) == 3


def test_a_disk_without_room_is_refused_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is needed, how much is free, and what to do."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2_000_000_000))
    store = Store(tmp_path, Workers("cpu"), in_memory=100)
    with pytest.raises(LayerscopeError, match=r"need 1\.2 GB in .* where 2\.0 GB are free: choose an --out on"):
        store.once("train", lambda empty: Pictures(empty((100_000, 64, 64, 3)), np.zeros(100_000, int), ("a", "b")))
    assert list(tmp_path.iterdir()) == []
