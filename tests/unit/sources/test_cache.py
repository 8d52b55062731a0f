"""What is kept of an image is what reading it again would give, to the bit; within bounds, and only an aid."""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerscope as ls
from layerscope.sources import ImageCache, open_source
from layerscope.sources import image as one_image
from layerscope.sources.prepare import PICTURE_SIDE, from_bytes, small, to_bytes

INPUT = ls.Input(height=20, width=28, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), order="BGR")
RUNS = [[0, 1, 2, 3], [1, 3, 5], [], [7, 6, 0], [9, 8], [3, 8, 10]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eleven pictures in several modes, one of them broken."""
    rng = np.random.default_rng(0)
    for image in range(11):
        shape = (30 + image, 300 - image, 3) if image % 3 else (40, 31)
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(tmp_path / f"{image:02}.png")
    (tmp_path / "03.png").write_bytes(b"broken")
    return tmp_path


def assert_same(a, b) -> None:
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.pixels.view(np.uint32), b.pixels.view(np.uint32))
    assert a.pixels.strides == b.pixels.strides
    assert (a.placements, a.records) == (b.placements, b.records)
    assert len(a.pictures) == len(b.pictures)
    for one, other in zip(a.pictures, b.pictures, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("most", [0, 200_000, 2**24], ids=["no room", "little room", "room"])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_are_the_same_bits(most: int, threads: int, folder: Path) -> None:
    """Over several passes, let go of in between, whatever room there is: batches, records and small pictures."""
    plain, kept = open_source(folder), ImageCache(INPUT, pictures=True, most=most)
    keeping, everything = open_source(folder).cached_in(kept), range(11)
    for number in range(3):
        expected = plain.picturing(everything).batches(INPUT, RUNS, threads=threads)
        found = keeping.picturing(everything).batches(INPUT, iter(RUNS), threads=threads)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
            kept.release([7, number])
        kept.only({1, 2, 5, 8})
    assert_same(keeping.picturing({2}).load([2, 4], INPUT), plain.picturing({2}).load([2, 4], INPUT))
    assert len(kept) == (0 if most == 0 else 2 if most < 2**24 else 4)


def test_small_pictures_are_those_of_the_whole_picture(folder: Path) -> None:
    """At most 160 px, of the images that were asked for; None for the others."""
    batch = open_source(folder).picturing({1, 2}).load([0, 1, 2], INPUT)
    assert batch.pictures[0] is None
    for image in (1, 2):
        expected = small(Image.open(folder / f"{image:02}.png"), INPUT, PICTURE_SIDE)
        np.testing.assert_array_equal(batch.pictures[image], expected)
        assert max(expected.shape) == 160
    assert open_source(folder).load([0], INPUT).pictures == ()


def test_only_what_is_not_kept_is_decoded(folder: Path, monkeypatch) -> None:
    """What was let go of, and what lies in a file that was written since: then it is the new content, or its reason."""
    kept = ImageCache(INPUT, pictures=False)
    source = open_source(folder).cached_in(kept)
    first = source.load([1, 2, 4], INPUT)
    decoded: list[bytes] = []
    plain = one_image.decode
    monkeypatch.setattr(one_image, "decode", lambda data, **options: (decoded.append(data), plain(data, **options))[1])
    assert_same(source.load([1, 2, 4], INPUT), first)
    assert not decoded
    kept.release([1])
    assert_same(source.load([1, 2, 4], INPUT), first)
    assert decoded == [(folder / "01.png").read_bytes()]
    # The last bytes of a PNG are a checksum that decoders leave alone.
    (folder / "02.png").write_bytes((folder / "02.png").read_bytes()[:-1] + b"?")
    (folder / "04.png").unlink()
    again = source.load([1, 2, 4], INPUT)
    assert again.ids.tolist() == [1, 2] and again.records[2].skipped is not None
    assert again.records[1].sha256 == hashlib.sha256((folder / "02.png").read_bytes()).hexdigest()


@pytest.mark.parametrize("mean", [0.0, 0.485, 114 / 255])
def test_bytes_come_back_as_the_very_numbers(mean: float) -> None:
    """All 256 of them, in every channel; floats that no bytes give are kept as they are."""
    input = ls.Input(height=16, width=16, mean=(mean, 0.5, 0.1), std=(0.229, 1.0, 3.7))
    cut = np.stack([np.arange(256, dtype=np.uint8).reshape(16, 16)] * 3, -1)
    row = from_bytes(cut, input)
    np.testing.assert_array_equal(to_bytes(row, input), cut)
    for other in (row + np.float32(1e-6), row * 1e6, -row - 1):
        assert to_bytes(other.astype(np.float32), input) is None


GRAY = ls.Input(channels=1, height=20, width=28, mean=(0.45,), std=(0.2,))


@pytest.mark.parametrize("input", [INPUT, GRAY], ids=["BGR", "gray"])
def test_bytes_that_come_along_are_those_that_the_input_tells(input: ls.Input, folder: Path) -> None:
    """Of the images that were asked for; None for the others, and for what was never bytes."""
    batch = open_source(folder)._with_cuts({1, 4}).load([0, 1, 2, 4], input)
    assert [cut is None for cut in batch.cuts] == [True, False, True, False]
    for place in (1, 3):
        row = np.ascontiguousarray(batch.pixels[place].transpose(1, 2, 0))
        np.testing.assert_array_equal(batch.cuts[place], to_bytes(row, input))
    floats = open_source([np.ones(input.shape, np.float32)])._with_cuts({0})
    assert floats.load([0], input).cuts == (None,)


def test_floats_of_a_dataset_are_kept_as_they_are() -> None:
    """Arrays that no bytes give, minus zero included."""
    images = [np.random.default_rng(i).normal(0, 3, INPUT.shape).astype(np.float32) for i in range(3)]
    images[0][:, 0] = -0.0
    kept = ImageCache(INPUT, pictures=False)
    source = open_source(images).cached_in(kept)
    first, again = source.load([0, 1, 2], INPUT), source.load([0, 1, 2], INPUT)
    assert len(kept) == 3
    assert_same(first, again)
    np.testing.assert_array_equal(again.pixels.view(np.uint32), np.stack(images).view(np.uint32))


def test_a_full_disk_is_no_error(folder: Path, monkeypatch) -> None:
    """Where the file cannot be made or written, images are read as before."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    kept = ImageCache(INPUT, pictures=True)
    source = open_source(folder).cached_in(kept).picturing(range(2))
    for _ in range(2):
        assert_same(source.load([0, 1], INPUT), open_source(folder).picturing(range(2)).load([0, 1], INPUT))
    assert not len(kept)
