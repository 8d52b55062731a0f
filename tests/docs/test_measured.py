"""Tables of measured numbers are what the bundles beside the pages give; `python -m bench --page FILE` renews them."""

import pytest

from bench.page import with_tables
from tests.docs.pages import DOCS, text

PAGES = [page for page in sorted(DOCS.rglob("*.md")) if "<!-- bench: " in text(page)]


def test_the_page_of_speed_has_a_table():
    """At least that page is made of a bundle, and no bundle lies there for nobody."""
    assert DOCS / "performance.md" in PAGES
    said = "".join(text(page) for page in PAGES)
    assert all(f"<!-- bench: measured/{bundle.name} -->" in said for bundle in (DOCS / "measured").iterdir())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_bundles(page):
    """To the letter."""
    assert with_tables(page) == text(page)
