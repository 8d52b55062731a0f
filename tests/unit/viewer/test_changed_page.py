"""The page of what changed says what the comparison found, leads to both units, and tells which atlas is which."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.changes.diff import changes
from layerscope.core.changes import MATCHED, NAMES
from layerscope.core.errors import UsageError
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.pages import PAGES, Query, home
from layerscope.viewer.pages.changed import SHOWN, facts
from layerscope.viewer.pages.compare import facts as side_by_side
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.changing import changed
from tests.helpers.viewing import HOSTILE_NAMES, rename_all, viewing

NONE = Query()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("changed")


@pytest.fixture(scope="module")
def paths(folder) -> tuple[Path, Path]:
    """In features.4 units 1 and 3 changed places, 5 is dead, and 6 is another's."""
    before = full_atlas(folder / "Before one.atlas", images=300)
    apart = full_atlas(folder / "apart.atlas", images=300, seed=7)
    with changed(folder / "after.atlas", before, 1) as rows:
        rows.swap(1, 3)
        rows.kill(5)
        rows.replace(6, apart, by=6)
    return before, folder / "after.atlas"


@pytest.fixture(scope="module")
def shelf(paths) -> Iterator[Shelf]:
    made = Shelf(paths)
    yield made
    made.close()


def asked(text: str) -> Query:
    return Query.of(parse_qsl(text))


def test_the_page_says_what_was_found(shelf, paths) -> None:
    """The same layers in the same order, the same units but for those that are matched, and how many of each word."""
    page = facts(shelf.book("before-one"), NONE, shelf=shelf)
    with AtlasFile(paths[0]) as one, AtlasFile(paths[1]) as other:
        found = changes(one, other)
    assert tuple(one.change for one in page.layers) == found.layers
    assert [one.change for one in page.units] == [one for one in found.units if one.change != MATCHED]
    assert [(name, count) for name, _, count in page.words] == [(name, found.count(name)) for name in NAMES]
    assert (page.before, page.after, page.other) == (found.before, found.after, "after")
    assert page.before.title == "Before one" and page.differing[0] == "weights"
    assert facts(shelf.book("before-one"), NONE, shelf=shelf) == page


def test_a_layer_shows_all_its_units_and_a_word_those_it_is_said_of(shelf) -> None:
    """The matched ones come last; the numbers of the words are the layer's."""
    book = shelf.book("before-one")
    page = facts(book, asked("l=features.4"), shelf=shelf)
    assert page.found == len(page.units) == 12
    assert {one.change.layer for one in page.units} == {"features.4"}
    assert page.units[-1].change.change == MATCHED
    for name, _, count in page.words:
        of_word = facts(book, asked(f"l=features.4&only={name}"), shelf=shelf)
        assert of_word.found == count == sum(one.change.change == name for one in page.units)
    assert facts(book, asked("only=matched"), shelf=shelf).found == 11 + 11 + 7


def test_lists_go_on_from_page_to_page(shelf) -> None:
    """Each unit stands once, whatever page is asked for."""
    book = shelf.book("before-one")
    first = facts(book, asked("only=matched"), shelf=shelf)
    rest = facts(book, asked(f"only=matched&from={SHOWN + 3}"), shelf=shelf)
    assert (len(first.units), rest.first, len(rest.units)) == (SHOWN, SHOWN, first.found - SHOWN)
    assert not set(first.units) & set(rest.units)
    assert facts(book, asked("only=matched&from=nonsense"), shelf=shelf).first == 0


def test_each_unit_is_a_click_from_side_by_side(shelf) -> None:
    """A pair leads to its two units; one without a partner stands beside the nearest that there is."""
    book = shelf.book("before-one")
    for one in facts(book, NONE, shelf=shelf).units:
        if one.first.unit is None or one.second.unit is None:
            assert one.change.nearest is None
            continue
        assert (one.first.nearest, one.second.nearest) == (one.change.unit is None, one.change.other is None)
        columns = side_by_side(book, asked(f"u={one.first.spec}&u={one.second.spec}"), shelf=shelf).units
        assert [(column.slug, column.unit) for column in columns] == [
            ("before-one", one.first.unit), ("after", one.second.unit),
        ]  # fmt: skip
        assert [column.side.title for column in columns] == ["Before one", "after"]
        assert set(one.first.sheets) == {sheet for sheet in (columns[0].patches, columns[0].projections) if sheet}


def test_pages_lead_to_each_other(paths) -> None:
    """From the first page to the table, to a layer, to two units side by side: every link on the way is there."""
    with viewing(*paths) as client:
        first = client.get("/").text
        (way,) = re.findall(r'href="([^"]+changed[^"]*)"', first)
        assert "What changed between these" in first
        table = client.get(unquote(way.replace("&amp;", "&")))
        assert table.status_code == 200
        sides = table.text.partition('<dl class="sides">')[2].partition("</dl>")[0]
        assert sides.index("weights 51fe51fe") < sides.index("weights a0c4a0c4")
        links = set(re.findall(r'href="([^"#]+)', table.text))
        for link in sorted(links):
            address = link.replace("&amp;", "&")
            found = client.get(f"/before-one/changed{address}" if address.startswith("?") else address)
            assert found.status_code == 200, address


def test_other_questions_are_pages_too(paths) -> None:
    """As HTML and as JSON without NaN: a layer, a word, another measure, a later page, the other way round."""
    with viewing(*paths) as client:
        for query in ("", "l=features.4", "only=dead", "least=0.01", "only=matched&from=24", "l=classifier.1&only=new"):
            page, data = (client.get(f"/after/changed?{query}{more}") for more in ("", "&format=json"))
            assert page.status_code == data.status_code == 200
            assert "NaN" not in data.text
            assert json.loads(data.text)["before"]["title"] == "after"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("a=nothing", 'no other atlas "nothing" here; there are after'),
        ("a=before-one", 'no other atlas "before-one"'),
        ("l=nolayer", 'no layer "nolayer"'),
        ("only=gone", 'only "gone" is not known: choose matched'),
        ("least=0", "least= must be a number from 0.01 to 1, got 0"),
        ("least=many", "least= must be a number from 0.01 to 1"),
    ],
)
def test_what_is_not_there_is_said(shelf, query, said) -> None:
    """A sentence that says what to write."""
    with pytest.raises(UsageError, match=said):
        facts(shelf.book("before-one"), asked(query), shelf=shelf)


def test_one_atlas_alone_says_how_to_show_two(paths) -> None:
    """And the first page offers nothing."""
    with viewing(paths[0]) as client:
        assert "Only one atlas is shown" in client.get("/before-one/changed").text
        assert "changed" not in client.get("/").text


def test_of_several_atlases_one_is_chosen(paths, tmp_path) -> None:
    """Each is named with its weights; the first page offers the steps from one to the next."""
    third = small_atlas(tmp_path / "third.atlas", units=3, images=20)
    with viewing(*paths, third) as client:
        page = client.get("/before-one/changed").text
        assert "?a=after" in page and "?a=third" in page and "weights a0c4a0c4" in page
        assert client.get("/before-one/changed?a=third").status_code == 200
        first = client.get("/").text
        assert "What changed from Before one to after" in first and "What changed from after to third" in first


def test_only_what_can_be_compared_is_offered(paths, tmp_path) -> None:
    """Not an atlas without a layer or an image in common, nor an unfinished one: neither on the first page nor on that
    of what changed; where nothing is left, this is said."""
    layers, images = (full_atlas(tmp_path / f"{name}.atlas", images=300) for name in ("layers", "images"))
    begun = small_atlas(tmp_path / "begun.atlas", finished=False, units=3, images=20)
    with closing(sqlite3.connect(layers)) as rows, rows:
        rows.execute("UPDATE layer SET name = 'other.' || name")
    with closing(sqlite3.connect(images)) as rows, rows:
        rows.execute("UPDATE image SET sha256 = 'f' || sha256")
        rows.execute("UPDATE run SET fingerprint = json_set(fingerprint, '$.images', 'other')")
    with viewing(paths[0], layers, images, begun, paths[1]) as client:
        first = client.get("/").text
        assert re.findall(r">What changed ([^<]+)<", first) == ["from Before one to after"]
        one = client.get("/before-one/changed").text
        assert '<option value="after" selected>' in one and 'value="layers"' not in one
        alone = client.get("/layers/changed").text
        assert "layers cannot be compared with Before one, images, begun, after" in alone
    with viewing(paths[0], layers) as client:
        assert "changed" not in client.get("/").text


def test_what_cannot_be_compared_is_a_page_with_a_sentence(paths, tmp_path) -> None:
    """Without a path: of a build that goes on, and of one file under two names."""
    begun = small_atlas(tmp_path / "begun.atlas", finished=False, units=3, images=20)
    with viewing(paths[0], begun, paths[0]) as client:
        said = client.get("/before-one/changed?a=begun")
        assert said.status_code == 200 and "begun is unfinished" in said.text and str(tmp_path) not in said.text
        said = client.get("/before-one/changed?a=before-one-2")
        assert "is named twice" in said.text and str(paths[0].parent) not in said.text


@pytest.mark.parametrize("name", HOSTILE_NAMES[:2])
def test_hostile_names_are_text(name, tmp_path) -> None:
    """Of networks, layers, concepts and classes."""
    paths = [small_atlas(tmp_path / f"{seed}.atlas", units=4, images=20, seed=seed) for seed in (1, 2)]
    for path in paths:
        rename_all(path, name)
    with viewing(*paths) as client:
        for address in ("/1/changed", "/1/changed?l=l1", "/1/compare?a=2&l=l1", "/"):
            text = client.get(address).text
            assert "<img src=x" not in text and "<script>alert" not in text
            assert "{{7*7}}" in text or "{{7*7}}" not in name


def test_an_export_has_no_such_page(paths) -> None:
    """Its atlas is alone there: nothing leads to one."""
    assert not PAGES.known("changed").exported
    with planned(paths[0], ExportChoice()) as plan:
        assert not [piece.path for piece in plan.pieces if piece.path.startswith("changed")]
        compare = next(piece for piece in plan.pieces if piece.path == "compare.html")
        assert "changed.html" not in plan.content(compare).decode()


def test_the_first_page_tells_atlases_apart(shelf) -> None:
    """By weights and date, where there are several."""
    page = home.facts(shelf, NONE)
    assert [one.side.weights for one in page.atlases] == ["51fe51fe", "a0c4a0c4"]


def test_two_layers_matched_can_be_seen_from_the_worst(shelf) -> None:
    """The same pairs the other way round; the units that are left over are listed; which is which is said."""
    book = shelf.book("before-one")
    best, worst = (side_by_side(book, asked(f"a=after&l=features.4&order={way}"), shelf=shelf).matched
                   for way in ("best", "worst"))  # fmt: skip
    assert worst.pairs == best.pairs[::-1]
    assert (best.first_side.title, best.second_side.title) == ("Before one", "after")
    assert [len(best.left), len(best.right)] == list(best.unmatched)
    taken = {pair.first for pair in best.pairs}
    assert {one.unit for one in best.left} == set(range(12)) - taken
    for pair in best.pairs:
        units = side_by_side(book, asked(f"u={pair.first_spec}&u={pair.second_spec}"), shelf=shelf).units
        assert [one.unit for one in units] == [pair.first, pair.second]
        assert {units[0].patches, units[0].projections} - {None} == set(pair.first_sheets)
    address = urlsplit("/before-one/compare?a=after&l=features.4&order=worst").geturl()
    with viewing(shelf.path("before-one"), shelf.path("after")) as client:
        text = client.get(address).text
        assert "weights 51fe51fe" in text and "weights a0c4a0c4" in text and "Unmatched" in text


def test_another_least_asks_nothing_of_the_atlases_again(shelf, paths, monkeypatch) -> None:
    """What is known of the units is kept; what is told is what a fresh comparison tells."""
    book = shelf.book("before-one")
    facts(book, NONE, shelf=shelf)
    with AtlasFile(paths[0]) as one, AtlasFile(paths[1]) as other:
        expected = changes(one, other, least=0.31)
    monkeypatch.setattr("layerscope.changes.diff.profiles", None)
    page = facts(book, asked("least=0.31"), shelf=shelf)
    assert tuple(one.change for one in page.layers) == expected.layers
    assert [one.change for one in page.units] == [one for one in expected.units if one.change != MATCHED][:SHOWN]
