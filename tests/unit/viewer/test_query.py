"""Numbers in a query: nine digits at most, and where a page of a list begins lies within the list."""

import pytest

from layerscope.viewer.pages.query import page_of, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("017", 17), ("999999999", 999_999_999), ("1000000000", None), ("9" * 5000, None), ("", None),
        ("-1", None), ("1.5", None), (" 1", None), ("²", None), ("٣", None), ("1_0", None),
    ],
)  # fmt: skip
def test_what_writes_a_number(text: str, number: int | None) -> None:
    """Digits of ASCII alone; nothing else that Python would take, and nothing on which it fails."""
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("asked", "found", "first"),
    [("", 100, 0), ("24", 100, 24), ("30", 100, 24), ("500", 100, 96), ("x", 100, 0), ("24", 0, 0), ("24", 24, 0)],
)
def test_where_a_page_begins(asked: str, found: int, first: int) -> None:
    """At a multiple of its step, and never behind the last."""
    assert page_of(asked, found, 24) == first
