"""Data as people have them: tar files, folders for training and validation, one folder, Tiny ImageNet as published."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.training import data as room
from layerscope.training.data import open_data, open_validation
from layerscope.training.recipe import recipe_of
from layerscope.training.train import _task
from tests.helpers.training import CLASSES, EACH, drawn


def tarred(folder: Path, name: str, labels: str) -> None:
    """A .tar file of one picture for each label, its class in KEY.cls."""
    with tarfile.open(folder / name, "w") as archive:
        for number, label in enumerate(labels):
            picture = io.BytesIO()
            Image.new("RGB", (4, 4), (number, 0, 0)).save(picture, "PNG")
            for suffix, data in ((".png", picture.getvalue()), (".cls", label.encode())):
                member = tarfile.TarInfo(f"{name[:-4]}-{number}{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def labels_of(part) -> list[str | None]:
    return [part.source.label(int(id)) for id in part.ids]


def test_tar_files_are_told_by_their_names(tmp_path):
    """train*.tar to train on, val*.tar to validate with; evaluation takes the latter."""
    tarred(tmp_path, "train-0000.tar", "012")
    tarred(tmp_path, "train-0001.tar", "00")
    tarred(tmp_path, "val-0000.tar", "21")
    data = open_data(str(tmp_path))
    assert labels_of(data.train) == list("01200") and labels_of(data.validate) == list("21")
    assert data.name == tmp_path.name and "in the same folder" in data.how
    assert open_validation(tmp_path).labelling() == ["2", "1"]
    assert open_validation(tmp_path / "train-0001.tar").labelling() == ["0", "0"]
    assert open_validation(tmp_path, limit=1).labelling() == ["2"]


def test_folders_are_told_by_their_names(tmp_path):
    """train/ and val/, each with a folder for every class; other pictures to validate with overrule val/."""
    drawn(tmp_path / "train", each=2)
    drawn(tmp_path / "val", each=1)
    data = open_data(tmp_path)
    assert labels_of(data.train) == [name for name in CLASSES for _ in range(2)]
    assert labels_of(data.validate) == list(CLASSES)
    other = open_data(tmp_path, drawn(tmp_path / "other", each=3))
    assert len(other.validate.ids) == 9 and other.how.startswith("validated on other/")


class Place:
    """A path of a class that is not pathlib's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_any_path_object_names_a_folder(tmp_path):
    """A path is what it names, whatever its class: the pictures to validate with are those of val/."""
    drawn(tmp_path / "train", each=2)
    drawn(tmp_path / "val", each=1)
    assert labels_of(open_data(Place(tmp_path)).validate) == list(CLASSES)


def test_a_table_beside_data_in_the_home_folder_is_found(tmp_path, monkeypatch):
    """Classes given as numbers are spelled by classes.tsv, also where the data are named with "~"."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "classes.tsv").write_text("index\twnid\tname\n0\tn00000010\tcat\n1\tn00000007\tant\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    task = _task("worldnet", ("0", "1"), "~/data", recipe_of("worldnet", "default"), bf16=False)
    assert task.notes["classes"] == "n00000010\nn00000007"


def test_of_one_folder_a_part_is_held_out(pictures):
    """5 %, at least one of every class; seeded, apart from what is trained on, and said."""
    first, again, other = (open_data(pictures, seed=seed) for seed in (0, 0, 1))
    assert labels_of(first.validate) == list(CLASSES)
    assert sorted([*first.train.ids, *first.validate.ids]) == list(range(3 * EACH))
    assert np.array_equal(first.validate.ids, again.validate.ids)
    assert not np.array_equal(first.validate.ids, other.validate.ids)
    assert first.how == "3 of the 24 pictures are held out for validation, drawn with seed 0"


def test_where_nothing_can_be_held_out_a_sentence_says_so(tmp_path):
    """One picture of each class."""
    with pytest.raises(ImageError, match="one picture of each class: none can be held out; give --validate SRC"):
        open_data(drawn(tmp_path / "few", each=1))


def test_tiny_imagenet_as_published(tmp_path, pictures):
    """train/CLASS/images/FILE; val/images/FILE with their classes in a table."""
    for name in CLASSES:
        shutil.copytree(pictures / name, tmp_path / "train" / name / "images")
    (tmp_path / "val" / "images").mkdir(parents=True)
    for place, name in enumerate(CLASSES):
        shutil.copy(pictures / name / "0.png", tmp_path / "val" / "images" / f"val_{place}.png")
    rows = (f"val_{place}.png\t{name}\t0\t0\t9\t9\n" for place, name in enumerate(CLASSES))
    (tmp_path / "val" / "val_annotations.txt").write_text("".join(rows))
    data = open_data(tmp_path)
    assert labels_of(data.train) == [name for name in CLASSES for _ in range(EACH)]
    found = {data.validate.source.listing()[id][0]: data.validate.source.label(id) for id in range(3)}
    assert found == {f"images/val_{place}.png": name for place, name in enumerate(CLASSES)}


def test_a_written_world_is_its_images(tmp_path):
    """Not the masks beside them."""
    drawn(tmp_path / "images", each=1)
    (tmp_path / "masks").mkdir()
    for name in ("concepts.json", "masks/000.npz"):
        (tmp_path / name).write_text("{}")
    assert open_validation(tmp_path).labelling() == list(CLASSES)


def test_the_world_needs_no_files(monkeypatch):
    """Pictures of one seed to train on, of another to validate with; evaluation takes the latter."""
    monkeypatch.setattr(room, "WORLD_TO_TRAIN", (40, 1))
    monkeypatch.setattr(room, "WORLD_TO_VALIDATE", (20, 2))
    data = open_data("world")
    assert (len(data.train.ids), len(data.validate.ids)) == (40, 20)
    expects = Input(height=64, width=64)
    first, other = (part.source.load([0], expects).pixels for part in (data.train, data.validate))
    assert not np.array_equal(first, other)
    assert np.array_equal(other, open_validation("world", limit=3).load([0], expects).pixels)


def test_a_wrong_folder_is_a_sentence(tmp_path):
    """Missing, empty, or without pictures."""
    with pytest.raises(ImageError, match="do not exist"):
        open_data(str(tmp_path / "gone"))
    with pytest.raises(ImageError, match="holds no files"):
        open_data(tmp_path)
