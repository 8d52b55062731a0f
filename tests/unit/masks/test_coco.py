"""COCO instances: where pictures lie, how masks lie on them, what is told, and what is refused before anything slow."""

import json

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import ImageError, LayerscopeError
from layerscope.core.mask_forms import form_of
from layerscope.masks import MaskConcept
from layerscope.masks.opening import open_coco

ROWS, COLS = 20, 30
SQUARE = [[2, 3, 10, 3, 10, 8, 2, 8]]


def document() -> dict:
    """Two pictures, of which the second has no annotation, and three categories, of which one is never annotated."""
    return {
        "images": [{"id": 5, "file_name": "a.jpg", "height": ROWS, "width": COLS},
                   {"id": 2, "file_name": "sub/b.png", "height": ROWS, "width": COLS}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 18, "segmentation": SQUARE, "iscrowd": 0}],
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 3, "name": "car"},
                       {"id": 90, "name": "scie à ruban", "supercategory": "outil"}],
    }  # fmt: skip


def write(folder, changed=lambda found: None, images="images", name="instances_val.json"):
    """The document as a file, with its pictures in a folder beside it."""
    found = document()
    changed(found)
    for place in (folder / images, folder / images / "sub"):
        place.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (COLS, ROWS), "red").save(folder / images / "a.jpg")
    Image.new("RGB", (COLS, ROWS), "blue").save(folder / images / "sub" / "b.png")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return folder / name


def masks_of(found, image) -> np.ndarray:
    """All masks of a picture, bool[concepts, h, w]."""
    masks = np.zeros((len(found.concepts), ROWS, COLS), bool)
    for plane in found.planes(image):
        for number in np.unique(plane.numbers):
            if plane.concepts[number] >= 0:
                masks[plane.concepts[number]] |= plane.numbers == number
    return masks


def test_concepts_pictures_and_masks(tmp_path):
    """In the file's order; categories come with their supercategory, those without annotations too."""
    found = open_coco(write(tmp_path), None, None)
    names = [("dog", "animal"), ("car", ""), ("scie à ruban", "outil")]
    assert list(found.concepts) == [MaskConcept(name=name, category=category) for name, category in names]
    assert [identity for identity, _ in found.source.listing()] == ["a.jpg", "sub/b.png"]
    assert found.source.name == "instances_val.json (2 images)" and found.said == ()
    expected = np.zeros((3, ROWS, COLS), bool)
    expected[0, 3:8, 2:10] = True
    np.testing.assert_array_equal(masks_of(found, 0), expected)
    assert not masks_of(found, 1).any() and list(found.planes(1)) == []


@pytest.mark.parametrize(
    ("images", "name", "given"),
    [
        ("images", "instances_val.json", "instances_val.json"),
        ("val2017", "annotations/instances_val2017.json", "annotations/instances_val2017.json"),
        ("images/val2017", "annotations/instances_val2017.json", "."),
        (".", "_annotations.coco.json", "."),
    ],
)
def test_where_pictures_are_looked_for(tmp_path, images, name, given):
    """COCO's own tree, one folder beside the file, the pictures beside it; a folder with one file means the file."""
    write(tmp_path, images=images, name=name)
    form = form_of(tmp_path / given)
    assert form.name == "coco" and len(form.open(tmp_path / given, None, None).source) == 2


def test_pictures_elsewhere(tmp_path):
    """In the folder that is named, and nowhere else."""
    file = write(tmp_path / "one", images="../two")
    assert len(open_coco(file, tmp_path / "two", None).source) == 2
    with pytest.raises(ImageError, match=r'"a.jpg" the first, lies in .*give their folder as --data'):
        open_coco(file, None, None)


def test_crowds_count_as_their_category(tmp_path):
    """They show it; how many there are is told."""

    def crowd(found):
        runs = {"size": [ROWS, COLS], "counts": [0, ROWS, ROWS * (COLS - 1)]}
        found["annotations"].append({"id": 2, "image_id": 5, "category_id": 3, "segmentation": runs, "iscrowd": 1})

    found = open_coco(write(tmp_path, crowd), None, None)
    assert masks_of(found, 0)[1].sum() == masks_of(found, 0)[1][:, 0].sum() == ROWS
    assert found.said == ("1 region of crowds, taken as the category's own",)


def test_what_is_left_out_is_told(tmp_path):
    """Pictures that are not there, and annotations of pictures that are not listed; `--images` takes the first."""

    def changed(found):
        found["images"].insert(0, {"id": 9, "file_name": "lost.jpg", "height": 5, "width": 5})
        found["annotations"] += [
            {**found["annotations"][0], "image_id": 9},
            {**found["annotations"][0], "image_id": 77},
        ]

    found = open_coco(write(tmp_path, changed), None, 1)
    assert len(found.source) == 1 and masks_of(found, 0)[0].sum() == 40
    assert found.said[0] == "1 annotation of pictures that are not listed"
    assert found.said[1].startswith("1 picture left out, not in") and "lost.jpg the first" in found.said[1]


def _with(**values):
    def changed(found):
        found["annotations"][0].update(values)

    return changed


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda found: found.pop("images"), "lists no images; expected a COCO instances file"),
        (lambda found: found.pop("categories"), "lists no categories"),
        (lambda found: found.update(annotations=[]), "lists no annotations"),
        (lambda found: found.update(annotations=[3]), 'an entry of "annotations" is no object'),
        (lambda found: found["images"][0].pop("file_name"), "has no file_name"),
        (lambda found: found["images"][0].update(height=0), "has no height that is a whole number above zero"),
        (lambda found: found["images"][0].update(id="x"), "has no id that is a whole number"),
        (lambda found: found["images"][1].update(id=5), "has the id 5 of another one"),
        (lambda found: found["categories"][1].update(id=18), "has the id 18 of another one"),
        (lambda found: found["categories"][1].update(name=" "), "has no name"),
        (
            lambda found: found["categories"][1].update(name="dog", supercategory="animal"),
            'the category "animal" "dog"',
        ),
        (lambda found: found["images"][0].update(height=99), "are of a picture of 99 x 30 px, and it has 20 x 30"),
        (_with(category_id=4), "has the category 4, which is not listed"),
        (_with(segmentation=None), "annotation 1: it has no segmentation"),
        (_with(segmentation=[]), "annotation 1: it has no segmentation"),
        (_with(segmentation=[[1, 2, 3, 4]]), "annotation 1: a polygon of 4 numbers; it takes three corners"),
        (_with(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "a polygon of 7 numbers"),
        (_with(segmentation=[[1, 2, 3, 4, 5, "6"]]), "no list of polygons"),
        (_with(segmentation=[1, 2, 3, 4, 5, 6]), "no list of polygons"),
        (_with(segmentation=[[1, 2, 3, 4, 5, float("nan")]]), "far outside"),
        (_with(segmentation=[[1, 2, 3, 4, 5, -1e9]]), "far outside"),
        (_with(segmentation=[[1, 2, 3, 4, 5, 10**400]]), "far outside"),
        (_with(segmentation={"counts": "231"}), "no counts and size"),
        (_with(segmentation={"counts": "231", "size": [2, 3]}), r"runs of \[2, 3\] px over a picture of \[20, 30\]"),
        (_with(segmentation={"counts": [1, 2], "size": [ROWS, COLS]}), "its runs hold 3 px"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, changed, said):
    """One sentence that names the file and the entry."""
    with pytest.raises(LayerscopeError, match=said) as failure:
        open_coco(write(tmp_path, changed), None, None)
    assert "\n" not in str(failure.value)


def test_two_files_in_a_folder_are_not_chosen_from(tmp_path):
    """One of them is to be named."""
    write(tmp_path)
    write(tmp_path, name="instances_train.json")
    with pytest.raises(LayerscopeError, match="holds 2 COCO files"):
        open_coco(tmp_path, None, None)


def test_a_file_that_changes_meanwhile_is_told(tmp_path):
    """Its places are no longer those of the annotations."""
    found = open_coco(write(tmp_path), None, None)
    (tmp_path / "instances_val.json").write_text("{}")
    with pytest.raises(ImageError, match="has changed since it was opened"):
        list(found.planes(0))
