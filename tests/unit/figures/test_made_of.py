"""The tree of a unit: its nodes and edges are what the atlas says of shares, and it is drawn."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.atlas import shares
from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import UsageError
from layerscope.core.numbers import signed_percent
from layerscope.core.shares import MadeOf, UnitShare
from layerscope.figures import unit_tree
from layerscope.figures.layout import lay_out
from layerscope.figures.page import Frame, Line, PlacedPicture, Words
from layerscope.figures.tree import Branches, UnitNode
from tests.helpers.atlases import small_atlas

# What the units of the later layers are made of: by unit, (unit of the layer before, share).
DENSE = {3: ((5, 0.5), (2, 0.3), (7, 0.1), (1, 0.05), (0, -0.4))}
SECOND = {5: ((1, 0.6), (4, 0.2)), 2: ((4, 0.9), (0, -0.1)), 7: ()}
PLACE = (8, 8)


def _made_of(layer: str, earlier: str, unit: int, parts: tuple[tuple[int, float], ...]) -> MadeOf:
    row, col = PLACE
    strongest = tuple(UnitShare(unit=o, share=s, spread=0.1, row=row, col=col) for o, s in parts)
    return MadeOf(
        layer=layer, unit=unit, earlier=earlier, peaks=9, units=sum(s for _, s in parts), constants=0.05, past=0.0,
        rest=0.0, strongest=strongest,
    )  # fmt: skip


def _add(path: Path, layer_id: int, found: MadeOf) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement, rows in shares.statements(layer_id, {layer_id - 1: found}):
            connection.executemany(statement, rows)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtlasFile]:
    """A small atlas with shares that were written by hand; its unit 5 of the second layer has parts in turn."""
    path = small_atlas(tmp_path_factory.mktemp("tree") / "small.atlas")
    for unit, parts in DENSE.items():
        _add(path, 2, _made_of("classifier.1", "features.4", unit, parts))
    for unit, parts in SECOND.items():
        _add(path, 1, _made_of("features.4", "features.1", unit, parts))
    with AtlasFile(path) as opened:
        yield opened


def _root(file: AtlasFile, **how: int) -> UnitNode:
    (panel,) = unit_tree(file, "classifier.1", 3, **how).panels
    (tree,) = panel.parts
    assert isinstance(tree, Branches)
    return tree.root


def _edges(node: UnitNode) -> list[tuple[int, int, float | None]]:
    return [(node.unit, part.unit, part.share) for part in node.parts] + [e for p in node.parts for e in _edges(p)]


def test_edges_are_the_highest_shares_above_zero(shared: AtlasFile):
    """Of each unit the parts with the highest shares, as many as asked for, down to the first layer."""
    assert _edges(_root(shared)) == [
        *((3, 5, 0.5), (3, 2, 0.3), (3, 7, 0.1)),
        *((5, 1, 0.6), (5, 4, 0.2)),
        (2, 4, 0.9),
    ]
    assert _edges(_root(shared, branches=1)) == [(3, 5, 0.5), (5, 1, 0.6)]
    assert _edges(_root(shared, depth=1, branches=8)) == [(3, *parts) for parts in DENSE[3] if parts[1] > 0]


def test_nodes_say_and_show_their_units(shared: AtlasFile):
    """Layer, unit, and the unit's own patches; the headings name the layers, a column each."""
    root = _root(shared)
    (panel,) = unit_tree(shared, "classifier.1", 3).panels
    assert isinstance(panel.parts[0], Branches)
    assert panel.parts[0].headings == ("classifier.1", "features.4", "features.1")
    for node in root.nodes:
        sheet = shared.sheet(shared.layer(node.layer).id, node.unit, "patches")
        assert sheet is not None
        assert (shared.tiles(sheet) == [tile.picture for tile in node.patches.tiles]).all()
        assert node.words[0] == f"unit {node.unit}"


def test_places_lie_where_the_field_of_the_part_does(shared: AtlasFile, tmp_path: Path):
    """A field inside what was seen keeps its size and its place there, to a px; the field of one beside it has none."""
    path, peak = Path(shutil.copy(shared.path, tmp_path / "placed.atlas")), shared.peaks(1, 5)[0]
    row, col = 2 * peak.row, 2 * peak.col  # the same point of the input: steps are 4 and 2 px
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE share SET row = ?, col = ? WHERE layer = 1 AND rank = 0", (row, col))
        connection.execute("UPDATE share SET row = ?, col = ? WHERE layer = 1 AND rank = 1", (row + 99, col))
    with AtlasFile(path) as opened:
        inside, beside = _root(opened).parts[0].parts
    assert beside.place is None and inside.place is not None
    top = max(0, 2 * row - 3)
    assert inside.place.top == pytest.approx(top - max(0, peak.box.top), abs=1)
    assert inside.place.height == pytest.approx(min(2 * row + 4, 64) - top, abs=1)


def test_a_unit_that_comes_again_is_not_opened_again(shared: AtlasFile, tmp_path: Path):
    """Its parts stand where it comes first, and its words say so."""
    path = Path(shutil.copy(shared.path, tmp_path / "again.atlas"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE share SET other = 5 WHERE layer = 2 AND rank = 1")
    with AtlasFile(path) as opened:
        first, second, _ = _root(opened).parts
        assert (first.unit, second.unit) == (5, 5) and first.parts and not second.parts
        assert second.words == ("unit 5", "its parts: above")
        assert "comes again" in unit_tree(opened, "classifier.1", 3).caption


def test_a_tree_is_drawn_whole(shared: AtlasFile):
    """Every share and unit stands on the page, inside its borders, at widths of columns and of posters."""
    sheet = unit_tree(shared, "classifier.1", 3)
    for inches in (3.3, 7.0, 20.0):
        page = lay_out(sheet, inches)
        written = [item.text for item in page.items if isinstance(item, Words)]
        for _, unit, share in _edges(_root(shared)):
            assert f"unit {unit}" in written and signed_percent(share or 0.0) in written
        for item in page.items:
            if isinstance(item, PlacedPicture | Frame):
                assert 0 <= item.area.left < item.area.right <= page.width + 1e-9
                assert 0 <= item.area.top < item.area.bottom <= page.height + 1e-9
            if isinstance(item, Line):
                assert max(item.start[0], item.end[0]) <= page.width
    assert sheet._repr_png_().startswith(b"\x89PNG")


def test_the_caption_says_what_a_share_is(shared: AtlasFile):
    """What the number means, that all of them make one, and that gates are held."""
    caption = unit_tree(shared, "classifier.1", 3).caption
    sums = "units send 55 % (those shown 90 %), constants 5.0 %"
    assert all(said in caption for said in ("number at a line is the share", sums, "gates are held"))


@pytest.mark.parametrize(
    ("layer", "unit", "said"),
    [
        ("features.1", 2, 'no layer that "auto" means comes before it'),
        ("features.4", 11, "never above zero"),
        ("features.4", 3, "the command that built it adds it"),
        ("features.4", 7, "no unit of the layer before speaks for it"),
        ("features.4", 12, "units 0 to 11"),
    ],
)
def test_what_has_no_tree_is_refused_in_a_sentence(shared: AtlasFile, layer: str, unit: int, said: str):
    """A first layer, a dead unit, a unit without shares, one that nothing speaks for, one that is not there."""
    with pytest.raises(UsageError, match=said):
        unit_tree(shared, layer, unit)
