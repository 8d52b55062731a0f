"""How to read tiles is said in one way wherever they are explained: on the pages, in the report and in the README."""

from pathlib import Path

import pytest

from layerscope.facts.reading import FOLLOWED, PLAIN_GRAY, reading_parts
from tests.docs.pages import ROOT, text
from tests.helpers.books import named_atlas
from tests.helpers.sites import words_of
from tests.helpers.viewing import viewing

K = 9


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return named_atlas(tmp_path_factory.mktemp("reading") / "named.atlas")


def said(k: int, *, sides: bool) -> list[str]:
    return [f"{one.term}{one.says}" for one in reading_parts(k, sides=sides)]


@pytest.mark.parametrize(
    ("address", "sides"), [("", True), ("network", False), ("l/features.1", False), ("l/features.1/u/2", False)]
)
def test_pages_say_it(atlas, address, sides) -> None:
    """Word by word: the lesson, where projections stand left, the network's page, a layer's and a unit's."""
    with viewing(atlas) as client:
        read = words_of(client.get(f"/named/{address}").text)
    assert all(sentence in read for sentence in said(K, sides=sides))


def test_a_unit_s_page_says_it_in_passing(atlas) -> None:
    """Beside its plate, in the words that stand in one place."""
    with viewing(atlas) as client:
        read = words_of(client.get("/named/l/features.1/u/2").text)
    assert f"and {FOLLOWED}. {PLAIN_GRAY} Below: its activation." in read


def test_the_readme_says_it() -> None:
    """As of a plate of nine, patches on the right."""
    readme = " ".join(text(ROOT / "README.md").replace("**", "").split())
    assert all(sentence.replace("’", "'") in readme for sentence in said(K, sides=True))


def test_one_tile_is_told_as_one() -> None:
    """No order and nothing in common is spoken of."""
    read = " ".join(said(1, sides=False))
    assert "the place where the unit fired most, of all pictures it was shown" in read
    assert "row by row" not in read and "first patch" not in read and "one places" not in read
