"""The loop: a command is run with its n-th event failing, for n = 1, 2, ... until it ends without meeting the fault.

After each fault: the error is one sentence, what was there before is there, nothing foreign lies about, atlases open,
and the same command, given again, ends in what an undisturbed one ends in.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from unittest import mock

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.errors import LayerscopeError
from tests.helpers.building import in_a_child
from tests.reliability.faults import AT, FAULTS, INTERRUPT, KILL
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS

Held = dict[str, Any]


def look(path: Path) -> Any:
    """What a file is to whoever reads it: an atlas its rows, any other its bytes."""
    return content_digest(path) if path.suffix == ".atlas" else hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is held to the law. before: lays what is there before it, into an empty folder. run: gives the command.

    scratch: names that a fault may leave until the next run. read: what a file is.
    """

    name: str
    before: Callable[[Path], None] = lambda out: None
    run: Callable[[Path], None]
    scratch: tuple[str, ...] = ()
    read: Callable[[Path], Any] = look

    def held(self, out: Path) -> Held:
        """All files below a folder, but the scratch."""
        files = [path for path in sorted(out.rglob("*")) if path.is_file()]
        names = {path.relative_to(out).as_posix(): path for path in files}
        return {name: self.read(path) for name, path in names.items() if not self.is_scratch(name)}

    def is_scratch(self, name: str) -> bool:
        return any(fnmatch(part, pattern) for pattern in self.scratch for part in name.split("/"))


@dataclass
class Loop:
    """Runs a command with faults below one folder, and counts them."""

    folder: Path
    command: Command
    counted: dict[str, int] = field(default_factory=dict)
    whole: Held = field(default_factory=dict)
    first: Held = field(default_factory=dict)

    def __post_init__(self) -> None:
        out = self._room()
        self.first = self.command.held(out)
        with self._temporary():
            self.command.run(out)
        self.whole = self.command.held(out)
        assert self._litter(out) == [], "an undisturbed run leaves nothing"

    def events(self, seam: str, **how: Any) -> int:
        """How many events of a seam an undisturbed run has."""
        out, meter = self._room(), Meter(self.folder, **how)
        with self._temporary(), SEAMS[seam](meter):
            self.command.run(out)
        return meter.count

    def fault(self, seam: str, fault: str, number: int, *, lasting: bool = False) -> bool:
        """One fault, and all that must hold after it; False where the command ended without meeting it."""
        out = self._room()
        meter = Meter(self.folder, number, FAULTS[fault], lasting, main_only=fault == INTERRUPT)
        where = f"{self.command.name}: {fault} at {seam} {number}"
        if fault == KILL:
            meter.reached = bool(in_a_child(lambda: self._under(seam, meter, out)))
        else:
            self._require_plain(self._under(seam, meter, out), fault, where, meter)
        if not meter.reached:
            return False
        self.counted[seam] = self.counted.get(seam, 0) + 1
        where += f" ({meter.events[number - 1]})" if len(meter.events) >= number else ""
        self.require_nothing_lost(out, where)
        with self._temporary():
            self.command.run(out)
        assert self.command.held(out) == self.whole, f"{where}: the same command ends in something else"
        assert self._litter(out) == [], f"{where}: {self._litter(out)} are left after the next run"
        return True

    def _under(self, seam: str, meter: Meter, out: Path) -> BaseException | None:
        with self._temporary(), SEAMS[seam](meter):
            try:
                self.command.run(out)
            except (Exception, KeyboardInterrupt) as error:
                return error
        return None

    def _require_plain(self, error: BaseException | None, fault: str, where: str, meter: Meter) -> None:
        if error is None:
            return
        assert meter.reached, f"{where}: {error!r} without a fault"
        if fault == INTERRUPT and isinstance(error, KeyboardInterrupt):
            return
        where += f" ({meter.events[meter.at - 1]})"
        if not isinstance(error, LayerscopeError):
            raise AssertionError(f"{where}: a bare {type(error).__name__}: {error}") from error
        said = str(error)
        assert "\n" not in said and "Traceback" not in said, f"{where}: {said!r} is no sentence"
        # Memory and threads are the whole process's.
        assert str(self.folder) in said or "memory" in said or "thread" in said, f"{where}: {said!r} does not say where"
        assert ";" in said or ":" in said, f"{where}: {said!r} does not say what to do"

    def require_nothing_lost(self, out: Path, where: str) -> None:
        """What was there before is there, old or new; what is new is scratch, or whole, or an atlas that opens."""
        after = self._held(out, where)
        for name, value in self.first.items():
            assert name in after, f"{where}: {name} is lost"
            same = after[name] in (value, self.whole.get(name))
            assert same or name.endswith(".atlas"), f"{where}: {name} is changed"
        for name, value in after.items():
            known = name in self.whole and (name.endswith(".atlas") or value == self.whole[name])
            assert known or value == self.first.get(name), f"{where}: {name} is left, and is not whole"
        for name in after:
            if name.endswith(".atlas"):
                with ls.open(out / name) as atlas:
                    for layer in atlas.layers:
                        assert len(layer) == layer.units

    def _held(self, out: Path, where: str) -> Held:
        try:
            return self.command.held(out)
        except LayerscopeError as error:
            raise AssertionError(f"{where}: an atlas does not open: {error}") from error

    def _litter(self, out: Path) -> list[str]:
        """What should not be there: scratch beside the results, anything in the folder of temporary files."""
        files = [path for path in out.rglob("*") if self.command.is_scratch(path.relative_to(out).as_posix())]
        return sorted(path.name for path in [*files, *(self.folder / "tmp").iterdir()])

    def _room(self) -> Path:
        """A folder with what is there before the command."""
        out, temporary = self.folder / "out", self.folder / "tmp"
        for path in (out, temporary):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        self.command.before(out)
        return out

    def _temporary(self) -> Any:
        """Temporary files of any library go where they are seen."""
        return mock.patch.object(tempfile, "tempdir", str(self.folder / "tmp"))


def chosen(count: int, most: int) -> list[int]:
    """At most so many of the numbers 1..count, evenly, the first and the last among them."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({round(1 + step * (count - 1) / (most - 1)) for step in range(most)})


def sweep(loop: Loop, seam: str, *, most: int | None = None) -> int:
    """Fail the n-th event of a seam for n = 1, 2, ... (or for `most` of them), its faults taking turns; how many."""
    count = loop.events(seam)
    met = 0
    for turn, number in enumerate(chosen(count, most or count)):
        met += loop.fault(seam, AT[seam][turn % len(AT[seam])], number)
    return met


def every(loop: Loop, seam: str) -> Iterator[tuple[str, int]]:
    """Each fault of a seam with the count of events that it may strike."""
    for fault in AT[seam]:
        yield fault, loop.events(seam, main_only=fault == INTERRUPT)
