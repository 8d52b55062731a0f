"""The classes of a Dataset are those that torchvision's own ImageFolder, or the Dataset by its definition, gives."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from torchvision import datasets

from layerscope.core.errors import UsageError
from layerscope.core.records import Input
from layerscope.sources import open_source

INPUT = Input(height=8, width=8)


class Hub:
    """Items and features as a data set of the Hugging Face Hub has them."""

    class Names:
        names = ("dog", "cat")

    def __init__(self):
        self.features = {"img": None, "fine_label": self.Names()}

    def __len__(self):
        return 3

    def __getitem__(self, key):
        if isinstance(key, str):
            return [n % 2 for n in range(3)]
        return {"img": Image.new("RGB", (8, 8), (key, 0, 0)), "fine_label": key % 2}


class Wrapper(Dataset):
    """Passes the items of another Dataset on, the last first, and says nothing of classes."""

    def __init__(self, inner):
        self.inner = inner

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, number):
        return self.inner[len(self.inner) - 1 - number]


@pytest.fixture
def tree(tmp_path, draw):
    for number, name in enumerate(("bee/0.png", "bee/1.png", "ant/2.png", "ant/3.png", "ant/4.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        draw(number).save(tmp_path / name)
    return datasets.ImageFolder(tmp_path)


def labels_of(source):
    return [source.label(id) for id in range(len(source))]


def given(dataset, names):
    return [names[dataset[id][1]] for id in range(len(dataset))]


def test_parts_and_joins_keep_their_labels(tree):
    """Subset, random_split, ConcatDataset, and these inside each other: labels are listed, no item is read."""
    split = random_split(tree, [3, 2], generator=torch.Generator().manual_seed(0))[0]
    for part in (Subset(tree, [4, 0]), split, Subset(Subset(tree, [4, 2, 0]), [2, 0]), ConcatDataset([tree, split])):
        source = open_source(part)
        assert source.labelling() == given(part, tree.classes)
        assert source.label_names == ("ant", "bee") and source.remarks(INPUT) == ()


def test_joined_datasets_with_other_classes_are_told_by_name(tmp_path, tree, draw):
    """A number means another class in each."""
    (tmp_path / "more/wasp").mkdir(parents=True)
    draw(9).save(tmp_path / "more/wasp/9.png")
    joined = open_source(ConcatDataset([tree, datasets.ImageFolder(tmp_path / "more")]))
    assert joined.labelling() == ["ant", "ant", "ant", "bee", "bee", "wasp"]


def test_a_wrapper_has_the_names_of_what_it_holds_and_its_items_tell_the_rest(tree):
    """The order of a wrapper's items is its own."""
    source = open_source(Wrapper(tree))
    assert labels_of(source) == ["bee", "bee", "ant", "ant", "ant"] and source.label_names == ("ant", "bee")
    assert [record.label for record in source.load(range(5), INPUT).records] == labels_of(source)


def test_numbers_are_names_where_there_are_no_others():
    """A TensorDataset, a list of pairs, a Dataset that only counts its classes."""
    pixels = torch.zeros(3, 3, 8, 8)
    assert open_source(TensorDataset(pixels, torch.tensor([7, 5, 7]))).labelling() == ["7", "5", "7"]
    assert open_source([(Image.new("RGB", (4, 4)), 3), (Image.new("RGB", (4, 4)), "cat")]).labelling() == ["3", "cat"]
    fake = datasets.FakeData(5, (3, 8, 8), 4)
    source = open_source(fake)
    assert source.label_names == ("0", "1", "2", "3") and labels_of(source) == [
        str(int(fake[id][1])) for id in range(5)
    ]


def test_dicts_and_features_of_the_hub_are_read():
    """The picture and the label by their keys, the names from the features."""
    source = open_source(Hub())
    assert source.labelling() == ["dog", "cat", "dog"] and len(source.load(range(3), INPUT).ids) == 3
    plain = open_source([{"pixel_values": np.zeros((4, 4, 3), np.uint8), "label": "x"}])
    assert plain.labelling() == ["x"] and len(plain.load([0], INPUT).ids) == 1


def test_a_list_that_disagrees_with_the_items_is_said(tree):
    """As of a target_transform; the list counts, as it always did."""
    tree.target_transform = lambda number: 1 - number
    source = open_source(tree)
    assert source.labelling() == ["ant", "ant", "ant", "bee", "bee"]
    assert source.remarks(INPUT) == ('the Dataset lists item 0 as "ant", and the item says "bee": the list counts',)


def test_what_cannot_be_asked_is_not_listed():
    """A property that fails, a column that a transform leaves out: the items are read all the same."""

    class Odd(Hub):
        @property
        def targets(self):
            raise RuntimeError("download me first")

        def __getitem__(self, key):
            if isinstance(key, str):
                raise KeyError(key)
            return {"img": super().__getitem__(key)["img"]}

    source = open_source(Odd())
    assert source.labelling() == [None] * 3 and len(source.load(range(3), INPUT).ids) == 3


def test_a_length_that_cannot_be_told_is_one_sentence():
    """As of a Dataset that leaves it to others."""

    class Long(Hub):
        def __len__(self):
            raise NotImplementedError("how long?")

    with pytest.raises(UsageError, match=r"Long cannot be used: their number is not told \(how long\?\)"):
        open_source(Long())


def test_numbers_that_are_no_classes_are_none():
    """A target of a regression, or of several numbers, is no class."""
    pixels = torch.zeros(3, 3, 8, 8)
    for targets in (torch.rand(3), torch.zeros(3, 4), torch.arange(3).float()):
        source = open_source(TensorDataset(pixels, targets))
        assert source.labelling() == [None] * 3 and source.label_names == ()
        assert source.remarks(INPUT) == ()


def test_labels_that_are_seen_and_not_used_are_said(tmp_path):
    """Where nothing lists the classes; a labels file is the answer."""

    class Bare(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, number):
            return Image.new("RGB", (8, 8), (number, 0, 0)), number

    (remark,) = open_source(Bare()).remarks(INPUT)
    assert remark.startswith("items have labels, such as 0, that are not used")
    (tmp_path / "labels.csv").write_text("0,a\n1,b\n")
    assert open_source(Bare(), labels=tmp_path / "labels.csv").remarks(INPUT) == ()
    Bare.classes = ("only",)
    assert "the label of item 1, 1, is none of the 1 classes" in open_source(Bare()).remarks(INPUT)[0]
