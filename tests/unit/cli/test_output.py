"""Results go to stdout, remarks to stderr, and no character makes either fail."""

import io
import json
import sys

import pytest

from layerscope.cli import output
from layerscope.core.errors import UsageError


def test_results_and_remarks_go_their_own_ways(capsys):
    """Text or JSON on stdout, remarks on stderr, none when quiet."""
    for quiet in (False, True):
        output.Output(json=False, quiet=quiet).remark("aside")
        output.Output(json=False, quiet=quiet).result({"a": [1]}, "one a")
    output.Output(json=True, quiet=False).result({"name": "ü\udcff"}, "text")
    out, err = capsys.readouterr()
    assert err == "aside\n"
    assert out.startswith("one a\none a\n")
    assert json.loads(out.removeprefix("one a\none a\n")) == {"name": "ü\udcff"}


def test_a_complaint_is_one_line(capsys):
    """Whatever the message is made of."""
    output.complain("first\nsecond")
    assert capsys.readouterr().err == "layerscope: first second\n"


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", rb"\xfc \udcff"), ("utf-8", b"\xc3\xbc \\udcff")])
def test_a_terminal_that_lacks_a_character_gets_its_escape(monkeypatch, encoding, shown):
    """Printing never raises: neither a letter that the terminal lacks nor half a file name."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
    output.never_fail_to_encode()
    output.Output(json=False, quiet=False).result({}, "ü \udcff")
    output.flush()
    assert raw.getvalue().strip() == shown


class Broken(io.StringIO):
    """A stream whose every write fails."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def test_a_reader_that_went_away_is_told_from_a_full_disk(monkeypatch):
    """The first is no failure, the second is a sentence; neither is a bug."""
    monkeypatch.setattr(output, "_discard_the_rest", lambda: None)
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError()))
    with pytest.raises(output.ReaderGone):
        output.Output(json=False, quiet=False).result({}, "text")
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "No space left on device")))
    with pytest.raises(UsageError, match="No space left"):
        output.Output(json=False, quiet=False).result({}, "text")


def test_nobody_reading_remarks_stops_nothing(monkeypatch):
    """A remark that cannot be said is dropped."""
    stream = Broken(BrokenPipeError())
    monkeypatch.setattr(sys, "stderr", stream)
    output.Output(json=False, quiet=False).remark("aside")
    assert stream.getvalue() == ""


def test_a_strangers_name_steers_no_terminal(capsys):
    """Remarks and complaints keep their lines; whatever else would steer the terminal is told by its escape."""
    output.Output(json=False, quiet=False).remark("not compared: a.atlas alone has conv\x1b[2J\x07\nthe rest")
    output.complain("no layer \x1b]0;title\x07")
    told = capsys.readouterr().err
    assert (
        told == "not compared: a.atlas alone has conv\\x1b[2J\\x07\nthe rest\nlayerscope: no layer \\x1b]0;title\\x07\n"
    )
