"""What a command says: results to stdout, as text or JSON; remarks and complaints to stderr.

Nothing here can fail for want of a character: a terminal that cannot show one gets its escape.
"""

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

from layerscope.core.errors import UsageError

TYPE_CHECKING = False  # see core/verb.py
if TYPE_CHECKING:
    from typing import Any

    from layerscope.cli.terminal import Terminal
    from layerscope.core.progress import Progress


class ReaderGone(Exception):
    """Nobody reads stdout any more."""


class Output:
    """How this command speaks. json: results as JSON. quiet: no remarks and no progress."""

    def __init__(self, *, json: bool, quiet: bool) -> None:
        self.json, self.quiet = json, quiet

    def result(self, data: "Mapping[str, Any]", text: str) -> None:
        """What the command was for: data as JSON, or the same as text."""
        if self.json:
            import json

            text = json.dumps(data, indent=2)
        _print(text)

    @contextmanager
    def bars(self) -> "Iterator[Progress | bool]":
        """Whom a verb is to tell of its progress: bars on stderr, or nobody."""
        if self.quiet:
            yield False
            return
        from layerscope.api.bars import Bars

        with Bars() as bars:
            yield bars

    @cached_property
    def terminal(self) -> "Terminal":
        """What results go to, and what it can draw; JSON is for nobody's eyes."""
        from layerscope.cli.terminal import NOBODY, terminal_of

        return NOBODY if self.json else terminal_of(sys.stdout, os.environ)

    def next(self, words: Sequence[object], sentence: str) -> None:
        """A command that goes on from here, and what it does, where a person reads the results."""
        if not self.terminal.watched:
            return
        import shlex

        self.remark(f"next: {shlex.join(map(str, ('layerscope', *words)))}  ({sentence})")

    def teller(self) -> "Progress":
        """Who is told sentences, and shows no progress."""
        return Teller(self)

    def remark(self, sentence: str) -> None:
        """Something worth knowing that is no result."""
        if not self.quiet:
            _tell(sentence)


class Teller:
    """Passes sentences on as remarks."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def start(self, stage: str, total: int, done: int) -> None: ...

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None:
        self._output.remark(sentence)


def complain(sentence: str, *, one_line: bool = True) -> None:
    """Say what went wrong, whatever the command's options are."""
    _tell(f"layerscope: {' '.join(sentence.splitlines())}" if one_line else sentence)


def _print(text: str) -> None:
    with _writing():
        print(text)


@contextmanager
def _writing() -> Iterator[None]:
    """A reader that went away is no failure; a disk that is full is one that a user can mend."""
    try:
        yield
    except BrokenPipeError:
        _discard_the_rest()
        raise ReaderGone from None
    except OSError as error:
        _discard_the_rest()
        raise UsageError(f"the results cannot be written to stdout: {error.strerror}") from error


def _tell(sentence: str) -> None:
    """What is said may hold names of strangers, and none of them steers a terminal."""
    from layerscope.core.names import printable

    try:
        print("\n".join(map(printable, sentence.split("\n"))), file=sys.stderr, flush=True)
    except BrokenPipeError:
        return


def never_fail_to_encode() -> None:
    """A character that stdout or stderr cannot encode is written as its escape (\\xd7)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Hand over what was printed while a failure can still be caught."""
    with _writing():
        if sys.stdout is not None:
            sys.stdout.flush()


def _discard_the_rest() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit does not complain."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
