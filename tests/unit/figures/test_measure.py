"""Words that fit: no line wider than its room, no letter lost."""

from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.names import without_controls
from layerscope.figures.measure import fitted, width, wrapped

TEXT = st.text(st.sampled_from("abc WM.,é$_^\\{} "), max_size=60)


@given(TEXT, st.floats(0.3, 2))
def test_wrapped_lines_fit_and_lose_nothing(text, room):
    """Only the white space changes."""
    lines = wrapped(text, room, 8.0)
    assert all(width(line, 8.0) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(TEXT, st.floats(0.2, 2))
def test_a_fitted_line_fits_and_begins_as_the_text(text, room):
    """What was cut ends in an ellipsis."""
    line = fitted(text, room, 8.0)
    assert width(line, 8.0) <= room
    assert line == text or (line.endswith("…") and text.startswith(line[:-1]))


@given(st.text(max_size=30))
def test_printable_text_has_no_control_characters(text):
    """Nor lone surrogates: neither SVG nor PDF may hold them."""
    clean = without_controls(text)
    assert len(clean) == len(text)
    assert all(letter.isprintable() or letter == "\n" for letter in clean)


def test_widths_grow_with_size_and_weight():
    """In proportion to the size; bold is wider."""
    assert abs(width("layer", 16.0) / width("layer", 8.0) - 2) < 0.05
    assert width("layer", 8.0, bold=True) > width("layer", 8.0)
