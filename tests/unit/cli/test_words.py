"""Numbers and tables as a terminal shows them: aligned, in plain ASCII, whatever the names are."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.api import inputs
from layerscope.cli import words
from layerscope.core.geometry import Field, Window
from layerscope.core.records import Input


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 10**6)), max_size=5))
def test_a_table_has_one_line_per_row_and_its_numbers_end_together(rows):
    """No name, however odd, breaks a line; a right column's cells end where its header ends."""
    lines = words.table(("name", ">number"), rows).split("\n")
    assert len(lines) == len(rows) + 1
    assert len({len(line) for line in lines}) == 1
    assert all(line.isprintable() for line in lines)


@given(st.text())
def test_any_name_is_printable(name):
    """What steers a terminal or breaks a line is escaped; the rest stays as it is."""
    assert words.printable(name).isprintable()
    if name.isprintable():
        assert words.printable(name) == name


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (35, "35 s"),
        (99, "99 s"),
        (100, "2 min"),
        (3599, "1 h 0 min"),
        (11100, "3 h 5 min"),
    ],
)
def test_durations(seconds, said):
    """A time is said in the two units that matter."""
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (4096, "4.1 kB"), (118_400_000, "118 MB"), (2 * 10**12, "2e+03 GB")],
)
def test_file_sizes(size, said):
    """Bytes in powers of ten, three digits."""
    assert words.file_size(size) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 units"), (1, "1 unit"), (1152, "1,152 units")])
def test_counts(count, said):
    """One thing is singular."""
    assert words.counted(count, "unit") == said


def test_a_field_is_json_and_keeps_fractions():
    """Steps that are fractions are text in JSON, whole ones are numbers; the share is of the area."""
    field = Field(rows=Window(size=10, step=Fraction(1, 2), start=-1), cols=Window(size=5, step=1, start=0))
    data = json.loads(json.dumps(inputs.field_data(field, Input(height=20, width=20))))
    assert data["rows"] == {"size": 10, "step": "1/2", "start": -1}
    assert data["cols"] == {"size": 5, "step": 1, "start": 0}
    assert (data["whole"], data["share"]) == (False, 0.125)


@pytest.mark.parametrize("note", ["", "adaptive pooling is uneven"])
def test_a_field_without_a_true_window_is_the_whole_image(note):
    """Global or inexact: both are said to be the whole image."""
    axis = Window.whole(8) if not note else Window(size=8, step=1, start=0)
    assert words.field_size(Field(rows=axis, cols=axis, note=note)) == "whole image"


def test_an_input_is_said_in_full():
    """What was used can be read and repeated: shape, order, resizing, mean and std; and it is JSON."""
    expected = Input(height=224, width=200, mean=(0.5, 0.4, 0.3), order="BGR", resize=256)
    said = inputs.input_text(expected)
    for part in ("3x224x200 BGR", "256 px", "center crop", "bilinear", "mean 0.5, 0.4, 0.3", "std 1, 1, 1"):
        assert part in said
    data = json.loads(json.dumps(inputs.input_data(expected)))
    assert (
        Input(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}) == expected
    )
    assert "squashed to 8x9" in inputs.input_text(Input(height=8, width=9, crop="squash"))
