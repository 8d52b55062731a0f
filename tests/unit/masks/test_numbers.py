"""Masks of numbers: the file's numbers, whatever the depth and the palette, and nothing else."""

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import ImageError, UsageError
from layerscope.masks.names import names_in
from layerscope.masks.numbers import by_number, indices, plane_of
from layerscope.masks.planes import MaskConcept
from tests.helpers.masks import png

NUMBERS = np.array([[0, 1, 2, 3, 1], [3, 2, 1, 0, 2]])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("kind", [0, 3])
def test_numbers_of_every_depth(tmp_path, bits, kind):
    """Gray is not stretched to 255, and of a palette the places are taken, not the colours."""
    if kind == 3 and bits == 16:
        return  # PNG has none
    numbers = NUMBERS % 2**bits
    palette = bytes(7 * n % 256 for n in range(3 * 2**bits)) if kind else b""
    (tmp_path / "a.png").write_bytes(png(numbers, bits, kind, palette))
    np.testing.assert_array_equal(indices(tmp_path / "a.png"), numbers)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: Image.new("RGB", (4, 4)).save(path, "PNG"), "has several channels"),
        (lambda path: Image.new("LA", (4, 4)).save(path, "PNG"), "has several channels"),
        (lambda path: Image.new("L", (4, 4)).save(path, "JPEG"), "is no PNG file"),
        (lambda path: path.write_bytes(b""), "is no PNG file"),
        (lambda path: path.write_bytes(png(NUMBERS, 8)[:45]), "cannot be read"),
        (lambda path: None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, make, said):
    """Colours, what loses numbers, and broken files: one sentence with the path."""
    make(tmp_path / "a.png")
    with pytest.raises(ImageError, match=rf"a\.png.*{said}"):
        indices(tmp_path / "a.png")


def test_a_number_without_a_name_is_refused(tmp_path):
    """Below, between and beyond the numbers that are named; an empty name, and 0, are unlabelled."""
    concepts = by_number([(1, 0), (3, 1), (4, -1)])
    assert concepts.tolist() == [-1, 0, -2, 1, -1]
    assert plane_of(tmp_path, np.array([[0, 1, 3, 4]]), concepts, "it").concepts is concepts
    for number in (2, 5, 255, 65535):
        with pytest.raises(ImageError, match=f"holds the number {number}, which names.csv does not name"):
            plane_of(tmp_path / "a.png", np.array([[0, number]], np.uint16), concepts, "names.csv")


@pytest.mark.parametrize(
    ("text", "concepts", "named"),
    [
        ("1,cat\n2,dog\n", ["cat", "dog"], [(1, 0), (2, 1)]),
        ("number,name\n7,cat\n255,\n", ["cat"], [(7, 0), (255, -1)]),
        ("name;id\ntraffic light;3\ncat;0\n", ["traffic light", "cat"], [(3, 0), (0, 1)]),
        ("number,name,category\n1,cat,animal\n2,sky,\n", ["cat", "sky"], [(1, 0), (2, 1)]),
        ("Idx\tRatio\tTrain\tStuff\tName\n1\t0.16\t11\t1\twall\n2\t0.1\t1\t0\tbed, cot\n", ["wall", "bed, cot"],
         [(1, 0), (2, 1)]),
    ],
)  # fmt: skip
def test_tables_of_names(tmp_path, text, concepts, named):
    """With and without a heading, categories, and ADE20K's own."""
    (tmp_path / "names.txt").write_text(text)
    found, numbers = names_in(tmp_path / "names.txt")
    assert ([concept.name for concept in found], numbers) == (concepts, named)
    wanted = ["animal", ""] if "animal" in text else ["stuff", "thing"] if "Stuff" in text else [""] * len(concepts)
    assert [concept.category for concept in found] == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no line; each should read: number, name"),
        ("cat,dog\n", 'line 1: expected "number, name"'),
        ("number,name\n", "names no number"),
        ("number,name\n1,cat\n1,dog\n", "line 3: the number 1 has a name already"),
        ("number,name\n1,cat\n2,cat\n", 'names two concepts "cat"'),
        ("number,name\n-1,cat\n", 'line 2: expected a number from 0 to 65535, got "-1"'),
        ("number,name\n70000,cat\n", "line 2: expected a number from 0 to 65535"),
        ("1,cat\n2,person, man\n", "line 2: expected two fields, number and name, got 3"),
        ("{}", "is JSON; write it as a table with lines of number, name"),
    ],
)
def test_what_is_no_table_of_names(tmp_path, text, said):
    """One sentence with the line."""
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        names_in(tmp_path / "names.csv")


def test_a_concept_of_photographs_has_no_level():
    """Levels are of the drawn world."""
    assert MaskConcept(name="cat").level is None
