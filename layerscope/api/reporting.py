"""Whom a verb tells of its progress: bars on stderr, nobody, or an object of the caller's."""

from collections.abc import Generator
from contextlib import contextmanager

from layerscope.core.progress import Progress, Silent


@contextmanager
def reporting(progress: "bool | Progress | None") -> "Generator[Progress]":
    """True: bars, which are closed at the end; False or None: nobody; else the object itself."""
    if progress is True:
        from layerscope.api.bars import Bars

        with Bars() as bars:
            yield bars
    else:
        yield progress or Silent()
