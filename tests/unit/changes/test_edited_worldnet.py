"""worldnet with units changed by hand: each is found, and others are named no more than once in a hundred."""

from itertools import permutations
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.changes.diff import AtlasChanges, changes
from layerscope.core.changes import CHANGED, DEAD, LOST, MATCHED, MOVED, NEW
from tests.helpers.edited import LAYERS, TRAININGS, Edited, atlas_of, edited, weights_of

# Eight units of a layer; and how many pictures: most of the time goes into drawing them.
UNITS, PICTURES = (3, 17, 30, 31, 8, 21, 12, 26), 160
COUNTS = (300, 1000)


def compared(before: Path, after: Path) -> AtlasChanges:
    with AtlasFile(before) as one, AtlasFile(after) as other:
        return changes(one, other)


def found_all(found: AtlasChanges, made: Edited, units: tuple[int, ...]) -> None:
    """Every unit that was changed by hand is told by what was done to it."""
    layer = LAYERS[made.layer - 1]
    told = {(one.change, one.unit, one.other): one for one in found.units if one.layer == layer}
    first, second, third, fourth, source, onto, killed, replaced = units
    for one, other in ((first, second), (second, first), (third, fourth), (fourth, third)):
        assert (MOVED, one, other) in told
    assert (LOST, onto, None) in told and told[NEW, None, onto].nearest == source
    assert told[NEW, None, onto].near == pytest.approx(1, abs=1e-3)
    assert (DEAD, killed, killed) in told
    # A unit of another training may never fire here, or be a little like the one that it stands for.
    assert {(DEAD, replaced, replaced), (LOST, replaced, None), (CHANGED, replaced, replaced)} & told.keys()


def falsely_named(found: AtlasChanges, made: Edited) -> int:
    """How many units that nobody touched are told as anything but matched."""
    layer = LAYERS[made.layer - 1]
    named = {
        (one.layer, one.other if one.unit is None else one.unit)
        for one in found.units
        if one.change != MATCHED and not (one.layer == layer and {one.unit, one.other} & made.touched)
    }
    return len(named)


def test_units_changed_by_hand_are_found(tmp_path) -> None:
    """In the fourth layer, with what follows from that in the fifth."""
    before = atlas_of(weights_of(0), tmp_path / "before.atlas", count=PICTURES)
    made = edited(0, 4, weights_of(1), UNITS)
    found = compared(before, atlas_of(made.weights, tmp_path / "after.atlas", count=PICTURES))
    found_all(found, made, UNITS)
    assert falsely_named(found, made) <= found.alive / 100


@pytest.mark.wide
@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("layer", range(1, 6))
def test_units_changed_by_hand_are_found_in_every_layer(layer, count, classes, tmp_path) -> None:
    """In each layer of each training; of the others no more than one in a hundred is named in any of them."""
    for training in range(len(TRAININGS)):
        before = atlas_of(weights_of(training), tmp_path / f"before{training}.atlas", count=count, classes=classes)
        made = edited(training, layer, weights_of((training + 1) % len(TRAININGS)), UNITS)
        after = atlas_of(made.weights, tmp_path / f"after{training}.atlas", count=count, classes=classes)
        found = compared(before, after)
        found_all(found, made, UNITS)
        assert falsely_named(found, made) <= found.alive / 100


@pytest.mark.wide
@pytest.mark.parametrize(
    ("count", "classes", "most"), [(300, True, 3), (1000, True, 4), (300, False, 7), (1000, False, 6)]
)
def test_separate_trainings_have_few_units_in_common(count, classes, most, tmp_path) -> None:
    """Of each two trainings, either way round, so many per cent at most are taken for the same: docs/how-to/diff.md."""
    paths = [
        atlas_of(weights_of(training), tmp_path / f"{training}.atlas", count=count, classes=classes)
        for training in range(len(TRAININGS))
    ]
    for before, after in permutations(paths, 2):
        found = compared(before, after)
        assert 0 < found.count(MATCHED) + found.count(MOVED) <= found.alive * most / 100
