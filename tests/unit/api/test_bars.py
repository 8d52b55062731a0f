"""Progress on stderr: bars for people, few plain lines for logs, and never a reason for a build to stop."""

import io

import pytest

from layerscope.api.bars import Bars


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_the_beginning_the_end_and_a_line_every_ten_seconds():
    """With the seconds that went and, by the pace so far, those to go; what was there before does not count."""
    stream, clock = io.StringIO(), Clock()
    with Bars(stream, clock) as bars:
        bars.start("scan", 1000, 200)
        for _ in range(80):
            clock.now += 1.0
            bars.step(10)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "scan: 200 of 1,000"
    assert lines[1] == "scan: 300 of 1,000, 10 s gone, 70 s to go"
    assert lines[-1] == "scan: 1,000 of 1,000, 80 s gone"
    assert len(lines) == 9


def test_a_terminal_gets_one_bar_per_stage():
    """Each names its stage, and ends when its last piece is done or the next one begins."""
    stream = Terminal()
    with Bars(stream) as bars:
        bars.start("scan", 4, 1)
        bars.step(3)
        bars.start("project", 10, 0)
        bars.step(1)
        bars.say("3 images were skipped")
    shown = stream.getvalue()
    assert "scan" in shown and "4 of 4" in shown and "project" in shown and "to go" in shown
    assert "3 images were skipped\n" in shown
    assert shown.endswith("\n")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_nothing_to_do_is_no_failure(stream):
    """A stage whose pieces were all there, or that has none; a bar closed twice."""
    bars = Bars(stream)
    bars.say("before any stage")
    bars.start("scan", 5, 5)
    bars.start("sample", 0, 0)
    bars.close()
    bars.close()
    assert "before any stage" in stream.getvalue()


def test_a_log_that_nobody_reads_stops_nothing():
    """`2>&1 | head` ends the lines, not the build."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    bars = Bars(Gone())
    bars.start("scan", 2, 0)
    bars.step(2)
    bars.say("done")
    assert bars._done == 2
