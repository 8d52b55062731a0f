import hashlib
import io
import threading

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source

INPUT = Input(height=16, width=16, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
RUNS = [[0, 1, 2], [3], [5], [4, 6]]
REASONS = {
    "a/broken.png": "broken: ",
    "empty.jpg": "empty file",
}


def same(batches, others):
    return all(
        a.records == b.records
        and a.placements == b.placements
        and np.array_equal(a.ids, b.ids)
        and np.array_equal(a.pixels, b.pixels)
        for a, b in zip(batches, others, strict=True)
    )


@pytest.mark.parametrize("threads, ahead", [(1, 0), (2, 4), (4, 1)])
def test_batches_do_not_depend_on_threads(folder, threads, ahead):
    """Any number of threads and any look-ahead give the bytes of loading one run after the other."""
    one_by_one = open_source(folder)
    expected = [one_by_one.load(run, INPUT) for run in RUNS]
    assert same(open_source(folder).batches(INPUT, RUNS, threads=threads, ahead=ahead), expected)


def test_what_fails_is_left_out_and_recorded(folder):
    """Records cover the whole run; ids, pixels and placements only what could be used."""
    source = open_source(folder)
    batch = source.load(range(7), INPUT)
    assert batch.ids.tolist() == [0, 2, 3, 4, 6] and batch.pixels.shape == (5, 3, 16, 16)
    assert len(batch.placements) == 5 and [record.id for record in batch.records] == list(range(7))
    assert {record.source for record in source.skipped} == set(REASONS)
    assert all(record.skipped.startswith(REASONS[record.source]) for record in source.skipped)


def test_a_run_without_a_usable_image_is_an_empty_batch(folder):
    """Nothing is left, and the records say why."""
    batch = open_source(folder).load([1, 5], INPUT)
    assert batch.pixels.shape == (0, 3, 16, 16) and batch.ids.shape == (0,) and len(batch.records) == 2


def test_a_record_tells_hash_size_and_upright_measures(folder):
    """sha256 and size are those of the encoded bytes."""
    record = open_source(folder).load([2], INPUT).records[0]
    content = (folder / "b/2.png").read_bytes()
    assert record.sha256 == hashlib.sha256(content).hexdigest() and record.size == len(content)
    assert (record.height, record.width, record.label, record.source) == (40, 20, "b", "b/2.png")


def test_the_first_of_equal_images_is_named(folder):
    """Duplicates point at the smallest id with the same bytes, whichever was met first."""
    source = open_source(folder)
    assert source.load([3], INPUT).records[0].duplicate_of is None
    assert [record.duplicate_of for record in source.load([0, 3], INPUT).records] == [None, 0]


def test_a_resumed_run_knows_what_went_before(folder):
    """After remember(), a run that begins in the middle gives the records of one that did not."""
    whole = open_source(folder)
    batches = list(whole.batches(INPUT, RUNS))
    resumed = open_source(folder)
    resumed.remember(record for batch in batches[:1] for record in batch.records)
    assert same(resumed.batches(INPUT, RUNS[1:]), batches[1:])
    assert resumed.skipped == whole.skipped


def test_check_goes_through_everything(folder):
    """check() finds what a scan finds, without an input."""
    checked, scanned = open_source(folder), open_source(folder)
    scanned.load(range(7), INPUT)
    assert checked.check() == scanned.skipped == checked.skipped


def test_pixels_are_channels_last_in_memory(folder):
    """[b, c, h, w] is a view of contiguous [b, h, w, c], whether or not an image was left out."""
    for batch in open_source(folder).batches(INPUT, RUNS):
        assert batch.pixels.transpose(0, 2, 3, 1).flags.c_contiguous


def test_an_early_end_leaves_no_thread(folder):
    """Whoever stops after one batch leaves nothing running."""
    batches = open_source(folder).batches(INPUT, ([id % 7] for id in range(10_000)))
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("layerscope-decode")]


def test_wrong_channels_are_refused_at_once(folder):
    """Before the first batch is asked for."""
    with pytest.raises(ImageError, match=r"5 channels.*Dataset"):
        open_source(folder).batches(Input(channels=5, height=4, width=4, show=(0, 1, 2)), RUNS)


def test_a_file_that_vanishes_is_skipped(folder):
    """What was listed and is gone has a reason like any other."""
    source = open_source(folder)
    (folder / "z.gif").unlink()
    assert source.load([6], INPUT).records[0].skipped == "unreadable: No such file or directory"


def test_an_open_source_is_returned_as_it_is(folder):
    """But not with further wishes, which would be lost."""
    source = open_source(folder)
    assert open_source(source) is source
    with pytest.raises(UsageError, match="already open"):
        open_source(source, limit=2)


@pytest.mark.parametrize(
    "images, message",
    [
        (3, "int cannot be used; give a folder, a glob, picture files"),
        (None, "NoneType cannot be used; give a folder, a glob"),
        ({"a": 1}, "dict cannot be used: give what one of its keys holds"),
        (iter(["a.jpg"]), r"list_iterator cannot be used: it can be read only once: give list\(images\)"),
        ({"a.jpg"}, r"set cannot be used: it has no order: give sorted\(images\)"),
        (Image.new("RGB", (4, 4)), r"Image cannot be used: give a list of pictures: \[picture\]"),
        (io.BytesIO(b"GIF89a"), "BytesIO cannot be used: give its path"),
        (pd.DataFrame({"path": ["a.jpg"]}), "DataFrame cannot be used: give the list of its column of paths"),
    ],
)
def test_what_is_no_source_is_refused(images, message):
    """The message says what can be given in its place."""
    with pytest.raises(UsageError, match=message):
        open_source(images)


def test_mixed_lists_and_limits_below_one_are_refused(folder, draw):
    """Each is one sentence."""
    with pytest.raises(UsageError, match="paths only or pictures only"):
        open_source([folder / "z.gif", draw(0)])
    with pytest.raises(UsageError, match="limit must be at least 1"):
        open_source(folder, limit=0)
