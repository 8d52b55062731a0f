"""Agreement is what a slow look at each pair of units gives, in blocks or not; of a unit with itself it is 1."""

import shutil
import sqlite3
import tracemalloc
import zlib
from contextlib import closing
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.changes import agreement as module
from layerscope.changes.agreement import Profiles, agreement, at_the_same_number, medians, profiles, tails
from layerscope.core.records import HISTOGRAM_EDGES
from tests.helpers.books import full_atlas

UNITS, IMAGES = 9, 14
EVERY = np.arange(UNITS)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two atlases of the same images, otherwise drawn apart; of each unit peaks and strata."""
    folder = tmp_path_factory.mktemp("agreement")
    paths = [full_atlas(folder / f"{seed}.atlas", units=UNITS, images=IMAGES, seed=seed) for seed in (1, 2)]
    with AtlasFile(paths[0]) as one, AtlasFile(paths[1]) as other:
        yield one, other


def heights(file: AtlasFile, layer: int, unit: int) -> dict[int, tuple[float, int, int]]:
    """By image, what is known of a unit above its median, and where in the map."""
    edges = [HISTOGRAM_EDGES[0], *HISTOGRAM_EDGES.tolist()]
    counts = file.unit_statistics(layer).histogram[unit].tolist()
    middle = next(place for place in range(len(counts)) if 2 * sum(counts[: place + 1]) >= sum(counts))
    base = 0 if edges[middle + 1] == 0 else edges[middle]
    # Made up as they are, an image may have several values: a peak's, then that of the highest percentile.
    every = [*reversed(file.strata(layer, unit)), *file.peaks(layer, unit)]
    return {one.image: (one.value - base, one.row, one.col) for one in every if one.value > base}


def slow(
    one: AtlasFile, other: AtlasFile, layer: int, first: int, second: int, *, by_class: bool, images=range(IMAGES)
) -> float:
    """The agreement of two units, one pair at a time; only these images count."""
    side = one.layers[layer].record.map
    near = max(side[0] // 16, 1) if side else 1
    mine, theirs = (
        {image: known for image, known in heights(file, layer, unit).items() if image in images}
        for file, unit in ((one, first), (other, second))
    )
    dot = sum(
        mine[image][0] * theirs[image][0]
        for image in mine.keys() & theirs.keys()
        if all(abs(mine[image][axis] - theirs[image][axis]) <= near for axis in (1, 2))
    )
    length = sqrt(sum(v**2 for v, *_ in mine.values()) * sum(v**2 for v, *_ in theirs.values()))
    cosine = min(dot / length, 1) if length else 0.0
    rows = [file.unit_statistics(layer).class_means[u].astype(float) for file, u in ((one, first), (other, second))]
    if not by_class or not all(row.std() for row in rows):
        return sqrt(cosine)
    return sqrt(cosine * max(np.corrcoef(*rows)[0, 1], 0))


def both(files, layer: int, *, by_class: bool) -> list[Profiles]:
    return [profiles(file, file.layers[layer], np.arange(IMAGES), by_class=by_class) for file in files]


@pytest.mark.parametrize("by_class", [True, False])
def test_agreement_is_that_of_each_pair(files, by_class, monkeypatch) -> None:
    """Of all pairs, of some in another order, in blocks of one row or of several; the diagonal is that of the same
    number."""
    one, other = both(files, 0, by_class=by_class)
    found = agreement(one, other, EVERY, EVERY)
    for first, second in np.ndindex(UNITS, UNITS):
        assert found[first, second] == pytest.approx(slow(*files, 0, first, second, by_class=by_class), abs=1e-6)
    assert at_the_same_number(one, other) == pytest.approx(np.diag(found))
    rows, cols = np.array([5, 0, 3]), np.array([7, 2])
    assert agreement(one, other, rows, cols) == pytest.approx(found[np.ix_(rows, cols)])
    for held in (1, 60):
        monkeypatch.setattr(module, "_AT_ONCE", held)
        assert agreement(one, other, EVERY, EVERY) == pytest.approx(found)
        assert agreement(one, other, rows, cols) == pytest.approx(found[np.ix_(rows, cols)])
    assert agreement(one, other, EVERY[:0], EVERY).shape == (0, UNITS)
    assert agreement(one, other, EVERY, EVERY[:0]).shape == (UNITS, 0)
    none = crowded(UNITS, 0)
    assert not tails(none, other, EVERY, EVERY).any() and not tails(one, none, EVERY, EVERY).any()
    assert at_the_same_number(none, none).tolist() == [0.0] * UNITS


def test_few_images_take_no_more_memory() -> None:
    """Where every unit is high in every image, what is held beside the matrix is what it is elsewhere."""
    units, images = 512, 40
    one = crowded(units, images)
    tracemalloc.start()
    try:
        found = tails(one, one, np.arange(units), np.arange(units))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(1)
    assert most < found.nbytes + 100e6


def crowded(units: int, images: int) -> Profiles:
    """A layer whose units are all equally high at the same place of every image."""
    every = np.zeros(units * images, np.int64)
    return Profiles(
        alive=np.ones(units, bool),
        unit=np.repeat(np.arange(units), images),
        image=np.tile(np.arange(images), units),
        row=every,
        col=every,
        near=(1, 1),
        height=np.full(units * images, max(images, 1) ** -0.5),
        classes=np.zeros((units, 0)),
        maximum=np.ones(units),
        below=np.zeros((units, 0)),
        relations=np.zeros((units, 0)),
    )


def test_a_unit_agrees_with_itself(files) -> None:
    """By 1, but for dead ones, of which nothing is known; and the other way round it is the same."""
    for layer in range(3):
        one, other = both(files, layer, by_class=True)
        assert at_the_same_number(one, one)[one.alive] == pytest.approx(1)
        assert not at_the_same_number(one, one)[~one.alive].any()
        assert agreement(one, other, EVERY, EVERY) == pytest.approx(agreement(other, one, EVERY, EVERY).T)


def test_layers_of_other_sizes(files, tmp_path: Path) -> None:
    """As far as both have units; further ones agree with none of the same number."""
    more = full_atlas(tmp_path / "more.atlas", units=UNITS + 4, images=IMAGES)
    with AtlasFile(more) as file:
        other = profiles(file, file.layers[0], np.arange(IMAGES), by_class=True)
    one, _ = both(files, 0, by_class=True)
    assert len(at_the_same_number(one, other)) == len(at_the_same_number(other, one)) == UNITS
    assert agreement(one, other, EVERY, np.arange(UNITS + 4)).shape == (UNITS, UNITS + 4)


def test_images_of_one_atlas_alone_do_not_count(files) -> None:
    """As if their values were not known."""
    numbers = np.arange(IMAGES)
    numbers[::3] = -1
    one, other = (profiles(file, file.layers[0], numbers, by_class=False) for file in files)
    kept = [image for image in range(IMAGES) if image % 3]
    expected = [slow(*files, 0, unit, unit, by_class=False, images=kept) for unit in range(UNITS)]
    assert at_the_same_number(one, other) == pytest.approx(expected, abs=1e-6)
    assert max(expected) > 0


def test_constant_class_means_say_nothing(files, tmp_path: Path) -> None:
    """Where a unit's means are the same for all classes, images alone tell."""
    path = Path(shutil.copy(files[0].path, tmp_path / "flat.atlas"))
    with closing(sqlite3.connect(path)) as atlas, atlas:
        (means,) = atlas.execute("SELECT class_means FROM unit WHERE layer = 0 AND unit = 8").fetchone()
        atlas.execute("UPDATE unit SET class_means = ? WHERE layer = 0 AND unit = 2", (means,))  # of the dead unit
    with AtlasFile(path) as file:
        one, other = both((files[0], file), 0, by_class=True)
        assert not other.classes[2].any()
        assert at_the_same_number(one, other)[2] == pytest.approx(1)


def test_early_atlases_have_peaks_alone(files, tmp_path: Path) -> None:
    """Without strata units are compared by their peaks."""
    path = Path(shutil.copy(files[0].path, tmp_path / "early.atlas"))
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DROP TABLE stratum")
    with AtlasFile(path) as file:
        assert (file.all_strata(0).image == -1).all()
        one, _ = both((file, file), 0, by_class=True)
        assert at_the_same_number(one, one)[one.alive] == pytest.approx(1)


def test_medians() -> None:
    """The lower edge of the bin that holds the middle image; 0 of the bin up to zero, and of counts that are not there
    or of another form."""
    bins = len(HISTOGRAM_EDGES) + 1
    counts = np.zeros((3, bins), np.int64)
    zero = int(np.flatnonzero(HISTOGRAM_EDGES == 0)[0])
    counts[0, zero], counts[0, zero + 9] = 5, 4
    counts[1, zero], counts[1, zero + 9] = 4, 5
    assert medians(counts, 3).tolist() == [0.0, HISTOGRAM_EDGES[zero + 8], 0.0]
    assert medians(counts[:2], 3).tolist() == [0.0, 0.0, 0.0]


def test_units_that_hardly_vary_are_themselves(files, tmp_path: Path) -> None:
    """Where all maxima lie in one bin, as of a unit that is the same on all images, it still agrees with itself."""
    path = Path(shutil.copy(files[0].path, tmp_path / "constant.atlas"))
    with closing(sqlite3.connect(path)) as atlas, atlas:
        for table in ("peak", "stratum"):
            atlas.execute(f"UPDATE {table} SET value = 3.3 WHERE layer = 0 AND unit = 1")
        counts = np.zeros(len(HISTOGRAM_EDGES) + 1, "<i8")
        counts[np.searchsorted(HISTOGRAM_EDGES, 3.3)] = IMAGES - 2
        atlas.execute("UPDATE unit SET histogram = ? WHERE layer = 0 AND unit = 1", (zlib.compress(counts.tobytes()),))
    with AtlasFile(path) as file:
        one, other = both((file, file), 0, by_class=False)
        assert at_the_same_number(one, other)[1] == pytest.approx(1)
