"""A build that is watched: how long each of its stages took, and what its own clock said of each."""

import time

from layerscope.core.progress import Silent
from layerscope.pipeline import Build


class Enough(Exception):
    """Ends a build at the stage that is not wanted any more; a build may be stopped anywhere."""


class Stages(Silent):
    """The stages of a build as they begin.

    until: the stage at whose beginning the build is stopped; None lets it end.
    """

    def __init__(self, *, until: str | None = None) -> None:
        self.until = until
        self.build: Build | None = None
        self._begun: list[tuple[str, float, dict[str, float]]] = []

    def start(self, stage: str, total: int, done: int) -> None:
        self._note(stage)
        if stage == self.until:
            raise Enough

    def finish(self) -> None:
        """The last stage is over."""
        self._note("")

    def _note(self, stage: str) -> None:
        clock = dict(self.build.clock.seconds) if self.build else {}
        self._begun.append((stage, time.perf_counter(), clock))

    def elapsed(self, stage: str) -> float:
        """The seconds from a stage's beginning to the beginning of the next one."""
        place = self._place(stage)
        return self._begun[place + 1][1] - self._begun[place][1]

    def within(self, stage: str) -> dict[str, float]:
        """What the build's clock counted during a stage, by name."""
        place = self._place(stage)
        before, after = self._begun[place][2], self._begun[place + 1][2]
        return {name: after[name] - before.get(name, 0.0) for name in after}

    def _place(self, stage: str) -> int:
        return [name for name, _, _ in self._begun].index(stage)
