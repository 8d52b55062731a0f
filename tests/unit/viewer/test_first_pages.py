"""Home, network and concepts: their numbers are the file's, their drawing is to scale, names are only text."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from layerscope.core.geometry import Field, Window
from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.pages import concepts, home, network
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.representatives import representatives, representatives_across
from layerscope.viewer.pages.strip import strip_of
from layerscope.viewer.render import asset_marks, render
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import CLASSES, SIDE, small_atlas
from tests.helpers.books import named_atlas
from tests.helpers.wide import wide_atlas

UNITS = 70
NONE = Query()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    folder: Path = tmp_path_factory.mktemp("first")
    made = Shelf([small_atlas(folder / "small.atlas"), wide_atlas(folder / "wide.atlas", UNITS)])
    yield made
    made.close()


def links_of(book: Book) -> ServerLinks:
    return ServerLinks(book.slug, book.mark, asset_marks())


def html(template: str, page: object, book: Book | None, shelf: Shelf) -> str:
    link = links_of(book) if book else ServerLinks("", "", asset_marks())
    return render(template, page=page, book=book, shelf=shelf, link=link, links_of=links_of, live=False)


def test_home_counts_what_each_file_holds(shelf: Shelf) -> None:
    """Layers, units and images of every atlas, in the order given; a cover of at most one unit a layer."""
    page = home.facts(shelf, NONE)
    assert [one.slug for one in page.atlases] == ["small", "wide"] and page.missing == ()
    for one in page.atlases:
        file = shelf.book(one.slug).file
        assert one.units == sum(layer.record.units for layer in file.layers)
        assert one.scanned == file.unit_statistics(0).histogram[0].sum()
        assert len({unit.layer.id for unit in one.cover}) == len(one.cover)
    text = html("home.html", page, None, shelf)
    assert "Two atlases" in text and ">layer4.2</a> has 70 units" in text
    for one in page.atlases:
        assert f'<a class="button" href="/{one.slug}/">Start here: the lesson</a>' in text


def test_a_removed_atlas_is_named_and_the_others_stay(tmp_path: Path) -> None:
    """Home goes on without it, and says so."""
    paths = [small_atlas(tmp_path / "a.atlas", units=3), small_atlas(tmp_path / "b.atlas", units=3)]
    shelf = Shelf(paths)
    paths[0].unlink()
    page = home.facts(shelf, NONE)
    assert (page.missing, [one.slug for one in page.atlases]) == (("a.atlas",), ["b"])
    assert "a.atlas cannot be shown now" in html("home.html", page, None, shelf)


def test_one_opens_the_deepest_layer_whose_marks_are_its_own(shelf: Shelf, tmp_path: Path) -> None:
    """Both layers' marks are, and features.4 is the deeper one. Without that, in early atlases, it is specificity."""
    one = home.facts(shelf, NONE).atlases[0]
    assert one.start.name == "features.4" and "mark partly what is its units' own (selectivity" in one.why
    for change, layer, why in (
        ("UPDATE statistic SET value = replace(value, '0.3', '0.1') WHERE name = 'retention' AND layer = 1",
         "features.1", "selectivity"),
        ("DELETE FROM statistic WHERE name = 'retention'", "features.4", "specificity 0.50"),
        ("DELETE FROM statistic WHERE name IN ('retention', 'specificity')", "features.1", ""),
    ):  # fmt: skip
        path = small_atlas(tmp_path / "early.atlas")
        with closing(sqlite3.connect(path)) as atlas, atlas:
            atlas.execute(change)
        early = Shelf([path])
        found = home.facts(early, NONE).atlases[0]
        assert found.start.name == layer and why in found.why
        early.close()
        path.unlink()


def test_one_opens_the_layer_of_which_most_names_stand(tmp_path: Path) -> None:
    """It is the first one where names were tried, whatever the marks of deeper ones."""
    shelf = Shelf([named_atlas(tmp_path / "named.atlas")])
    one = home.facts(shelf, NONE).atlases[0]
    assert one.start.name == "features.1" and "names of 1 of its 12 units stand" in one.why
    shelf.close()


def test_a_cover_shows_what_concepts_name_best_one_unit_a_concept(shelf: Shelf) -> None:
    """Then a seeded sample of live units with tiles; never a dead one, ascending, the same every time."""
    book = shelf.book("wide")
    units = representatives(book, book.layers[0], 6)
    best = max((one for one in book.file.concepts(0) if one.best), key=lambda one: (one.best.score, -one.unit))
    assert [one.unit for one in units if one.name] and best.unit in [one.unit for one in units]
    assert [one.unit for one in units] == sorted({one.unit for one in units}) and len(units) == 6
    assert UNITS - 1 not in [one.unit for one in units]
    assert representatives(book, book.layers[0], 6) == units
    assert [one.layer.name for one in representatives_across(shelf.book("small"), 6)] == ["features.1", "features.4"]


def test_the_strip_is_to_scale(shelf: Shelf) -> None:
    """Sides of maps and fields are to the input's side as their px are to its px; bars are to one another as units."""
    layers = shelf.book("small").layers
    drawn = strip_of(layers, (SIDE, SIDE))
    for layer, one in zip(layers, drawn.columns, strict=True):
        if layer.record.map:
            assert one.map.height / one.input.height == pytest.approx(layer.record.map[0] / SIDE, abs=0.01)
            share = float(layer.record.field.rows.size) / SIDE
            assert one.field.height / one.input.height == pytest.approx(share, abs=0.01)
        else:
            assert one.map is None and one.seen is None and one.field == one.input
        middle = one.input.left + one.input.width / 2
        assert one.field.left + one.field.width / 2 == pytest.approx(middle, abs=0.02)
    assert len({one.units.height for one in drawn.columns}) == 1


def test_fifteen_layers_are_seen_whole(shelf: Shelf) -> None:
    """In a window of 1280 px, where a page is 1178 px wide; more are scrolled to, each as wide as it can be read."""
    layer = shelf.book("small").layers[0]
    widths = {count: strip_of((layer,) * count, (SIDE, SIDE)).width for count in (1, 8, 15, 40)}
    assert [width <= 1178 for width in widths.values()] == [True, True, True, False]
    assert strip_of((layer,) * 40, (SIDE, SIDE)).step >= 68


def test_a_field_larger_than_the_picture_is_drawn_as_its_part_inside(shelf: Shelf) -> None:
    """On each axis for itself."""
    from dataclasses import replace

    layer = shelf.book("small").layers[0]
    field = Field(rows=Window(size=3 * SIDE, step=2, start=0), cols=Window(size=SIDE // 2, step=2, start=0))
    (one,) = strip_of((replace(layer, record=replace(layer.record, field=field)),), (SIDE, SIDE)).columns
    assert one.field.height == one.input.height
    assert one.field.width == pytest.approx(one.input.width / 2, abs=0.02)


def test_the_network_page_says_each_layer_as_the_file_does(shelf: Shelf) -> None:
    """Units, dead units, share of the picture, specificity and what a dissection counted."""
    for book in shelf:
        page = network.facts(book, NONE)
        found = book.file.dissection()
        for one in page.layers:
            peaks = book.file.all_peaks(one.layer.id)
            assert one.dead == int((peaks.image[:, 0] < 0).sum())
            specificity = book.file.statistic("specificity", layer_id=one.layer.id, method=one.layer.method)
            assert one.specificity == (specificity["median"] if one.layer.method else None)
            figures = (
                next((each.figures for each in found.layers if each.layer == one.layer.name), None) if found else None
            )
            assert one.figures == figures
        text = html("network.html", page, book, shelf)
        for one in page.layers:
            assert f">{one.layer.name}</a>" in text


def test_concepts_list_every_named_unit_once(shelf: Shelf) -> None:
    """Under its concept, the highest score first; of an atlas that was not dissected there are classes."""
    wide = concepts.facts(shelf.book("wide"), NONE)
    named = {one.unit: one.best.score for one in shelf.book("wide").file.concepts(0) if one.best}
    (concept,) = wide.concepts
    assert {one.unit: one.score for one in concept.detectors} == named
    assert [one.score for one in concept.detectors] == sorted(named.values(), reverse=True)
    assert concept.sheet is not None and concept.sheet.unit == concept.detectors[0].unit
    assert concepts.facts(shelf.book("wide"), Query.of([("q", "zebra")])).concepts == ()
    small = concepts.facts(shelf.book("small"), NONE)
    assert not small.dissected and small.title == "Classes"
    assert "was not dissected" not in html("concepts.html", small, shelf.book("small"), shelf)


def test_classes_are_in_the_head_of_an_atlas_that_was_not_dissected(shelf: Shelf, tmp_path: Path) -> None:
    """The head leads to the index wherever a name leads to units, and nowhere else."""
    text = html("network.html", network.facts(shelf.book("small"), NONE), shelf.book("small"), shelf)
    assert '<a href="/small/concepts" data-place="concepts">Classes</a>' in text
    path = small_atlas(tmp_path / "plain.atlas", units=3)
    with closing(sqlite3.connect(path)) as atlas, atlas:
        atlas.execute("DELETE FROM statistic WHERE name IN ('classes', 'class_counts')")
    plain = Shelf([path])
    book = plain.book("plain")
    assert not concepts.has(book)
    assert "was not dissected" in html("concepts.html", concepts.facts(book, NONE), book, plain)
    assert "/plain/concepts" not in html("network.html", network.facts(book, NONE), book, plain)
    plain.close()


def test_many_classes_are_an_index_of_pictures(tmp_path: Path) -> None:
    """By letter, one unit each, in less than 300 kB for a thousand classes, and each picture waits until it is seen."""
    names = tuple(f"{letter}{number:02d}" for letter in "abcdefghij" for number in range(100))
    made = Shelf([wide_atlas(tmp_path / "many.atlas", 24, classes=names)])
    book = made.book("many")
    page = concepts.facts(book, NONE)
    text = html("concepts.html", page, book, made)
    assert page.many and [one.name for one in page.classes] == sorted(one.name for one in page.classes)
    assert [initial for initial in "ABCDEFGHIJ" if f"<h3>{initial}</h3>" in text] == list("ABCDEFGHIJ")
    assert len(page.classes) > 900 and len(text.encode()) < 300_000
    assert text.count("<img ") == text.count('loading="lazy"')
    made.close()


def test_names_are_in_the_order_of_a_dictionary(tmp_path: Path) -> None:
    """Capital letters do not come first: no letter is begun twice."""
    names = ("zebra", "Airedale", "abacus", "Zinnia", "beagle", "Angora", "acorn")
    made = Shelf([wide_atlas(tmp_path / "some.atlas", 24, classes=names)])
    found = [one.name for one in concepts.facts(made.book("some"), NONE).classes]
    assert found == [
        one for one in ("abacus", "acorn", "Airedale", "Angora", "beagle", "zebra", "Zinnia") if one in found
    ]
    assert len(found) > 4
    made.close()


def test_classes_lead_to_units_whose_mean_stands_out(shelf: Shelf) -> None:
    """The ratio is the class's mean over the mean of all classes, of the file's own numbers; highest first."""
    book = shelf.book("small")
    page = concepts.facts(book, NONE)
    assert {one.name for one in page.classes} == set(CLASSES)
    for one in page.classes:
        assert [f.ratio for f in one.followers] == sorted((f.ratio for f in one.followers), reverse=True)
        for follower in one.followers:
            means = book.file.unit_statistics(follower.layer.id).class_means[follower.unit].astype(float)
            place = book.file.statistic("classes").index(one.name)
            assert follower.mean == pytest.approx(means[place])
            assert follower.ratio == pytest.approx(means[place] / means.mean())


def test_every_page_is_json_without_what_is_no_number(shelf: Shelf) -> None:
    """NaN and infinities are not JSON."""
    book = shelf.book("small")
    for page in (home.facts(shelf, NONE), network.facts(book, NONE), concepts.facts(book, NONE)):
        text = json.dumps(asdict(page), default=str, allow_nan=False)
        assert np.isfinite(len(json.loads(text)))


def test_hostile_names_are_text_on_all_of_them(tmp_path: Path) -> None:
    """A network, layer, concept or class may be called anything."""
    bad = '"><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}'
    made = Shelf([wide_atlas(tmp_path / "a.atlas", 3, name=bad, concept=bad, network=bad, classes=(bad, "cat"))])
    book = made.book("a")
    pages = [
        html("home.html", home.facts(made, NONE), None, made),
        html("network.html", network.facts(book, NONE), book, made),
        html("concepts.html", concepts.facts(book, Query.of([("q", "img")])), book, made),
    ]
    for text in pages:
        assert "<img src=x" not in text and "<script>" not in text and "{{7*7}}" in text
        assert "&lt;img src=x" in text
