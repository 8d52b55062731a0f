"""Columns and folders make a tree of labels; what is no tree is refused with the line."""

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.core.labels import LabelTree
from layerscope.sources import flat_tree, open_source, require_labels, tree_of

FILES = ("animal/cat/a.png", "animal/cat/b.png", "animal/dog/c.png", "thing/cup/d.png", "thing/cup/e.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(FILES):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 20 * number, np.uint8)).save(made / name)
    return made


def ways(tree: LabelTree | None) -> list[list[str]]:
    """Of each image its labels from the lowest up."""
    assert tree is not None
    found = []
    for label in tree.deepest.tolist():
        way = []
        while label >= 0:
            way.append(tree.names[label])
            label = tree.parents[label]
        found.append(way)
    return found


def of_table(folder, text: str):
    file = folder.parent / "table.csv"
    file.write_text(text)
    return tree_of(open_source(folder), file)


def test_nested_folders_are_a_hierarchy(folder):
    """Every folder is a label of all that lies below it; of two with one name, the path tells which."""
    tree, _ = tree_of(open_source(folder), None)
    assert tree is not None
    assert ways(tree) == [["cat", "animal"]] * 2 + [["dog", "animal"]] + [["cup", "thing"]] * 2
    assert dict(zip(tree.names, tree.levels.tolist(), strict=True)) == {
        "animal": 1, "thing": 1, "cat": 2, "dog": 2, "cup": 2
    }  # fmt: skip


def test_columns_are_a_hierarchy_in_any_order(folder):
    """The column of fewest labels stands highest; numbers, and what parts the images alike, are no further level."""
    numbers = {"cat": 7, "dog": 8, "cup": 9}
    parts = [name.split("/") for name in FILES]
    lines = [f"{n},{numbers[thing]},{thing},{kind},{name}" for n, (kind, thing, name) in enumerate(parts)]
    tree, said = of_table(folder, "key,number,thing,kind,file\n" + "\n".join(lines))
    assert ways(tree) == [["cat", "animal"]] * 2 + [["dog", "animal"]] + [["cup", "thing"]] * 2
    assert said == ["column 1 of table.csv tells nothing: each of its labels has one image"]


def test_an_empty_field_is_filled_from_other_lines(folder):
    """What stands above a label is known once it is told; an image without fields has no label."""
    tree, said = of_table(folder, "file,kind,thing\na,animal,cat\nb,,cat\nc,animal,\nd,thing,cup\n")
    assert ways(tree) == [["cat", "animal"]] * 2 + [["animal"], ["cup", "thing"], []]
    assert said == ["1 of the 5 images have no label in table.csv"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,kind,thing\na,animal,cat\nb,thing,cat\nc,animal,dog\n", '"cat" stands under two labels'),
        ("file,kind,thing\na,one,two\nb,two,one\nc,one,two\n", "stands under two labels"),
        ("file,x,y,z\na,p,q,\nb,,q,p\nc,,,r\nd,,,s\ne,p,q,\n", "stands under two labels"),
        ("file,kind,thing\na,animal,cat\nb,animal\n", "line 3: expected 3 fields"),
        ("file,kind\na,animal\na,thing\nb,animal\n", '"a" has other labels than in a line before'),
        ("file,kind\nnone.png,animal\nneither.png,thing\n", "it labels no image"),
    ],
)
def test_what_is_no_hierarchy_is_refused(folder, text, said):
    """Two parents, loops, columns of different length, two labels for an image, labels for no image: one sentence."""
    with pytest.raises(UsageError) as refusal:
        of_table(folder, text)
    assert said in str(refusal.value) and "table.csv" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([None, None], "no image of x has a label"),
        (["cat", "cat", None], 'every labelled image of x has the label "cat"'),
        (["cat", "dog", "cup"], "no label of x has two images"),
    ],
)
def test_labels_that_tell_nothing_are_refused(labels, said):
    """None, one only, and labels of one image each."""
    with pytest.raises(UsageError, match=said):
        require_labels(flat_tree(labels), "x")
