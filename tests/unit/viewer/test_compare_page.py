"""Comparisons: what stands side by side is what each page says alone, and matches are what a slow search finds."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerscope.changes.matching import correlations, greedy, shared_images
from layerscope.core.errors import UsageError
from layerscope.core.records import Peaks
from layerscope.viewer.app import links_of
from layerscope.viewer.pages import Query, unit
from layerscope.viewer.pages.compare import facts
from layerscope.viewer.pages.two_layers import distance
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.viewing import viewing

DEAD = 11


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("compare")
    made = Shelf([small_atlas(folder / "one.atlas"), full_atlas(folder / "two.atlas")])
    yield made
    made.close()


def asked(text: str) -> Query:
    return Query.of(parse_qsl(text))


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 11)), min_size=1, max_size=4))
def test_addresses_come_back(shelf, wanted) -> None:
    """The link to a comparison, read again, names the same units in the same order; doubles too."""
    book = shelf.book("one")
    places = [(book.layers[layer], number) for layer, number in wanted]
    page = facts(book, asked(urlsplit(links_of(book).compare(*places)).query), shelf=shelf)
    assert [(one.layer, one.unit) for one in page.units] == places
    assert len(page.pairs) == len(wanted) * (len(wanted) - 1) // 2


def test_units_say_what_their_pages_say(shelf) -> None:
    """Across two atlases: peaks, numbers, the first three classes, the name, and whose sheets they are."""
    query = asked("u=features.4:3&u=two/features.4:2&u=classifier.1:0")
    page = facts(shelf.book("one"), query, shelf=shelf)
    assert [one.slug for one in page.units] == ["one", "two", "one"]
    for one in page.units:
        alone = unit.facts(shelf.book(one.slug), Query(), layer=one.layer.name, unit=one.unit)
        assert (one.peaks, one.numbers, one.classes) == (alone.peaks, alone.numbers, alone.classes[:3])
        assert one.patches == alone.patches
        assert one.projections == (alone.looks[0].sheet if alone.looks else None)
        assert one.name == (alone.guess.concept if alone.guess else "")


def test_an_undissected_layer_is_said_to_be_one(shelf) -> None:
    """Nobody looked for a concept there, which is not that none comes close."""
    with viewing(shelf.path("two")) as browser:
        text = browser.get("/two/compare?u=classifier.1:0&u=features.4:2").text
    assert text.count("this layer was not dissected") == 1


def test_what_two_units_share(shelf) -> None:
    """Images in common and correlation as NumPy has it; a unit with itself shares all."""
    book = shelf.book("one")
    page = facts(book, asked("u=features.1:3&u=features.4:5&u=features.1:3"), shelf=shelf)
    images = [{peak.image for peak in one.peaks} for one in page.units]
    rows = [book.file.unit_statistics(one.layer.id).class_means[one.unit].astype(float) for one in page.units]
    for pair in page.pairs:
        assert pair.shared == len(images[pair.first] & images[pair.second])
        assert pair.correlation == pytest.approx(np.corrcoef(rows[pair.first], rows[pair.second])[0, 1])
    assert page.pairs[1].shared == page.pairs[1].of == 9
    assert page.pairs[1].correlation == pytest.approx(1)


def test_other_images_and_classes_are_not_compared(shelf, tmp_path) -> None:
    """Atlases of other images and classes have neither in common; nothing is made up."""
    other = Path(shutil.copy(shelf.book("one").file.path, tmp_path / "other.atlas"))
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE run SET fingerprint = replace(fingerprint, '07bd', '17bd')")
        connection.execute("""UPDATE statistic SET value = '["a","b","c","d"]' WHERE name = 'classes'""")
    both = Shelf([shelf.path("one"), other])
    (pair,) = facts(both.book("one"), asked("u=features.1:3&u=other/features.1:3"), shelf=both).pairs
    assert pair.shared is None
    assert pair.correlation is None
    matched = facts(both.book("one"), asked("a=other&l=features.1"), shelf=both).matched
    assert (matched.by, matched.matched, matched.pairs, matched.median) == ("", 0, (), None)
    both.close()


def test_layers_side_by_side(shelf) -> None:
    """Dead units, distinct images, names and quartiles are counted again; the greatest distance stands first."""
    book = shelf.book("two")
    page = facts(book, asked("l=features.1&l=classifier.1"), shelf=shelf)
    for one in page.layers:
        peaks = book.file.all_peaks(one.layer.id)
        assert one.dead == 1
        assert one.distinct == len({int(image) for image in peaks.image.ravel() if image >= 0})
        assert set(one.examples) <= set(range(DEAD))
    assert page.layers[0].named == 6
    assert page.layers[1].named is None
    above = next(one for one in page.statistics if one.name == "images above zero")
    values = book.file.unit_statistics(page.layers[0].layer.id).images_above[:DEAD]
    assert above.first.median == pytest.approx(np.median(values))
    assert above.first.low == pytest.approx(np.quantile(values, 0.25))
    distances = [one.distance for one in page.statistics]
    assert distances == sorted(distances, reverse=True)
    assert len(distances) == 4


def test_two_atlases_of_the_same_classes(shelf) -> None:
    """Matched by class means; each unit once, best first, and what is left over is counted. An atlas with itself: every
    live unit with itself."""
    one, two = shelf.book("one"), shelf.book("two")
    found = facts(one, asked("a=two&l=features.4"), shelf=shelf).matched
    assert found.by == "class means"
    scores = [pair.score for pair in found.pairs]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    for side in ("first", "second"):
        numbers = [getattr(pair, side) for pair in found.pairs]
        assert len(set(numbers)) == len(numbers) == found.matched
    assert found.unmatched == (12 - found.matched, 12 - found.matched)
    rows = [book.file.unit_statistics(book.layer("features.4").id).class_means.astype(float) for book in (one, two)]
    best = found.pairs[0]
    assert best.score == pytest.approx(np.corrcoef(rows[0][best.first], rows[1][best.second])[0, 1])
    images = [{peak.image for peak in book.file.peaks(1, n)} for book, n in ((one, best.first), (two, best.second))]
    assert best.shared == pytest.approx(len(images[0] & images[1]) / min(map(len, images)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("u=features.1", "names no unit"),
        ("u=features.1:x", "names no unit"),
        ("u=features.1:99", "has units 0 to 11"),
        ("u=nothing:1", 'no layer "nothing"'),
        ("u=a:1&u=a:1&u=a:1&u=a:1&u=a:1", "at most 4 units"),
        ("l=features.1", "two layers stand side by side, this address names 1"),
        ("a=three&l=features.1", 'no other atlas "three" here; there are two'),
        ("a=one&l=features.1", 'no other atlas "one"'),
        ("a=two", "name the layer"),
    ],
)
def test_what_cannot_be_compared_is_said(shelf, text, said) -> None:
    """A sentence that says what to write."""
    with pytest.raises(UsageError, match=said):
        facts(shelf.book("one"), asked(text), shelf=shelf)


def test_without_a_shelf_there_is_one_atlas(shelf) -> None:
    """As in an export: units of the book itself can be compared, those of others not."""
    page = facts(shelf.book("one"), asked("u=features.1:0&u=features.4:0"))
    assert len(page.units) == 2
    assert page.others == ()
    with pytest.raises(UsageError, match="the only one"):
        facts(shelf.book("one"), asked("a=two&l=features.1"))


@pytest.mark.parametrize(
    "query", ["", "?u=features.1:2&u=two/features.1:11", "?l=features.1&l=features.4", "?a=two&l=features.1"]
)
def test_every_comparison_is_a_page(shelf, query) -> None:
    """As HTML and as JSON without NaN; a dead unit stands in its column and says so."""
    with viewing(shelf.path("one"), shelf.path("two")) as client:
        page = client.get(f"/one/compare{query}")
        data = client.get(f"/one/compare{query}{'&' if query else '?'}format=json")
    assert page.status_code == data.status_code == 200
    assert "NaN" not in data.text
    assert ("A dead unit" in page.text) == ("features.1:11" in query)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.sampled_from([-1, 0, 0.25, 0.5, 1]))
)
def test_greedy_takes_the_best_first(scores) -> None:
    """As a loop that looks for the highest of what is left, the first of equals."""
    left, found = scores.copy(), []
    while left.size and left.max() > 0:
        row, col = map(int, np.unravel_index(left.argmax(), left.shape))
        found.append((row, col))
        left[row], left[:, col] = -np.inf, -np.inf
    assert greedy(scores, least=0.0) == found


@given(arrays(np.float32, (3, 5), elements=st.sampled_from([0, 0.5, 1, 2, 7])))
def test_correlation_is_pearson_s(rows) -> None:
    """Of rows that vary; a constant row goes with nothing."""
    found = correlations(rows, rows)
    for one, other in np.ndindex(3, 3):
        if rows[one].std() == 0 or rows[other].std() == 0:
            assert found[one, other] == 0
        else:
            assert found[one, other] == pytest.approx(np.corrcoef(rows[one], rows[other])[0, 1], abs=1e-6)


@given(st.lists(st.lists(st.integers(0, 9), unique=True, max_size=4), min_size=2, max_size=5))
def test_shared_images_are_those_of_sets(images) -> None:
    """The share of the fewer; 0 where one has none."""
    peaks = Peaks.empty(len(images), 4)
    for row, found in enumerate(images):
        peaks.image[row, : len(found)] = found
    shares = shared_images(peaks, peaks)
    for one, other in np.ndindex(*shares.shape):
        fewer = min(len(images[one]), len(images[other]))
        common = len(set(images[one]) & set(images[other]))
        assert shares[one, other] == pytest.approx(common / fewer if fewer else 0)


def test_distance_between_distributions() -> None:
    """0 of the same, 1 where they do not overlap, a half where half of one lies beyond the other."""
    low, high = np.arange(4, dtype=np.float32), np.arange(4, dtype=np.float32) + 10
    assert distance(low, low) == 0
    assert distance(low, high) == 1
    assert distance(low, np.concatenate([low, high])) == pytest.approx(0.5)
