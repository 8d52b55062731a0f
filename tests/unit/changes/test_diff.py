"""What became of units that were changed by hand, one atlas beside the other; what cannot be compared is said."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.changes.becoming import UnitChange
from layerscope.changes.diff import AtlasChanges, changes, common_images
from layerscope.changes.sides import differing_in, side_of
from layerscope.core.changes import CHANGED, DEAD, LOST, MATCHED, MOVED, NAMES, NEW, WORST_FIRST
from layerscope.core.errors import UsageError
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.changing import changed

# So many images that units that were drawn apart have few in common.
UNITS, IMAGES = 12, 300
LAYER = 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("diff")


@pytest.fixture(scope="module")
def before(folder) -> Path:
    return full_atlas(folder / "before.atlas", units=UNITS, images=IMAGES)


@pytest.fixture(scope="module")
def apart(folder) -> Path:
    """The same images, everything else drawn anew."""
    return full_atlas(folder / "apart.atlas", units=UNITS, images=IMAGES, seed=7)


@pytest.fixture(scope="module")
def after(folder, before, apart) -> Path:
    """Units 1 and 3 changed places, 4 is a copy of 2, 5 is dead, 6 is another's; the dead unit 11 is 0 of the other."""
    path = folder / "after.atlas"
    with changed(path, before, LAYER) as rows:
        rows.swap(1, 3)
        rows.replace(4, before, by=2)
        rows.kill(5)
        rows.replace(6, apart, by=6)
        rows.replace(11, apart, by=0)
    return path


def compared(before: Path, after: Path, **how: float) -> AtlasChanges:
    with AtlasFile(before) as one, AtlasFile(after) as other:
        return changes(one, other, **how)


def told(found: AtlasChanges, change: str) -> list[tuple[int | None, int | None]]:
    """The numbers of the units of which a word is said, in the order in which they are told."""
    return [(one.unit, one.other) for one in found.units if one.change == change]


def test_an_atlas_and_its_copy_are_the_same(before, folder) -> None:
    """Every unit that fired is matched, by 1; nothing else is told."""
    found = compared(before, Path(shutil.copy(before, folder / "copy.atlas")))
    assert {one.change for one in found.units} == {MATCHED}
    assert min(one.agreement for one in found.units) == pytest.approx(1)
    assert [(one.matched, one.dead_before, one.kept) for one in found.layers] == [(UNITS - 1, 1, 1.0)] * 3
    assert (found.alive, found.count(MATCHED), found.images) == (3 * 11, 3 * 11, IMAGES - 2)
    assert differing_in(found.before, found.after) == ()


def test_what_was_done_to_units_is_told(before, after) -> None:
    """Each by its word and its numbers; all other units, and those of other layers, are matched."""
    found = compared(before, after)
    assert sorted(told(found, MOVED)) == [(1, 3), (3, 1)]
    assert told(found, DEAD) == [(5, 5)]
    assert sorted(told(found, LOST)) == [(4, None), (6, None)]
    assert sorted(told(found, NEW)) == [(None, 4), (None, 6), (None, 11)]
    assert told(found, CHANGED) == []
    others = {one.unit for one in found.units if one.layer == "features.4" and one.change == MATCHED}
    assert others == {0, 2, 7, 8, 9, 10}
    assert {one.change for one in found.units if one.layer != "features.4"} == {MATCHED}
    assert differing_in(found.before, found.after)[0] == "weights"


def test_a_copy_of_a_unit_names_it(before, after) -> None:
    """The nearest of a new unit is the one that it repeats; that of a lost one is no partner."""
    found = {(one.unit, one.other): one for one in compared(before, after).units if one.layer == "features.4"}
    assert (found[None, 4].nearest, found[None, 4].near) == (2, pytest.approx(1))
    assert found[6, None].near is None or found[6, None].near < 0.5
    dead = found[5, 5]
    assert dead.agreement is None and dead.maximum > 0 and dead.other_maximum == 0


def test_counts_are_those_of_the_units(before, after) -> None:
    """By layer and word; the layer of the smallest share of matched units stands first, and so does the worst unit."""
    found = compared(before, after)
    for layer in found.layers:
        counts = Counter(one.change for one in found.units if one.layer == layer.layer)
        assert {name: getattr(layer, name) for name in NAMES} == {name: counts[name] for name in NAMES}
        alive = layer.units - layer.dead_before
        assert sum(counts[name] for name in NAMES if name != NEW) == alive
    assert found.layers[0].layer == "features.4" and found.layers[0].kept == pytest.approx(6 / 11)
    places = [WORST_FIRST.index(one.change) for one in found.units]
    assert places == sorted(places)
    matched = [one.agreement for one in found.units if one.change == MATCHED]
    assert matched == sorted(matched)


def test_the_other_way_round_is_the_mirror(before, after) -> None:
    """Pairs are the same; what was lost is new, but for units that are dead on one side."""
    there, back = compared(before, after), compared(after, before)
    for change in (MATCHED, MOVED, CHANGED):
        assert sorted(told(there, change)) == sorted((b, a) for a, b in told(back, change))
    assert {b for _, b in told(there, NEW)} - {11} == {a for a, _ in told(back, LOST)}
    assert told(back, DEAD) == [(11, 11)]
    assert {b for _, b in told(back, NEW)} == {4, 5, 6}


def test_from_which_agreement_on_is_asked(before, apart) -> None:
    """The more is asked, the fewer pairs; every pair that is the same reaches it, and a changed unit does not."""
    pairs = []
    for least in (0.05, 0.3, 0.9):
        found = compared(before, apart, least=least)
        reached = [one.agreement for one in found.units if one.change in (MATCHED, MOVED)]
        assert all(one >= least for one in reached)
        assert all(one.agreement < least for one in found.units if one.change == CHANGED)
        pairs.append(len(reached))
    assert pairs == sorted(pairs, reverse=True)


def test_pruned_layers_are_compared(before, folder) -> None:
    """Fewer units than before: those that are left are found, wherever they stand."""
    path = folder / "pruned.atlas"
    with changed(path, before, LAYER) as rows:
        rows.swap(2, 11)
        for table in ("peak", "stratum", "unit", "filter", "sheet", "concept", "note", "neighbour"):
            rows._run(f"DELETE FROM {table} WHERE layer = ? AND unit = 11", LAYER)
        rows._run("UPDATE layer SET units = 11 WHERE id = ?", LAYER)
    found = compared(before, path)
    layer = next(one for one in found.layers if one.layer == "features.4")
    assert (layer.units, layer.others, layer.matched, layer.dead) == (12, 11, 10, 1)
    assert told(found, DEAD) == [(2, 2)]


def test_images_are_one_where_their_bytes_are(before, folder) -> None:
    """In another order, and with others between them, units are the same; a copy of the bytes is not counted twice."""
    path = folder / "others.atlas"
    with changed(path, before, LAYER) as rows:
        rows._run("UPDATE run SET fingerprint = replace(fingerprint, '07bd', '17bd')")
        # The last images of the one become others.
        rows._run("UPDATE image SET sha256 = 'x' || sha256 WHERE id >= 296")
    with AtlasFile(before) as one, AtlasFile(path) as other:
        numbers, others, count = common_images(one, other)
        assert count == 296
        assert (numbers[:296] == others[:296]).all() and sorted(numbers[:296]) == list(range(296))
        assert (numbers[296:] == -1).all() and (others[296:] == -1).all()
        found = changes(one, other)
    assert found.images == 296 and "images" not in differing_in(found.before, found.after)
    assert {unit.change for unit in found.units} == {MATCHED}


def edit(path: Path, atlas: Path, *statements: str) -> Path:
    shutil.copy(atlas, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("UPDATE run SET finished = NULL",), "is unfinished: the command that built it goes on"),
        (("UPDATE layer SET name = 'other' || id",), "no layer in common: features.1, features.4, classif"),
        (("UPDATE run SET fingerprint = replace(fingerprint, '07bd', '17bd')", "UPDATE image SET sha256 = 'x' || id"),
         "no image in common, by the bytes of the files"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(before, tmp_path, statements, said) -> None:
    """In one sentence, which names the files."""
    path = edit(tmp_path / "edited.atlas", before, *statements)
    for pair in ((before, path), (path, before)):
        with pytest.raises(UsageError, match=said if pair[0] == before else said.partition(":")[0]) as refused:
            compared(*pair)
        assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_one_atlas_twice_is_refused(before, tmp_path) -> None:
    """Also under another name of the same file."""
    (tmp_path / "link.atlas").symlink_to(before)
    for other in (before, tmp_path / "link.atlas"):
        with pytest.raises(UsageError, match="is named twice"):
            compared(before, other)


def test_layers_of_one_atlas_alone_are_named(before, tmp_path) -> None:
    """And are not compared."""
    path = edit(tmp_path / "edited.atlas", before, "UPDATE layer SET name = 'head', path = 'head' WHERE id = 2")
    found = compared(before, path)
    assert (found.only_before, found.only_after) == (("classifier.1",), ("head",))
    assert {one.layer for one in found.layers} == {"features.1", "features.4"}


def test_sides_tell_atlases_apart(before, folder, tmp_path) -> None:
    """By the file's name, the weights and the date; what differs is named."""
    plain = small_atlas(tmp_path / "plain.atlas", units=3)
    with AtlasFile(before) as one, AtlasFile(plain) as other:
        first, second = side_of(one), side_of(other)
        assert (first.title, first.weights) == ("before", "51fe51fe")
        assert first.date == one.run.finished[:10]
        assert differing_in(first, replace(second, date=first.date, images=first.images)) == ()
        assert differing_in(first, replace(first, weights="a0c4a0c4", date="2001-01-01")) == ("weights", "date")


def test_too_many_units_are_not_sought(before, after, monkeypatch) -> None:
    """Where the pairs would be too many, units are compared at their own numbers only, and that is said."""
    monkeypatch.setattr("layerscope.changes.becoming.MOST_PAIRS", 10)
    found = compared(before, after)
    layer = next(one for one in found.layers if one.layer == "features.4")
    assert (layer.sought, layer.moved, layer.matched) == (False, 0, 6)
    assert all(one.nearest is None for one in found.units)
    assert next(one for one in found.layers if one.layer == "features.1").sought


def test_records_are_plain(before, after) -> None:
    """Numbers and words, as JSON has them."""
    for one in compared(before, after).units:
        assert isinstance(one, UnitChange)
        assert all(type(value) in (int, float, str, type(None)) for value in map(one.__getattribute__, one.__slots__))
