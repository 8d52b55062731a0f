"""One clock for all that can fail: every event ticks, and the n-th tick is the one that goes wrong."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Meter:
    """Counts the events of a seam below one folder; the `at`-th of them, and none before it, acts.

    at: 0 only counts. act: raises, or ends the process. lasting: whatever comes later fails likewise, as on a disk
    that stays full. main_only: events of other threads do not count, since Ctrl-C comes to the main thread alone.
    """

    folder: Path
    at: int = 0
    act: Callable[[str | None], None] = lambda place: None
    lasting: bool = False
    main_only: bool = False
    count: int = 0
    events: list[str] = field(default_factory=list)
    reached: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tick(self, what: str, place: Any = None) -> None:
        """One event, at a path where it has one; raises where it is the one that fails."""
        if self.main_only and threading.current_thread() is not threading.main_thread():
            return
        with self._lock:
            self.count += 1
            self.events.append(what)
            acts = self.at and (self.count == self.at or (self.lasting and self.count > self.at))
            self.reached = self.reached or bool(acts)
        if acts:
            self.act(os.fsdecode(place) if isinstance(place, str | bytes | os.PathLike) else None)

    def covers(self, place: object) -> bool:
        """Whether a path, or the file behind a descriptor, lies below the folder."""
        if isinstance(place, int):
            try:
                place = os.readlink(f"/proc/self/fd/{place}")
            except OSError:
                return False
        if isinstance(place, bytes):
            place = os.fsdecode(place)
        if not isinstance(place, str | os.PathLike):
            return False
        return os.path.abspath(os.fspath(place)).startswith(f"{self.folder}{os.sep}")
