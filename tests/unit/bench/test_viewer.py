"""The viewer's budgets: what counts as met, and how a line is told; on numbers whose answers are known."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.viewer.budget import HEADS, Budget, head, markdown, share_of
from bench.viewer.large import CLASSES, IMAGES, STAGES, class_names, write_large
from bench.viewer.wide import K, write_wide
from layerscope.atlas.read import AtlasFile
from layerscope.viewer.export import planned
from layerscope.viewer.export.choice import ExportChoice
from layerscope.viewer.export.snapshot import Snapshot
from tests.helpers.viewing import viewing

VALUES = st.lists(st.floats(0.1, 1e4), min_size=1, max_size=30)


@given(VALUES, st.floats(0.1, 1e4))
def test_a_limit_is_held_by_the_median_from_either_side(found, limit):
    """A most and a least value are both met only by the limit itself, and one of them always is."""
    most, least = (Budget(what="", limit=limit, found=found, unit="ms", floor=floor) for floor in (False, True))
    assert most.met or least.met
    assert (most.met and least.met) == (most.measured == limit)


def test_a_line_tells_limit_median_range_and_whether_it_is_met():
    """The range stands there where repeats differ, and what cannot be told apart is "under" the least that can."""
    lines = markdown(
        [
            Budget(what="start", limit=1.0, found=[0.9, 1.2, 0.8], unit="s"),
            Budget(what="speed", limit=100, found=[40.0], unit="units/s", floor=True),
            Budget(what="frame", limit=200, found=[0.0, 0.0], unit="ms", below=50),
            Budget(what="requests", limit=20, found=[6], unit=""),
        ]
    ).splitlines()
    assert lines == [
        "| start | 1 s | 0.9 s (0.8 to 1.2) | yes |",
        "| speed | at least 100 units/s | 40 units/s | no |",
        "| frame | 200 ms | under 50 ms | yes |",
        "| requests | 20 | 6 | yes |",
    ]
    assert [line.count("|") for line in head().splitlines()] == [len(HEADS) + 1] * 2


@given(VALUES, st.floats(0.01, 1))
def test_a_share_of_the_values_is_at_most_the_value(found, share):
    """So many of them do not exceed it, and it is one of them; all of them do not exceed the largest."""
    value = share_of(found, share)
    assert value in found
    assert sum(one <= value for one in found) >= share * len(found) - 1e-9
    assert share_of(found, 1.0) == max(found)


def test_no_values_have_no_share():
    """Nothing measured is an error, not a zero."""
    with pytest.raises(ValueError, match="nothing was measured"):
        share_of([], 0.5)


def test_a_wide_atlas_is_whole_and_the_same_each_time(tmp_path):
    """Every unit has its peaks and its sheets; two atlases hold the same bytes of tiles."""
    paths = [write_wide(tmp_path / f"{turn}.atlas", units=3, tile=16) for turn in range(2)]
    sheets = []
    for path in paths:
        with AtlasFile(path) as file:
            assert file.finished
            assert [len(file.peaks(0, unit)) for unit in range(3)] == [K] * 3
            found = [file.encoded_sheet(0, unit, "projections", "guided", "natural") for unit in range(3)]
            sheets.append([one.pixels for one in found if one])
    assert sheets[0] == sheets[1]
    assert len(sheets[0]) == 3


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """As many layers as the large atlas has but for repeated ones, few units and images, small tiles."""
    stages = [replace(stage, units=max(2, stage.units // 256), layers=min(stage.layers, 2)) for stage in STAGES]
    return write_large(
        tmp_path_factory.mktemp("large") / "large.atlas", stages=stages, images=400, classes=20, tile=8, distinct=2
    )


def test_a_large_atlas_has_the_parts_of_a_built_one(large):
    """Of every unit peaks in different images that have pictures, strata, tiles, statistics over its classes, and parts
    of the layer before; classes are as many and as different as asked for."""
    with AtlasFile(large) as file:
        assert file.finished and file.image_count() == 400
        for place, layer in enumerate(file.layers):
            peaks = file.all_peaks(layer.id)
            assert all(len({*row}) == K and file.has_picture(row[0]) for row in peaks.image.tolist())
            assert file.unit_statistics(layer.id).class_means.shape == (layer.record.units, 20)
            assert len(file.units_with_sheets(layer.id, "patches")) == layer.record.units
            assert file.strata(layer.id, 0) and bool(file.made_of(layer.id, 0)) == (place > 0)
        # The classifier's units follow their class alone.
        labels = file.peak_labels(file.layers[-1].id)
        assert all(len({labels[image] for image in row}) == 1 for row in peaks.image.tolist())
    assert sum(stage.layers * stage.units for stage in STAGES) == 20_264 and IMAGES % CLASSES == 0
    assert len({*class_names(CLASSES)}) == CLASSES and class_names(2000) == sorted({*class_names(2000)})


@pytest.mark.parametrize(
    "address", ["", "network", "concepts", "search?q=fox&format=html", "images", "about", "l/stage4.1", "l/classes/u/1"]
)
def test_pages_of_a_large_atlas_can_be_had(large, address):
    """What the bench asks for."""
    with viewing(large) as browser:
        assert browser.get(f"/large/{address}").status_code == 200


def test_an_export_reads_a_layer_s_numbers_a_few_times(large, monkeypatch):
    """Not once for every page that shows one of its units: of a wide layer they are megabytes."""
    asked = Counter[int]()

    def counted(file: Snapshot, layer: int):
        asked[layer] += 1
        return AtlasFile.unit_statistics(file, layer)

    monkeypatch.setattr(Snapshot, "unit_statistics", counted)
    with planned(large, ExportChoice()) as plan:
        pages = [piece for piece in plan.pieces if piece.kind == "page" and piece.key[0] in ("image", "unit")]
        for piece in pages:
            plan.content(piece)
        layers = len(plan.book.layers)
    assert len(pages) > 20 * layers and len(asked) == layers > 6
    assert max(asked.values()) <= 4
