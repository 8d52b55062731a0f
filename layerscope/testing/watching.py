"""Builds that are watched, stopped and killed: what the laws of engines and of atlas histories look through."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass
class Log:
    """Listens to a build: for each stage name, total, done before, and what each step since has done; and sentences."""

    stages: list[tuple[str, int, int, list[int]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def start(self, stage: str, total: int, done: int) -> None:
        self.stages.append((stage, total, done, []))

    def step(self, count: int = 1) -> None:
        self.stages[-1][3].append(count)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def stage(self, name: str) -> tuple[str, int, int, list[int]]:
        """The stage of this name."""
        return next(stage for stage in self.stages if stage[0] == name)


@dataclass
class Hook(Log):
    """Does something when a stage begins, or after so many of its steps."""

    stage_name: str = ""
    after: int = 0
    do: Callable[[], Any] = lambda: None

    def start(self, stage: str, total: int, done: int) -> None:
        super().start(stage, total, done)
        self._at(0)

    def step(self, count: int = 1) -> None:
        super().step(count)
        self._at(len(self.stages[-1][3]))

    def _at(self, steps: int) -> None:
        if self.stages[-1][0] == self.stage_name and steps == self.after:
            self.do()


class Stopped(BaseException):
    """Ends a build as Ctrl-C does."""


def stop() -> NoReturn:
    """End this build, and nothing else."""
    raise Stopped


def die() -> NoReturn:
    """End this process as a power failure would: nothing is closed, nothing is written."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def in_a_child(work: Callable[[], Any], *, seconds: float | None = None) -> int:
    """Run this in a forked process; killed after so many seconds, if given. Returns the signal that ended it, or 0."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    if seconds is not None:
        _wait(child, seconds)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def _wait(child: int, seconds: float) -> None:
    """Let the child live for so long, then end it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # The child stays a zombie until it is waited for, so its number is no other process's.
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)


def dies_at_call(owner: Any, name: str, number: int) -> None:
    """From now on the `number`-th call of owner.name ends the process, in its middle: after it, before what follows."""
    original, count = getattr(owner, name), [0]

    def counted(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        count[0] += 1
        if count[0] == number:
            die()
        return result

    setattr(owner, name, counted)
