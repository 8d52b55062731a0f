"""A unit's page says what the file says: every number is asked again, by SQL of this test's own."""

import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import UsageError
from layerscope.core.uses import ClassUse
from layerscope.figures.tree import Chart
from layerscope.viewer.app import route_of
from layerscope.viewer.pages import PAGES, Query
from layerscope.viewer.pages.unit import UnitPage, facts
from layerscope.viewer.render import environment
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import CLASSES, small_atlas
from tests.helpers.books import full_atlas, inside_plane
from tests.helpers.viewing import viewing

UNITS = 12
DEAD, SPARSE = UNITS - 1, UNITS - 2
LAYERS = ("features.1", "features.4", "classifier.1")
NONE = Query()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("units")
    made = Shelf([small_atlas(folder / "plain.atlas"), full_atlas(folder / "full.atlas")])
    yield made
    made.close()


def places() -> list[tuple[str, str, int]]:
    """50 units of the two atlases, drawn by a seed; the dead and the sparse ones always among them."""
    every = [(slug, layer, unit) for slug in ("plain", "full") for layer in LAYERS for unit in range(UNITS)]
    fixed = [place for place in every if place[2] >= SPARSE]
    rest = [place for place in every if place[2] < SPARSE]
    order = np.random.default_rng(7).permutation(len(rest))
    return fixed + [rest[index] for index in order[: 50 - len(fixed)]]


class Asked:
    """The same unit, asked by SQL."""

    def __init__(self, book: Book, layer: str, unit: int) -> None:
        self.connection = sqlite3.connect(f"file:{book.file.path}?mode=ro", uri=True)
        ((self.layer,),) = self.rows("SELECT id FROM layer WHERE name = ?", layer)
        self.unit = unit

    def rows(self, query: str, *values) -> list[tuple]:
        return self.connection.execute(query, values).fetchall()

    def of_unit(self, columns: str, table: str, rest: str = "") -> list[tuple]:
        return self.rows(f"SELECT {columns} FROM {table} WHERE layer = ? AND unit = ? {rest}", self.layer, self.unit)


@pytest.mark.parametrize("place", places(), ids=str)
def test_every_number_is_the_file_s(shelf, place) -> None:
    """Peaks, images, statistics, histogram, classes, names, notes, strata, neighbours, specificity."""
    slug, layer, unit = place
    book = shelf.book(slug)
    page = facts(book, NONE, layer=layer, unit=unit)
    asked = Asked(book, layer, unit)
    with closing(asked.connection):
        check_peaks(page, asked)
        check_behaviour(page, asked)
        check_names(page, asked)
        check_below(page, asked)
        kept = {one.method: one.kept for one in page.trust}
        assert kept == ({"deconvnet": 0.6, "guided": 0.8} if page.layer.method else {})
        medians = {
            method: json.loads(value)["median"]
            for method, value in asked.rows(
                "SELECT method, value FROM statistic WHERE name = 'specificity' AND layer = ?", asked.layer
            )
        }
        assert {one.method: one.specificity for one in page.trust} == (medians if page.layer.method else {})


def check_peaks(page: UnitPage, asked: Asked) -> None:
    columns = "rank, value, image, row, col, image.source, image.label, image.height, image.width"
    rows = asked.of_unit(columns, "peak JOIN image ON image.id = image", "ORDER BY rank")
    assert rows == [
        (one.rank, one.value, one.image, one.row, one.col, one.source, one.label, one.height, one.width)
        for one in page.peaks
    ]
    boxes = asked.of_unit("source_top, source_left, source_bottom, source_right", "peak", "ORDER BY rank")
    assert boxes == [(one.tile.top, one.tile.left, one.tile.bottom, one.tile.right) for one in page.peaks]
    assert page.dead == (not rows)
    kinds = sorted(asked.of_unit("kind, method, view", "sheet"))
    shown = [(look.sheet.kind, look.sheet.method, look.sheet.view) for look in page.looks]
    assert kinds == sorted(shown + ([("patches", "", "")] if page.patches else []))
    assert page.of_images == 38


def check_behaviour(page: UnitPage, asked: Asked) -> None:
    ((*numbers, counts, means),) = asked.of_unit(
        "mean, std, maximum, images_above, positions_above, histogram, class_means", "unit"
    )
    assert page.numbers is not None
    assert list(asdict(page.numbers).values()) == numbers
    histogram = np.frombuffer(zlib.decompress(counts), "<i8")
    assert sum(bar.value for bar in page.histogram.bars) == histogram.sum() == page.of_images
    assert max(bar.value for bar in page.histogram.bars) >= histogram.max()
    classes = dict(zip(CLASSES, np.frombuffer(zlib.decompress(means), "<f4").tolist(), strict=True))
    assert {one.name: one.mean for one in page.classes} == classes
    assert [one.mean for one in page.classes] == sorted(classes.values(), reverse=True)
    ((counts_of,),) = asked.rows("SELECT value FROM statistic WHERE name = 'class_counts'")
    prior = np.array(json.loads(counts_of)) / sum(json.loads(counts_of))
    assert {one.name: one.share for one in page.classes} == pytest.approx(dict(zip(CLASSES, prior, strict=True)))
    assert page.class_mean == pytest.approx(float(np.dot(list(classes.values()), prior)))
    labels = [label for (label,) in asked.of_unit("image.label", "peak JOIN image ON image.id = image")]
    assert {name: count for name, count in page.peak_classes} == {name: labels.count(name) for name in set(labels)}
    assert all(one.peaks == labels.count(one.name) for one in page.classes)


def check_names(page: UnitPage, asked: Asked) -> None:
    ranked = asked.of_unit(
        "concept, level, score, iou, frequency, '', named", "concept", "AND measure = 'above chance' ORDER BY rank"
    )
    named = [row[:6] for row in ranked if row[6]]
    assert [tuple(asdict(one).values()) for one in ([page.guess] if page.guess else [])] == named
    assert [tuple(asdict(one).values()) for one in page.runners_up] == [row[:6] for row in ranked if not row[6]]
    assert list(page.notes) == [text for (text,) in asked.of_unit("text", "note")]


def check_below(page: UnitPage, asked: Asked) -> None:
    rows = asked.of_unit(
        "percentile, rank, value, image, image.label, source_top IS NOT NULL",
        "stratum JOIN image ON image.id = image",
        "ORDER BY percentile DESC, rank",
    )
    assert rows == [
        (row.percentile, one.rank, one.value, one.image, one.label, one.shown)
        for row in page.strata
        for one in row.tiles
    ]
    near = asked.of_unit("other, correlation", "neighbour", "ORDER BY rank")
    assert near == [(one.unit, one.correlation) for one in page.near]
    assert all(one.duplicate == (one.correlation >= 0.95) for one in page.near)


@pytest.mark.parametrize("slug", ["plain", "full"])
def test_boxes_lie_inside_the_picture(shelf, slug) -> None:
    """The tile's box and the receptive field; the field of a small tile holds it but for a px of rounding."""
    for layer in LAYERS:
        for unit in range(0, UNITS, 4):
            for peak in facts(shelf.book(slug), NONE, layer=layer, unit=unit).peaks:
                assert inside_plane(peak.tile)
                assert inside_plane(peak.field)
                if layer == "features.4":
                    assert abs(peak.field.height) <= 2 * 23 + 2


def test_the_first_look_is_the_layer_s_own_method(shelf) -> None:
    """Its plate's method in the run's first view; the others follow, each once."""
    looks = facts(shelf.book("plain"), NONE, layer="features.4", unit=3).looks
    assert [(one.sheet.method, one.sheet.view) for one in looks] == [
        (method, view) for method in ("guided", "deconvnet") for view in ("natural", "signal")
    ]
    assert [one.own for one in looks] == [True, False, False, False]


def test_neighbours_in_order(shelf) -> None:
    """Units before and after, layers before and after; none beyond the ends."""
    book = shelf.book("plain")
    first, last = (
        facts(book, NONE, layer=layer, unit=unit) for layer, unit in (("features.1", 0), ("classifier.1", 11))
    )
    assert (first.previous, first.next) == (None, 1)
    assert (last.previous, last.next) == (10, None)
    assert first.layer_before is None
    assert first.layer_after.name == "features.4"
    assert last.layer_before.name == "features.4"
    assert last.layer_after is None


@pytest.mark.parametrize(
    ("layer", "unit", "said"),
    [
        ("features.1", 12, "has units 0 to 11, there is no unit 12"),
        ("feature.1", 0, "did you mean features.1"),
        ("l77", 0, 'no layer "l77"'),
    ],
)
def test_what_does_not_exist_is_said(shelf, layer, unit, said) -> None:
    """A sentence that names what there is."""
    with pytest.raises(UsageError, match=said):
        facts(shelf.book("plain"), NONE, layer=layer, unit=unit)


def test_json_is_the_page(shelf) -> None:
    """?format=json gives the same values, unrounded, and no NaN or infinity, of dead units too."""
    book = shelf.book("full")
    with viewing(book.file.path) as client:
        for unit in (2, SPARSE, DEAD):
            data = client.get(f"/full/l/features.1/u/{unit}?format=json").json()
            page = facts(book, NONE, layer="features.1", unit=unit)
            assert data["numbers"] == asdict(page.numbers)
            assert [one["value"] for one in data["peaks"]] == [one.value for one in page.peaks]
            json.dumps(data, allow_nan=False)


def test_the_page_s_words(shelf) -> None:
    """A name is the closest concept with its score; no name, no dissection, dead and unprojected units say so."""
    book = shelf.book("full")
    with viewing(book.file.path) as client:
        named, unnamed, dead, dense = (
            client.get(f"/full/l/{layer}/u/{unit}").text
            for layer, unit in (("features.1", 2), ("features.1", 3), ("features.1", DEAD), ("classifier.1", 2))
        )
    page = facts(book, NONE, layer="features.1", unit=2)
    assert f"score {page.guess.score:.2f}, IoU {page.guess.iou:.2f}" in named
    assert "closest concept: <b>" in named
    assert "&lt;i&gt;2&lt;/i&gt;" in named
    assert "<i>2</i>" not in named
    assert "no concept comes close" in unnamed
    assert "A dead unit: never above zero in 38 images" in dead
    assert "This unit has no projections in this atlas" in dense
    assert "was not dissected" in dense


def test_a_unit_without_tiles_says_so(shelf, tmp_path) -> None:
    """In a sampled atlas, its values and pictures are still there."""
    copy = Path(shutil.copy(shelf.book("plain").file.path, tmp_path / "sampled.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM sheet WHERE unit = 4")
    with viewing(copy) as client:
        text = client.get("/sampled/l/features.1/u/4").text
        facts = client.get("/sampled/l/features.1/u/4?format=json").json()
    assert "the build kept those of some units of this layer only" in text
    assert facts["patches"] is None
    assert facts["looks"] == []
    assert len(facts["peaks"]) == 9


def test_a_class_without_images_is_not_shown(shelf, tmp_path) -> None:
    """A class that has a name but no image has no mean."""
    copy = Path(shutil.copy(shelf.book("plain").file.path, tmp_path / "classes.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE statistic SET value = '[10,0,10,10]' WHERE name = 'class_counts'")
    shelf = Shelf([copy])
    page = facts(shelf.book("classes"), NONE, layer="features.1", unit=0)
    assert sorted(one.name for one in page.classes) == sorted(set(CLASSES) - {"ring"})
    shelf.close()


def test_the_histogram_is_drawn_to_scale(shelf) -> None:
    """The tallest bar has the plot's height, a bar's height is its share of it; a triangle for every mark."""
    page = facts(shelf.book("plain"), NONE, layer="features.1", unit=0)
    assert isinstance(page.histogram, Chart)
    svg = str(environment().get_template("macros.html").module.histogram(page.histogram))
    tallest = max(bar.value for bar in page.histogram.bars)
    for bar in page.histogram.bars:
        assert f'height="{round(120 * bar.value / tallest, 2)}"' in svg
    assert svg.count('class="triangle"') == len(page.histogram.marks)


def test_the_page_stands_in_the_table() -> None:
    """Its route and template are the ones that the links lead to."""
    assert route_of(PAGES["unit"]) == "/{atlas}/l/{layer}/u/{unit:int}"


def test_an_output_without_a_name_is_called_so(tmp_path: Path) -> None:
    """A class by its name; of an output of which none is known the number, and that it is one."""
    path = small_atlas(tmp_path / "small.atlas")
    uses = [ClassUse(output=4, name="cat", amount=0.5, images=2), ClassUse(output=7, name="7", amount=-0.25, images=1)]
    with AtlasWriter.resume(path) as writer:
        writer.put_used_for(0, [(0, uses)])
    with viewing(path) as browser:
        text = browser.get("/small/l/features.1/u/0").text
    assert '<th scope="row">cat</th>' in text and '<th scope="row">output 7</th>' in text
