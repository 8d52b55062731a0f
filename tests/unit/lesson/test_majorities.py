"""The class of most of a unit's peaks, counted one unit after the other."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.lesson.majorities import majorities, majority
from tests.helpers.atlases import small_atlas

CLASSES = ("cat", "dog")


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_class_of_more_than_half_is_told(tmp_path: Path, every: int) -> None:
    """As counted by hand; where only every second or third image has a class, and some units have fewer peaks."""
    path = small_atlas(tmp_path / "small.atlas")
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("UPDATE image SET label = NULL")
        for number, name in enumerate(CLASSES):
            atlas.execute(
                "UPDATE image SET label = ? WHERE id % ? = 0 AND (id / ?) % 3 >= 1 = ?", (name, every, every, number)
            )
        atlas.execute("DELETE FROM peak WHERE unit % 4 = 1 AND rank > 2")
    found = 0
    with AtlasFile(path) as file:
        for layer in file.layers:
            told = majorities(file, layer)
            for unit in range(layer.record.units):
                labels = [file.image(peak.image).label for peak in file.peaks(layer.id, unit)]
                known = Counter(label for label in labels if label is not None)
                label, count = known.most_common(1)[0] if known else (None, 0)
                expected = (label, count, len(labels)) if 2 * count > len(labels) else None
                assert told.get(unit) == expected and majority(file, layer, unit) == (expected and expected[0])
                found += expected is not None
    assert found or every == 3
