"""Pictures and masks in folders: which go together, how they lie on each other, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.mask_forms import MASK_FORMS, form_of
from layerscope.core.records import Placement
from layerscope.dissect.grid import EvaluationGrid, masks_on, numbers_on
from layerscope.masks.opening import open_broden, open_folders
from layerscope.sources import Source

ROWS, COLS = 20, 30


def picture(path, orientation=1, size=(COLS, ROWS)):
    """A stored picture with an EXIF orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), np.uint8)).save(path, exif=exif)


def mask(path, numbers):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(numbers, np.uint8)).save(path)


def corner(rows=ROWS, cols=COLS) -> np.ndarray:
    """Numbers that are the same in no other orientation: 1 in an upper left corner, 2 beside it."""
    numbers = np.zeros((rows, cols), np.uint8)
    numbers[:5, :9], numbers[:5, 9:12] = 1, 2
    return numbers


def folders(tmp_path, name="a", orientation=1, numbers=None, table="1,cat\n2,dog\n", ending="jpg"):
    picture(tmp_path / "images" / f"{name}.{ending}", orientation)
    mask(tmp_path / "masks" / f"{name}.png", corner() if numbers is None else numbers)
    (tmp_path / "names.csv").write_text(table)
    return tmp_path


@pytest.mark.parametrize("orientation", range(5, 9))
@pytest.mark.parametrize("drawn", ["as stored", "upright"])
def test_masks_of_turned_pictures(tmp_path, orientation, drawn):
    """Masks of the stored picture are turned along, as Pillow turns it; those of the upright one are not."""
    stored = Image.fromarray(corner())
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    stored.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(stored))
    assert upright.shape == (COLS, ROWS)
    found = open_folders(folders(tmp_path, "a", orientation, corner() if drawn == "as stored" else upright), None, None)
    (plane,) = found.planes(0)
    np.testing.assert_array_equal(plane.numbers, upright)
    assert found.source.read(0)[1].size == (ROWS, COLS)


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_where_sizes_cannot_tell_the_picture_is_left_out(tmp_path, orientation):
    """Half turns and mirrors change no size; that is told, and alone it is refused."""
    folders(tmp_path, "a")
    found = open_folders(folders(tmp_path, "b", orientation), None, None)
    assert [identity for identity, _ in found.source.listing()] == ["a.jpg"]
    assert "1 picture left out, b.jpg the first: turned by EXIF" in found.said[0]
    (tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(ImageError, match=r"no picture of .* can be used: 1 picture left out, b\.jpg"):
        open_folders(tmp_path, None, None)


def test_pairs_and_what_is_alone(tmp_path):
    """Below folders too, by name without the ending; what has no partner is told; `--images` takes the first."""
    folders(tmp_path, "val/a"), folders(tmp_path, "val/b", ending="png"), folders(tmp_path, "c")
    (tmp_path / "masks" / "c.png").unlink()
    (tmp_path / "masks" / "val" / "b.png").rename(tmp_path / "masks" / "val" / "b.PNG")
    mask(tmp_path / "masks" / "d.png", corner())
    found = open_folders(tmp_path, None, None)
    assert [entry.path for entry in found.source.entries] == [f"{tmp_path}/images/val/{n}" for n in ("a.jpg", "b.png")]
    assert found.said == (
        "1 picture left out, without a mask; c.jpg the first",
        "1 mask in masks/ left out, without a picture",
    )
    assert len(open_folders(tmp_path, None, 1).source) == 1
    picture(tmp_path / "images" / "val" / "a.bmp")
    with pytest.raises(ImageError, match="would have one mask"):
        open_folders(tmp_path, None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: mask(p / "masks" / "a.png", corner(ROWS - 1)), "are of a picture of 19 x 30 px, and it has 20 x 30"),
        (lambda p: mask(p / "masks" / "a.png", corner() * 9), "holds the number 9, which names.csv does not name"),
        (lambda p: (p / "masks" / "a.png").rename(p / "masks" / "b.png"), "no picture in .* has a mask of its name"),
        (lambda p: Image.new("RGB", (COLS, ROWS)).save(p / "masks" / "a.png"), "has several channels"),
        (lambda p: (p / "images" / "a.jpg").write_bytes(b"no picture"), "no image can be read|holds no"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, change, said):
    """One sentence, at the start."""
    change(folders(tmp_path))
    with pytest.raises(LayerscopeError, match=said) as failure:
        open_folders(tmp_path, None, None)
    assert "\n" not in str(failure.value)


def test_what_is_of_no_form_is_refused_with_the_forms(tmp_path):
    """A path that is not there, an empty folder, a picture: the sentence lists what masks may be."""
    (tmp_path / "a.png").write_bytes(b"")
    for place, said in (("x", "do not exist"), (".", "are of no known form"), ("a.png", "are of no known form")):
        with pytest.raises(UsageError, match=said) as failure:
            form_of(tmp_path / place)
        assert all(form.form in str(failure.value) for form in MASK_FORMS)


def test_no_form_takes_what_another_means(tmp_path):
    """Every form claims its own sample, and the first that does is the one meant."""
    assert form_of(folders(tmp_path)).name == "folders"
    (tmp_path / "names.csv").rename(tmp_path / "objectInfo150.txt")
    assert form_of(tmp_path).name == "ade20k"
    (tmp_path / "index.csv").write_text(""), (tmp_path / "label.csv").write_text("")
    assert form_of(tmp_path).name == "broden"
    (tmp_path / "concepts.json").write_text("{}")
    assert form_of(tmp_path).name == "world"


def test_planes_of_the_pictures_size_lie_as_masks_do():
    """Number by number the same px, cut and beyond the picture; of one px they lie over all of it, and nowhere else."""
    grid, numbers = EvaluationGrid(height=40, width=24), corner()
    placement = Placement(row_scale=0.7, col_scale=0.7, top=-3.0, left=5.0, height=ROWS, width=COLS)
    expected = masks_on(grid, np.stack([numbers == number for number in range(3)]), placement)
    found = numbers_on(grid, numbers, placement)
    for number in range(3):
        np.testing.assert_array_equal(found == number, expected[number])
    assert ((found == -1) == ~expected.any(0)).all() and (found == -1).any()
    whole = numbers_on(grid, np.array([[7]]), placement)
    np.testing.assert_array_equal(whole == 7, expected.any(0))
    twice = numbers_on(grid, numbers.repeat(2, 0).repeat(2, 1), placement)
    np.testing.assert_array_equal(twice, found)


def broden(tmp_path, line="a.png,train,20,30,5,5,m.png,7", labels="1,cat,object(1)\n7,red,texture(2);object(1)\n"):
    picture(tmp_path / "images" / "a.png")
    rgb = np.zeros((5, 5, 3), np.uint8)
    rgb[0, 0, 0], rgb[4] = 1, (7, 0, 0)
    Image.fromarray(rgb).save(tmp_path / "images" / "m.png")
    (tmp_path / "index.csv").write_text(f"image,split,ih,iw,sh,sw,object,texture\n{line}\n")
    (tmp_path / "label.csv").write_text(f"number,name,category\n0,-,\n{labels}")
    return tmp_path


def test_a_label_of_two_categories_is_two_concepts(tmp_path):
    """ "red" is told by a mask of objects, and of the whole picture as a texture."""
    found = open_broden(broden(tmp_path), None, None)
    assert isinstance(found.source, Source)
    assert [(c.name, c.category) for c in found.concepts] == [("cat", "object"), ("red", "texture"), ("red", "object")]
    objects, texture = found.planes(0)
    assert (objects.concepts[objects.numbers] == 2).sum() == 5 and objects.concepts[objects.numbers[0, 0]] == 0
    assert texture.numbers.shape == (1, 1) and texture.concepts[texture.numbers[0, 0]] == 1
    assert found.sets.tolist() == [0, 1, 0] and found.known(0).tolist() == [True, True]


@pytest.mark.parametrize(
    ("line", "labels", "said"),
    [
        ("a.png,train,20,30,6,5,m.png,7", None, r"is \[5, 5\] px; its line says \[6, 5\]"),
        ("a.png,train,21,30,5,5,m.png,7", None, "are of a picture of 21 x 30 px, and it has 20 x 30"),
        ("a.png,train,x,30,5,5,m.png,7", None, 'line 2: expected a number of px in "ih", got "x"'),
        ("a.png,train,20,30,5,5", None, "line 2: it has not as many fields"),
        ("a.png,train,20,30,5,5,m.png,7,8", None, "line 2: it has not as many fields"),
        ("a.png,train,20,30,5,5,lost.png,7", None, "lost.png.*cannot be read"),
        ("a.png,train,20,30,5,5,a.png,7", None, "has blue in it"),
        ("a.png,train,20,30,5,5,m.png,8", None, 'holds the number 8, which label.csv, as "texture", does not name'),
        ("a.png,train,20,30,5,5,m.png,1", None, 'holds the number 1, which label.csv, as "texture", does not name'),
        ("b.png,train,20,30,5,5,m.png,1", None, "no picture of .* is there with masks"),
        ("a.png,train,20,30,5,5,,", None, "no picture of .* is there with masks"),
        (None, "x,cat,object\n", "line 3: expected a number below 65536 of its own"),
        (None, "1,cat,object\n1,dog,object\n", "line 4: expected a number below 65536 of its own"),
        (None, "1,cat,color\n", "lists no label of the categories object, texture"),
        (None, "1,cat,object\n2,cat,object\n", 'names two concepts of the category "object" "cat"'),
    ],
)
def test_what_is_wrong_in_broden(tmp_path, line, labels, said):
    """One sentence that names the file and the line."""
    given = {key: value for key, value in (("line", line), ("labels", labels)) if value is not None}
    with pytest.raises(LayerscopeError, match=said):
        open_broden(broden(tmp_path, **given), None, None)


def test_every_form_is_documented():
    """A row each in the page's table, in the order in which they are tried, and no others."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "names-from-masks.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [form.name for form in MASK_FORMS]
