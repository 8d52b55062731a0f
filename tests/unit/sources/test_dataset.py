import hashlib
import io
import multiprocessing
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from layerscope.core.errors import ImageError, UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source, prepare

INPUT = Input(height=16, width=20, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))


class Pictures:
    """Noise with labels; item 3 fails."""

    classes = ("dog", "cat")

    def __len__(self):
        return 7

    def __getitem__(self, index):
        if index == 3:
            raise OSError("image file is truncated")
        pixels = np.random.default_rng(index % 5).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        return Image.fromarray(pixels), index % 2


def test_worker_processes_change_nothing():
    """Two workers give the bytes of none, and duplicates and failures are known in the main process."""
    runs = [[0, 1], [2, 3, 4], [5, 6]]
    alone = list(open_source(Pictures()).batches(INPUT, runs, threads=1))
    source = open_source(Pictures())
    state = torch.get_rng_state()
    for found, expected in zip(source.batches(INPUT, runs, threads=2), alone, strict=True):
        assert found.records == expected.records and found.placements == expected.placements
        assert np.array_equal(found.pixels, expected.pixels) and np.array_equal(found.ids, expected.ids)
        assert found.pixels.transpose(0, 2, 3, 1).flags.c_contiguous
    assert [record.skipped for record in source.skipped] == ["the Dataset failed: image file is truncated"]
    assert [record.duplicate_of for record in alone[2].records] == [0, 1]
    assert torch.equal(torch.get_rng_state(), state), "the user's random numbers were drawn from"


def test_an_early_end_leaves_no_worker():
    """Whoever stops after one batch leaves no process behind."""
    batches = open_source(Pictures()).batches(INPUT, ([id % 7] for id in range(10_000)), threads=2)
    next(batches)
    assert len(multiprocessing.active_children()) == 2, "worker processes were wanted"
    batches.close()
    assert not multiprocessing.active_children()


def test_a_mistake_in_a_worker_is_one_sentence():
    """It arrives as the same error that a single process raises."""
    items = [np.zeros((3, 8, 8), np.float32)] * 4
    for threads in (1, 2):
        with pytest.raises(ImageError, match=r"^item 0 of the Dataset is float\[3, 8, 8\], but the network takes"):
            list(open_source(items).batches(INPUT, [[0, 1], [2, 3]], threads=threads))


def test_what_cannot_be_pickled_is_read_in_process():
    """An open file or a lock in a Dataset is no obstacle."""

    class Local(Pictures):
        def __init__(self):
            self.generator = (n for n in range(3))

    batches = list(open_source(Local()).batches(INPUT, [[0, 1]], threads=2))
    assert batches[0].ids.tolist() == [0, 1]


def test_every_kind_of_picture_is_prepared_alike():
    """A Pillow image, arrays with channels last or first, and a tensor give the same pixels."""
    image = Pictures()[0][0]
    array = np.asarray(image)
    items = [image, array, array.transpose(2, 0, 1), torch.from_numpy(array.transpose(2, 0, 1).copy()), (array, 1)]
    batch = open_source(items).load(range(5), INPUT)
    expected, placement = prepare(image, INPUT)
    assert all(np.array_equal(pixels, expected) for pixels in batch.pixels)
    assert batch.placements == (placement,) * 5
    assert batch.records[0].sha256 == hashlib.sha256(array.tobytes()).hexdigest()
    assert {(record.height, record.width) for record in batch.records} == {(24, 32)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_floats_of_the_inputs_shape_are_taken_as_they_are(dtype):
    """No resizing, no normalisation, and every input px is its own source px."""
    pixels = torch.linspace(-3, 3, 2 * 3 * 16 * 20).reshape(2, 3, 16, 20).to(dtype)
    batch = open_source(TensorDataset(pixels)).load([1], INPUT)
    assert np.array_equal(batch.pixels[0], pixels[1].float().numpy())
    placement = batch.placements[0]
    assert (placement.row_scale, placement.col_scale, placement.top, placement.left) == (1, 1, 0, 0)
    assert (placement.height, placement.width) == (16, 20)


def test_many_channels_are_resized_band_by_band():
    """Twelve channels of uint8 are each prepared as a gray picture would be."""
    array = np.random.default_rng(0).integers(0, 256, (30, 25, 12), dtype=np.uint8)
    input = Input(channels=12, height=16, width=16, show=(0, 1, 2))
    gray = Input(channels=1, height=16, width=16)
    pixels = open_source([array]).load([0], input).pixels[0]
    for band in range(12):
        assert np.array_equal(pixels[band], prepare(Image.fromarray(array[..., band]), gray)[0][0])


def test_pixels_that_are_no_numbers_are_skipped():
    """NaN would reach every statistic of the scan."""
    bad = np.full((3, 16, 20), np.nan, np.float32)
    assert open_source([bad]).load([0], INPUT).records[0].skipped == "holds NaN or infinite values"


@pytest.mark.parametrize(
    "item, message",
    [
        (5, "of type int"),
        (np.zeros((4, 4), np.int64), r"int64\[4, 4\]"),
        (np.zeros((9, 9, 5), np.uint8), "has 5 channels; the network takes 3"),
        ({"pixels": 1}, "of type dict; its keys are pixels"),
    ],
)
def test_items_that_are_no_pictures_are_refused(item, message):
    """The message names the item and what was expected."""
    with pytest.raises(ImageError, match=message):
        open_source([item]).load([0], INPUT)


def test_labels_come_from_classes_targets_or_a_file(tmp_path):
    """Names where the Dataset has them, else its targets, else none; a labels file goes before both."""
    named = open_source(Pictures())
    assert named.label_names == ("cat", "dog") and [named.label(0), named.label(1)] == ["dog", "cat"]
    assert [record.label for record in named.load([0, 1], INPUT).records] == ["dog", "cat"]

    class Numbered(Pictures):
        classes = None
        targets = torch.tensor([4, 4, 2, 2, 2, 2, 2])

    numbered = open_source(Numbered(), limit=3)
    assert numbered.label_names == ("2", "4") and numbered.load([0], INPUT).records[0].label == "4"
    assert open_source([Pictures()[0]]).labelling() == ["0"], "a list's own labels are its targets"

    (tmp_path / "labels.csv").write_text("0,first\n6,last\n")
    filed = open_source(Pictures(), labels=tmp_path / "labels.csv")
    assert filed.label_names == ("first", "last") and filed.label(6) == "last"
    assert [record.label for record in filed.load([0, 1], INPUT).records] == ["first", None]


def test_names_and_listing():
    """A Dataset is called by its type, and its items by their index; sizes are not known before reading."""
    source = open_source(Pictures(), limit=2)
    assert source.name == "Pictures (the first 2 of 7 items)"
    assert source.listing() == [("0", None), ("1", None)]


def test_empty_and_endless_datasets_are_refused():
    """Nothing to look at, or no way to number it."""

    class Endless(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter([])

    with pytest.raises(ImageError, match="empty list"):
        open_source([])
    with pytest.raises(UsageError, match="Endless cannot be used"):
        open_source(Endless())


def test_the_room_loads_without_torch():
    """Files need no torch; only a Dataset's worker processes do."""
    code = "import sys, layerscope.sources; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Random(Pictures):
    """Each item is flipped by the toss of a coin."""

    def __getitem__(self, index):
        image = Image.fromarray(np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8))
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if torch.rand(()) < 0.5 else image


@pytest.mark.parametrize("seed", range(5))
def test_items_that_differ_each_time_are_refused_when_they_are_opened(seed):
    """Before any scan: the peaks of one reading would not come back in the next."""
    torch.manual_seed(seed)
    with pytest.raises(ImageError, match=r"item \d of the Random differs each time.*transforms of validation"):
        open_source(Random())


def test_noise_in_float_items_is_told_as_randomness():
    """Not only flips: any difference, of any kind of item."""

    class Noisy(Pictures):
        def __getitem__(self, index):
            return torch.rand(3, 16, 20)

    with pytest.raises(ImageError, match="differs each time"):
        open_source(Noisy())


def test_what_can_only_be_read_in_order_is_told_as_that():
    """An iterable Dataset with a length, and one whose reading by number was never written."""

    class Stream(torch.utils.data.IterableDataset):
        def __len__(self):
            return 3

        def __iter__(self):
            return iter([])

    class Unwritten(torch.utils.data.Dataset):
        def __len__(self):
            return 3

    for dataset in (Stream(), Unwritten()):
        with pytest.raises(UsageError, match=rf"{type(dataset).__name__}.* from .*start to .*end: give a map-style"):
            open_source(dataset)
    with pytest.raises(UsageError, match=r"DataLoader cannot be used: it gives batches: give its \.dataset"):
        open_source(torch.utils.data.DataLoader(Pictures()))


def test_none_is_skipped_and_counted():
    """As an item that raises is: a common answer for a broken file, alone or with its label, in lists and Datasets."""
    image = Pictures()[0][0]
    for broken in (None, (None, 1), {"image": None}):
        source = open_source([image, broken, image])
        batch = source.load(range(3), INPUT)
        assert batch.ids.tolist() == [0, 2]
        assert [(record.id, record.skipped) for record in source.skipped] == [(1, "the Dataset gives None")]


@pytest.mark.parametrize(
    "item, message",
    [
        (b"\xff\xd8\xff", r"of type bytes; decode it: PIL.Image.open\(io.BytesIO\(item\)\)"),
        (io.BytesIO(b"GIF89a"), r"of type BytesIO; decode it: PIL.Image.open\(item\)"),
        ((1, np.zeros((4, 4, 3), np.uint8)), "of type int; the picture must come first"),
        ({"pixels": 0, "y": 1}, 'its keys are pixels, y; call the picture "image"'),
    ],
)
def test_an_item_of_another_form_is_told_how_to_become_one(item, message):
    """What it is, and what to do."""
    with pytest.raises(ImageError, match=message):
        open_source([item])


def test_a_column_of_paths_is_a_list_of_them(tmp_path, draw):
    """Of pandas or NumPy."""
    names = [str(tmp_path / f"{number}.png") for number in range(2)]
    for number, name in enumerate(names):
        draw(number).save(name)
    for column in (pd.Series(names, index=[7, 9]), np.array(names)):
        assert open_source(column).listing() == open_source(names).listing()
