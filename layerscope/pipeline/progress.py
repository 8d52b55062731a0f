"""Progress of a build: named stages, each with a count; what shows it is the caller's matter."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from layerscope.core.errors import AtlasError
from layerscope.core.failures import out_of_memory


@runtime_checkable
class Progress(Protocol):
    """What a build tells of its progress."""

    def start(self, stage: str, total: int, done: int) -> None:
        """A stage begins; `done` of `total` pieces were there already."""

    def step(self, count: int = 1) -> None:
        """Some more pieces of the current stage are done."""

    def say(self, sentence: str) -> None:
        """Something worth knowing."""


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int, done: int) -> None: ...

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None: ...


@contextmanager
def plain_memory(path: Path) -> Iterator[None]:
    """What to do where memory is short, even after batches became smaller."""
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not out_of_memory(error):
            raise
        raise AtlasError(
            "out of memory, even with small batches: free some, or ask for fewer layers; "
            f"the same command goes on with what {path} holds"
        ) from error


class Clock:
    """Adds up where the time goes, by name; what is named inside another name counts in both."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
