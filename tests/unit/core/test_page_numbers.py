"""Numbers as pages write them: a line ends before or behind a number and its unit, never between."""

import re

from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.numbers import unbroken

UNITS = ("%", "px", "kB", "MB", "GB", "ms")


@given(st.lists(st.sampled_from([*(f"1{n} {unit}" for n in range(3) for unit in UNITS), "a < b", "7 pixels", " "])))
def test_only_spaces_before_units_change(words: list[str]):
    """Each becomes one that no line ends at; nothing else does, and nothing a second time."""
    page = f"<p>{', '.join(word.replace('<', '&lt;') for word in words)}</p>"
    made = unbroken(page)
    assert made.replace("\N{NO-BREAK SPACE}", " ") == page and unbroken(made) == made
    assert made.count("\N{NO-BREAK SPACE}") == sum(word.endswith(UNITS) for word in words)
    assert not re.search(r"\d (%|px\b)", made)


def test_what_tags_hold_is_kept():
    """An attribute is what a person searched for, or a file's name."""
    page = '<input value="50 % grey"><a title="5 px" href="?q=3 MB">50 % grey</a>'
    assert unbroken(page) == page.replace(">50 %", ">50\N{NO-BREAK SPACE}%")
