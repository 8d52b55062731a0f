"""What is told of something that takes long: named stages, each with a count; what shows it is the caller's matter."""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


@runtime_checkable
class Progress(Protocol):
    """What listens to a build, a dissection, an export or a training run."""

    def start(self, stage: str, total: int, done: int) -> None:
        """A stage begins; `done` of `total` were there already."""

    def step(self, count: int = 1) -> None:
        """So many more of the current stage are done."""

    def say(self, sentence: str) -> None:
        """Something worth knowing."""


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int, done: int) -> None: ...

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None: ...


class Clock:
    """Adds up where the time goes, by name; what is named inside another name counts in both."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Generator[None, None, None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """The same items; the time that getting each of them takes is counted, what is done with them is not."""
        remaining = iter(items)
        while True:
            with self.time(name):
                try:
                    item = next(remaining)
                except StopIteration:
                    return
            yield item
