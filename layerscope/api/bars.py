"""Progress as people see it: bars in terminals and notebooks, plain lines where nobody watches (logs, pipes)."""

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tqdm import tqdm

LINE_SECONDS = 10.0
MOST_COLUMNS = 100
FORMAT = "{desc:<8}{percentage:3.0f} % |{bar}| {n_fmt} of {total_fmt}, {elapsed} gone, {remaining} to go"


@runtime_checkable
class Stream(Protocol):
    """What text can be written to; stderr is one, and what a notebook puts in its place."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...

    def isatty(self) -> bool: ...


class Bars:
    """Shows each stage of a build on stderr, with what has gone and what is to go; a context manager.

    Each stage has one bar, or, where stderr is neither a terminal nor a notebook's, a line when it begins, when it
    ends and at most every ten seconds between. clock: seconds, ever growing.
    """

    def __init__(self, stream: Stream | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._lines = not (_in_notebook() or self._stream.isatty())
        self._bar: tqdm[Any] | None = None
        self._stage, self._total, self._before, self._done = "", 0, 0, 0
        self._started = self._last_line = 0.0

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self, stage: str, total: int, done: int) -> None:
        """A stage begins; `done` of `total` pieces were there already."""
        self.close()
        self._stage, self._total, self._before, self._done = stage, total, done, done
        self._started = self._last_line = self._clock()
        if self._lines:
            self._tell(f"{stage}: {done:,} of {total:,}")
            return
        from tqdm.auto import tqdm

        # Some terminals say that they have no columns and no rows (docker, CI); tqdm would believe it.
        width = None if _in_notebook() else min(shutil.get_terminal_size().columns, MOST_COLUMNS)
        options: dict[str, Any] = {"desc": stage, "total": total, "initial": done, "bar_format": FORMAT}
        self._bar = tqdm(file=self._stream, mininterval=0.2, ncols=width, nrows=20, **options)

    def step(self, count: int = 1) -> None:
        """Some more pieces of the current stage are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
            if self._done >= self._total:
                self.close()
            return
        now = self._clock()
        if now - self._last_line >= LINE_SECONDS or self._done == self._total:
            self._last_line = now
            self._tell(f"{self._stage}: {self._done:,} of {self._total:,}{self._forecast(now)}")

    def say(self, sentence: str) -> None:
        """Something worth knowing, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        self._tell(sentence)
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """The current stage is over, finished or not."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _forecast(self, now: float) -> str:
        gone, made = now - self._started, self._done - self._before
        to_go = gone / made * (self._total - self._done) if made else 0.0
        return f", {gone:.0f} s gone" + (f", {to_go:.0f} s to go" if to_go else "")

    def _tell(self, line: str) -> None:
        # Whoever reads stderr may go away (`2>&1 | head`); a build does not end for that.
        try:
            print(line, file=self._stream, flush=True)
        except BrokenPipeError:
            return


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules
