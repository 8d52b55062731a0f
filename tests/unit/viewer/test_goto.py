"""What is written into "go to" leads to a layer, a unit, a concept's units or an image; or a sentence says why not."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.viewer.pages import network
from layerscope.viewer.pages.goto import MOST, target, targets
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.wide import wide_atlas

UNITS = 70


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("goto")
    made = Shelf([small_atlas(folder / "small.atlas"), wide_atlas(folder / "wide.atlas", UNITS)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def book(shelf: Shelf) -> Book:
    return shelf.book("small")


def test_a_layer_is_found_by_any_of_its_names(book: Book) -> None:
    """Name and alias lead to the layer; the beginning of names to all that begin so."""
    assert target(book, "features.4").layer.name == "features.4"
    assert target(book, " features.0 ").layer.name == "features.1"
    assert [one.layer.name for one in targets(book, "FEAT")] == ["features.1", "features.4"]


@pytest.mark.parametrize(
    "text", ["features.4 7", "features.4:7", "features.4/7", "features.4 u7", "features.4  unit 7"]
)
def test_a_layer_and_a_number_are_a_unit(book: Book, text: str) -> None:
    """However the two are set apart."""
    found = target(book, text)
    assert (found.layer.name, found.unit, found.image) == ("features.4", 7, None)


@given(st.integers(0, 39))
def test_i_and_a_number_are_an_image(book: Book, image: int) -> None:
    """Also when the word is written out."""
    assert target(book, f"i {image}").image == target(book, f"image {image}").image == image


def test_a_concept_leads_to_its_units_best_first(shelf: Shelf) -> None:
    """All units that it names, the highest score first, at most as many as a page can list."""
    wide = shelf.book("wide")
    found = targets(wide, "Whe")
    scores = {one.unit: one.best.score for one in wide.file.concepts(0) if one.best}
    assert {one.unit for one in found} == set(scores)
    assert [scores[one.unit] for one in found] == sorted(scores.values(), reverse=True)
    assert len(found) <= MOST and all("guess wheel" in one.words for one in found)


@pytest.mark.parametrize(
    "text", ["zebra", "", "features.4 12", "i 40", "i 99999999999", "features.4 -1", "9" * 300, "\u0663"]
)
def test_what_is_not_there_is_said_in_a_sentence(book: Book, text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError):
        target(book, text)


@given(st.text(min_size=1, max_size=40))
def test_any_text_is_an_answer_or_a_sentence(shelf: Shelf, text: str) -> None:
    """Strangers may write anything: targets, or a UsageError, and the page holds both."""
    for book in shelf:
        page = network._asked(book, text)
        assert bool(page[0]) != bool(page[1])


def test_the_network_page_says_where_the_words_lead(book: Book) -> None:
    """?go= puts the targets, or the reason why there is none, on the page."""
    found = network.facts(book, Query.of([("go", "features.4 7")]))
    assert [(one.layer.name, one.unit) for one in found.targets] == [("features.4", 7)] and not found.error
    lost = network.facts(book, Query.of([("go", "zebra")]))
    assert lost.targets == () and "zebra" in lost.error
    assert network.facts(book, Query()).error == ""
