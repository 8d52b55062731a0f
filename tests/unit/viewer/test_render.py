"""How values are written into pages: escaped, whatever they are, in one call."""

import numpy as np
import pytest
from jinja2 import StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from layerscope.viewer.render import LONGEST, environment, shown, written

VALUES = (
    "plain", "", "27 %", "<b>", "a & b", "it's", 'say "so"', "\x00", "\u202e", "\ud800", "n" * LONGEST, "<" * 2000,
    "n" * (LONGEST + 1), 0, -3, 1.5, 1e-30, float("inf"), True, None, np.float32(0.1), np.int64(7), np.str_("<i>"),
    Markup("<b>&amp;</b>"), ("<", 1),
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:20])
def test_a_value_is_written_as_it_is_shown_and_escaped_once(value):
    """Also in a template, in its macros, and where it is a constant there."""
    assert written(value) == str(escape(shown(value)))
    source = "{% macro m(x) %}[{{ x }}]{% endmacro %}{{ value }}{{ m(value) }}{% set s %}{{ value }}{% endset %}{{ s }}"
    expected = str(escape(shown(value)))
    assert environment().from_string(source).render(value=value) == f"{expected}[{expected}]{expected}"
    assert environment().from_string("{{ '<' }}{{ 1.5 }}").render() == "&lt;1.5"


def test_a_name_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError):
        written(StrictUndefined(name="nothing"))
