"""No image is skipped for what is not its own fault, whatever kind of source it comes from."""

import errno
import os
import signal
import tarfile
from pathlib import Path

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.errors import ImageError, LayerscopeError
from layerscope.sources.kept import Kept
from tests.reliability.faults import FAULTS
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS
from tests.reliability.subject import INPUT, SIDE, pictures

RUNS = [range(0, 6), range(6, 12)]


class Items:
    """Twelve pictures, one of which cannot be had."""

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure

    def __len__(self) -> int:
        return 12

    def __getitem__(self, item: int) -> np.ndarray:
        if item == 9 and self.failure is not None:
            raise self.failure
        return np.full((SIDE, SIDE, 3), 20 * item, np.uint8)


def packed(folder: Path) -> Path:
    """The pictures as a tar file, one of them without the suffix of a picture."""
    archive = folder / "pictures.tar"
    with tarfile.open(archive, "w") as file:
        for number, path in enumerate(sorted(pictures(folder / "loose").rglob("*.png"))):
            file.add(path, f"{path.parent.name}/{number}{'' if number == 4 else '.png'}")
    return archive


def skipped(images: object) -> list[str | None]:
    """Why images are skipped, after all were read. Raises as a build does."""
    return [record.skipped for record in ls.images(images).check()]


@pytest.mark.parametrize("kind", ["folder", "tar"])
@pytest.mark.parametrize(
    "seam, fault", [("open to read", "server gone"), ("read", "disk fails"), ("decode", "no memory")]
)
def test_every_read_of_files_fails_once(tmp_path: Path, kind: str, seam: str, fault: str) -> None:
    """Each time one sentence, and the image is not taken for broken: what is skipped is the same as ever."""
    images = pictures(tmp_path / "loose") if kind == "folder" else packed(tmp_path)
    ever, number = skipped(images), 0
    while True:
        number += 1
        meter = Meter(tmp_path, number, FAULTS[fault])
        with SEAMS[seam](meter):
            try:
                found = skipped(images)
            except LayerscopeError as error:
                assert "\n" not in str(error)
                continue
        assert found == ever
        if not meter.reached:
            break
    assert number > 10


@pytest.mark.parametrize("number", ["EIO", "EMFILE", "ESTALE"])
def test_an_item_that_the_disk_does_not_give_is_not_skipped(number: str) -> None:
    """The item is named; one that is missing for good is skipped, as it always was."""
    code = getattr(errno, number)
    with pytest.raises(ImageError, match='"item 9 of the Items" cannot be read just now'):
        skipped(Items(OSError(code, os.strerror(code))))
    with pytest.raises(ImageError, match="out of memory"):
        skipped(Items(RuntimeError("DefaultCPUAllocator: can't allocate memory")))
    assert skipped(Items(OSError(errno.ENOENT, "No such file"))) == ["the Dataset failed: [Errno 2] No such file"]


class Deadly(Items):
    """The process that reads one of the items, other than the one that made this, is ended by the system."""

    def __init__(self) -> None:
        super().__init__(None)
        self.mother = os.getpid()

    def __getitem__(self, item: int) -> np.ndarray:
        if item == 9 and os.getpid() != self.mother:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(item)


def test_a_process_that_is_ended_from_outside_is_told_as_that() -> None:
    """Neither a traceback nor images that are missing."""
    with pytest.raises(ImageError, match=r"was ended from outside, .* and run the same command again"):
        list(ls.images(Deadly()).batches(INPUT, RUNS, threads=2))


def test_what_was_kept_and_cannot_be_read_back_is_read_anew(tmp_path: Path) -> None:
    """Batches are the same bits though every read of the kept bytes fails, or gives too few of them."""
    source = ls.images(pictures(tmp_path / "loose"))
    runs = [range(0, 7), range(7, 14)]
    plain = [batch.pixels for batch in source.batches(INPUT, runs, threads=1)]
    kept = Kept(INPUT, pictures=False)
    keeping = source.keeping(kept)
    try:
        for round in range(2):
            found = [batch.pixels for batch in keeping.batches(INPUT, runs, threads=1)]
            assert all(np.array_equal(one, other) for one, other in zip(plain, found, strict=True)), round
        assert len(kept) and kept._file is not None
        os.ftruncate(kept._file.fileno(), 10)
        found = [batch.pixels for batch in keeping.batches(INPUT, runs, threads=1)]
        assert all(np.array_equal(one, other) for one, other in zip(plain, found, strict=True))
    finally:
        kept.close()
