"""Whom a verb tells of its progress: bars on stderr, nobody, or an object of the caller's."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerscope.pipeline.progress import Progress


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int, done: int) -> None: ...

    def step(self, count: int = 1) -> None: ...

    def say(self, sentence: str) -> None: ...


@contextmanager
def reporting(progress: "bool | Progress | None") -> "Generator[Progress]":
    """True: bars, which are closed at the end; False or None: nobody; else the object itself."""
    if progress is True:
        from layerscope.api.bars import Bars

        with Bars() as bars:
            yield bars
    else:
        yield progress or Silent()
