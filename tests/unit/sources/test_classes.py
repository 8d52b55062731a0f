"""Which class an image has is told by hand for each tree of folders, as its publisher means it."""

import pytest

from layerscope.core.records import Input
from layerscope.sources import open_source
from layerscope.sources.classes import classes_of

INPUT = Input(height=8, width=8)


def classes_found(*places):
    classes, said = classes_of([tuple(place.split("/")) if place else () for place in places])
    return dict(zip(places, classes, strict=True)), said


@pytest.mark.parametrize(
    "classes",
    [
        {"cat": "cat", "dog": "dog", "": None},
        {"train/cat": "cat", "train/dog": "dog", "val/cat": "cat", "val/dog": "dog"},
        {"pets/cat": "cat", "vehicles/bus": "bus", "vehicles/train": "train"},
        {"train/train": "train", "train/bus": "bus", "test/train": "train"},
        {"train": "train", "val": "val"},
        {"cat/train": "cat", "cat/test": "cat", "dog/train": "dog", "dog/test": "dog"},
        {"a": "a", "b": "b", "b/deep": "deep"},
        {"2019/04/cat": "cat", "2019/05/dog": "dog"},
    ],
    ids=["folders", "sets", "train is a class", "train in train", "sets alone", "sets below", "nested", "dates"],
)
def test_the_last_folder_is_the_class_where_that_tells_apart(classes):
    """Sets are looked through, wherever they stand; nothing needs to be said."""
    assert classes_found(*classes) == (classes, [])


@pytest.mark.parametrize(
    "classes",
    [
        {"n01443537/images": "n01443537", "n01629819/images": "n01629819"},
        {"train/n01/images": "n01", "train/n02/images": "n02", "val/images": None},
        {"cat/2x/rgb": "cat", "dog/2x/rgb": "dog"},
        {"a/abbey": "abbey", "a/apartment/outdoor": "apartment/outdoor", "l/library/outdoor": "library/outdoor"},
        {"data/a/arch": "arch", "data/l/library/indoor": "library/indoor", "data/c/church/indoor": "church/indoor"},
        {"beach": "beach", "apartment/outdoor": "apartment/outdoor", "library/outdoor": "library/outdoor"},
    ],
    ids=["Tiny ImageNet", "Tiny ImageNet whole", "two in a row", "Places365", "Places365 below data", "several depths"],
)
def test_a_last_folder_that_tells_nothing_is_taken_with_what_stands_above(classes):
    """And how the classes were told is said."""
    found, said = classes_found(*classes)
    assert found == classes and said


@pytest.mark.parametrize(
    "places, name",
    [
        (["10253/0", "10253/1", "10254/0", "10254/1"], "1"),
        (["p1/tumor", "p2/tumor", "p3/normal"], "tumor"),
        (["amazon/images/bag", "amazon/images/cup", "dslr/images/bag", "dslr/images/cup"], "cup"),
    ],
)
def test_a_class_of_several_folders_stays_one_and_is_said(places, name):
    """A grid of patients, sites or years by class: the last folder is the class, as ever, and it may be wrong."""
    found, said = classes_found(*places)
    assert found == {place: place.rpartition("/")[2] for place in places}
    assert len(said) == 1 and said[0].startswith(f'class "{name}" joins 2 folders')


def test_one_class_for_all_folders_is_said():
    """As where train/images and val/images hold the pictures and nothing else tells a class."""
    found, (said,) = classes_found("train/images", "val/images")
    assert set(found.values()) == {"images"} and "all images get one class" in said


def test_members_of_archives_and_files_are_classed_alike(tmp_path, pack, draw, encode):
    """A tree in a tar has the classes of the tree, and a labels file replaces them and what is said of them."""
    names = {"n01/images/0.png": "n01", "n02/images/1.png": "n02"}
    for number, name in enumerate(names):
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        (tmp_path / "tree" / name).write_bytes(encode(draw(number)))
    archive = pack(tmp_path / "tree.tar", {name: (tmp_path / "tree" / name).read_bytes() for name in names})
    for source in (open_source(tmp_path / "tree"), open_source(f"{tmp_path}/tree/*/*/*"), open_source(archive)):
        assert [source.label(0), source.label(1)] == list(names.values())
        assert "n01, n02" in source.remarks(INPUT)[0]
    (tmp_path / "labels.csv").write_text("0.png,cat\n1.png,dog\n")
    labelled = open_source(tmp_path / "tree", labels=tmp_path / "labels.csv")
    assert labelled.label_names == ("cat", "dog") and labelled.remarks(INPUT) == ()
