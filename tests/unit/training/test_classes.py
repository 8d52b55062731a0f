"""The right output of a picture is found by WordNet id, name or index, or it is said that it cannot be known."""

from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.training.classes import ClassRow, Outputs, read_table, spelled, table_beside

TABLE = [
    ClassRow(index="0", wnid="n00000010", name="ant", file="images/a.jpg"),
    ClassRow(index="1", wnid="n00000005", name="bee", file="images/b.jpg"),
    ClassRow(index="2", wnid="n00000007", name="cat"),
]
FEW = [("x.jpg", None)]


def test_a_networks_own_names_come_first():
    """Whatever a table says of their order; an id, a name or an index of the table leads to the name."""
    outputs = Outputs(3, ("cat", "ant", "bee"), TABLE, FEW)
    for label in ("cat", "n00000007", "2"):
        assert outputs.index("x.jpg", label) == 0
    assert outputs.index("x.jpg", "ant") == 1


def test_a_table_tells_the_outputs_of_a_network_without_names():
    """Its index is the output's place; a file's own row comes first, then its folder, then how its name begins."""
    outputs = Outputs(3, (), TABLE, FEW)
    assert [outputs.index("x.jpg", label) for label in ("n00000005", "cat", "0")] == [1, 2, 0]
    assert outputs.index("photos/b.jpg", "photos") == 1
    assert outputs.index("photos/n00000007_12.JPEG", "photos") == 2


def test_a_number_is_a_place():
    """Where nobody says otherwise; beyond the last output it is none."""
    outputs = Outputs(3, (), [], FEW)
    assert (outputs.index("x.jpg", "2"), outputs.index("x.jpg", "3")) == (2, None)
    assert Outputs(3, ("2", "0", "1"), [], FEW).index("x.jpg", "2") == 0


def test_all_wordnet_ids_in_their_order_are_the_outputs():
    """Only if there are as many as outputs."""
    listed = [("a/1.jpg", "n00000010"), ("b/1.jpg", "n00000005"), ("n00000007_3.jpg", None), ("README.md", None)]
    assert [Outputs(3, (), [], listed).index(*picture) for picture in listed] == [2, 0, 1, None]
    assert Outputs(4, (), [], listed).index("a/1.jpg", "n00000010") is None


def test_a_name_of_two_outputs_is_none():
    """ImageNet has two classes called crane."""
    outputs = Outputs(3, ("crane", "ant", "crane"), [], FEW)
    assert outputs.index("x.jpg", "crane") is None and outputs.index("x.jpg", "ant") == 1


def test_names_that_two_lists_use_differently_are_not_trusted():
    """Where a table's names are not all the network's, its index counts: it has one for each output."""
    table = [
        ClassRow(index="0", wnid="n00000001", name="maillot"),
        ClassRow(index="1", wnid="n00000002", name="tights"),
    ]
    outputs = Outputs(2, ("tank suit", "maillot"), table, FEW)
    assert [outputs.index("x.jpg", label) for label in ("n00000001", "n00000002")] == [0, 1]


def test_a_table_of_other_classes_is_not_guessed_from():
    """Fewer rows than outputs, and no name in common: its indices are not the network's."""
    outputs = Outputs(9, (), TABLE, FEW)
    assert [outputs.index("a.jpg", label) for label in (None, "ant", "n00000010", "2")] == [None] * 4


def test_what_cannot_be_known_is_a_sentence():
    """Which picture, which class, and what to give."""
    outputs = Outputs(3, ("ant", "bee", "cat"), [], FEW)
    with pytest.raises(UsageError, match=r'right for "x.jpg" of class "cut" cannot be known; did you mean cat'):
        outputs.indices([("y.jpg", "ant"), ("x.jpg", "cut")])
    with pytest.raises(UsageError, match=r'"x.jpg" cannot be known; give --classes FILE'):
        outputs.indices(FEW)


def test_tables_are_read_by_their_columns(tmp_path: Path):
    """Tabs or commas, in any order, more columns or fewer."""
    file = tmp_path / "classes.tsv"
    file.write_text("wnid\tindex\tname\twidth\nn00000010\t0\tant, any\t9\n")
    assert read_table(file) == [ClassRow(index="0", wnid="n00000010", name="ant, any")]
    file.write_text('index,name\n0,"ant, any"\n1,bee\n')
    assert read_table(file)[1] == ClassRow(index="1", name="bee")
    for text in ("ant\nbee\n", "index\tname\none\tbee\n", ""):
        file.write_text(text)
        with pytest.raises(UsageError, match=r"is no table of classes: its first line names the columns \(index, wnid"):
            read_table(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "gone.tsv")


def test_a_table_is_found_beside_the_data(tmp_path: Path):
    """In the folder, beside the file, or beside the folder."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    table, tar = tmp_path / "data" / "classes.tsv", tmp_path / "data" / "val.tar"
    for path in (table, tar):
        path.write_text("")
    assert [table_beside(path) for path in (tmp_path / "data", tar, tmp_path / "data" / "images")] == [table] * 3
    assert table_beside(tmp_path) is None


def test_numbers_are_spelled_where_a_table_has_them_all():
    """A training run's classes as WordNet ids say more than 0, 1, 2."""
    assert spelled(("0", "2"), TABLE) == ("n00000010", "n00000007")
    assert spelled(("0", "9"), TABLE) == ("0", "9")
    assert spelled(("ant", "bee"), TABLE) == ("ant", "bee")
