"""What a terminal can: nobody behind a pipe, colours and characters by what it says of itself; bars of shares."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.cli.meters import meter
from layerscope.cli.terminal import ALL_COLOURS, NOBODY, terminal_of
from layerscope.cli.tiles import form_for


class Tty(io.StringIO):
    """A stream that a person reads."""

    def __init__(self, encoding: str | None = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[reportIncompatibleVariableOverride]
        return self._encoding

    def isatty(self) -> bool:
        return True


XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({}, 0),
        ({"TERM": "dumb"}, 0),
        ({"TERM": "xterm"}, 16),
        (XTERM, 256),
        ({**XTERM, "COLORTERM": "truecolor"}, ALL_COLOURS),
        ({**XTERM, "COLORTERM": "24bit"}, ALL_COLOURS),
        ({"TERM": "xterm-kitty"}, ALL_COLOURS),
        ({**XTERM, "NO_COLOR": "1"}, 0),
        ({**XTERM, "NO_COLOR": ""}, 256),
        ({**XTERM, "COLORTERM": "truecolor", "NO_COLOR": "1"}, 0),
    ],
)
def test_colours_are_what_the_environment_says(environment, colours):
    """TERM, COLORTERM and NO_COLOR, which counts where it is not empty; blocks are drawn unasked from 256 on."""
    terminal = terminal_of(Tty(), environment, (100, 40))
    assert (terminal.watched, terminal.colours, terminal.columns, terminal.lines) == (True, colours, 100, 40)
    form = form_for(None, terminal)
    assert (form.name if form else None) == ("blocks" if colours >= 256 else None)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None, "no-such-encoding"])
def test_without_the_characters_nothing_is_drawn_unasked(encoding):
    """A terminal that lacks block characters gets neither bars nor pictures."""
    terminal = terminal_of(Tty(encoding), {**XTERM, "COLORTERM": "truecolor"})
    assert not terminal.blocks and form_for(None, terminal) is None


def test_nobody_is_behind_a_pipe():
    """A pipe, a file and no stream at all get plain text, whatever the environment says."""
    for stream in (io.StringIO(), None):
        assert terminal_of(stream, {**XTERM, "COLORTERM": "truecolor"}) == NOBODY
    assert form_for(None, NOBODY) is None


def test_what_is_asked_for_is_drawn_everywhere():
    """Into a pipe too: `| less -R` shows it; and where it is not wanted, nowhere."""
    assert [form.name if (form := form_for(name, NOBODY)) else None for name in ("blocks", "sixel", "none")] == [
        "blocks", "sixel", None,
    ]  # fmt: skip
    assert form_for("none", terminal_of(Tty(), {**XTERM, "COLORTERM": "truecolor"})) is None


def test_a_size_is_one_that_can_be_used():
    """A terminal without columns (docker) or with very many is taken as one that can be drawn in."""
    assert terminal_of(Tty(), XTERM, (1, 1)).columns == 40
    assert terminal_of(Tty(), XTERM, (10_000, 100)).columns == 160


@pytest.mark.parametrize(
    ("share", "bar"),
    [
        (0.0, "        "), (1.0, "████████"), (0.5, "████    "), (1 / 64, "▏       "), (0.001, "▏       "),
        (7 / 64, "▉       "), (-0.3, "        "), (1.7, "████████"),
    ],
)  # fmt: skip
def test_bars_by_hand(share, bar):
    """Eighths of eight characters; what is above zero shows, what lies beyond is cut off."""
    assert meter(share) == bar


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_is_no_shorter(one, other):
    """Of two shares the larger one's bar is at least as long, and all are equally wide."""
    length = {share: sum("▏▎▍▌▋▊▉█".index(c) + 1 for c in meter(share).rstrip()) for share in (one, other)}
    assert (length[one] <= length[other]) or one > other
    assert len(meter(one)) == len(meter(other)) == 8
