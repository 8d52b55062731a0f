"""Numbers and names of layers lead to a layer, a unit or an image; or a sentence says why not."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.errors import UsageError
from layerscope.viewer.pages.goto import Target, targets
from layerscope.viewer.shelf import Book, Shelf
from tests.helpers.atlases import small_atlas

UNITS, IMAGES = 12, 40


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Iterator[Book]:
    """Three layers of twelve units: features.1, features.4 and classifier.1."""
    made = Shelf([small_atlas(tmp_path_factory.mktemp("goto") / "small.atlas", units=UNITS, images=IMAGES)])
    yield made.book("small")
    made.close()


def said(found: tuple[Target, ...]) -> list[tuple[str | None, int | None, int | None]]:
    return [(one.layer.name if one.layer else None, one.unit, one.image) for one in found]


def test_a_layer_is_found_by_any_of_its_names(book: Book) -> None:
    """Name and alias lead to the layer; the beginning of names to all that begin so, a part to all that hold it."""
    for text, names in (
        ("features.4", ["features.4"]), (" features.0 ", ["features.1"]), ("FEAT", ["features.1", "features.4"]),
        ("sifier", ["classifier.1"]), ("zebra", []), ("", []),
    ):  # fmt: skip
        assert said(targets(book, text)) == [(name, None, None) for name in names]


@pytest.mark.parametrize(
    "text", ["features.4 7", "features.4:7", "features.4/7", "features.4 u7", "features.4  unit 7", "4/7", "4 7", "2/7"]
)
def test_a_layer_and_a_number_are_a_unit(book: Book, text: str) -> None:
    """However the two are set apart. A number stands for the layer that has it in its name, or else that place."""
    assert said(targets(book, text)) == [("features.4", 7, None)]


def test_a_number_that_several_layers_have_means_all_of_them(book: Book) -> None:
    """Both "features.1" and "classifier.1" are layers 1."""
    assert said(targets(book, "1/7")) == [("features.1", 7, None), ("classifier.1", 7, None)]


@given(st.integers(0, IMAGES - 1))
def test_a_number_is_that_unit_of_every_layer_and_that_image(book: Book, number: int) -> None:
    """Behind the layers that have it in their names."""
    found = said(targets(book, str(number)))
    layers = [layer.name for layer in book.layers]
    every = [(layer.name, *layer.record.aliases) for layer in book.layers]
    named = [names[0] for names in every if any(name.endswith(f".{number}") for name in names)]
    units = [(name, number, None) for name in layers] if number < UNITS else []
    assert found == [*((name, None, None) for name in named), *units, (None, None, number)]


@given(st.integers(0, IMAGES - 1))
def test_i_and_a_number_are_an_image(book: Book, image: int) -> None:
    """Also when the word is written out."""
    assert said(targets(book, f"i {image}")) == said(targets(book, f"image {image}")) == [(None, None, image)]


@pytest.mark.parametrize("text", ["features.4 12", "4/12", "i 40", "i 99999999999"])
def test_too_large_a_number_is_said(book: Book, text: str) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match=r"0 to (11|39)"):
        targets(book, text)


@pytest.mark.parametrize("text", ["zebra", "features.4 -1", "9" * 300, "\u0663", "7/"])
def test_other_words_are_no_places(book: Book, text: str) -> None:
    """Nothing is guessed."""
    assert targets(book, text) == ()
