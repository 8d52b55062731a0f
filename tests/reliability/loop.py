"""The loop: a command is run with its n-th event failing, for n = 1, 2, ... until it ends without meeting the fault.

After each fault: the error is one sentence, what was there before is there, nothing foreign lies about, atlases open,
and the same command, given again, ends in what an undisturbed one ends in.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
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
# Seams that share what they replace with another one: their events are counted in a run of their own.
SECOND = ("row", "read", "open to read")


def look(path: Path) -> Any:
    """What a file is to whoever reads it: an atlas its rows, any other its bytes."""
    return content_digest(path) if path.suffix == ".atlas" else hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is held to the law. before: lays what is there before it, into an empty folder. run: gives the command.

    scratch: names that a fault may leave until the next run. growing: names of what is written piece by piece, and can
    be read at any time. read: what a file is; raises for a broken one. again: gives the command where its result is
    there already, if that takes another word.
    """

    name: str
    before: Callable[[Path], None] = lambda out: None
    run: Callable[[Path], None]
    scratch: tuple[str, ...] = ()
    growing: tuple[str, ...] = ("*.atlas",)
    read: Callable[[Path], Any] = look
    again: Callable[[Path], None] | None = None

    def held(self, out: Path) -> Held:
        """All files below a folder, but the scratch."""
        files = [path for path in sorted(out.rglob("*")) if path.is_file()]
        names = {path.relative_to(out).as_posix(): path for path in files}
        return {name: self.read(path) for name, path in names.items() if not self.is_scratch(name)}

    def is_scratch(self, name: str) -> bool:
        return any(fnmatch(part, pattern) for pattern in self.scratch for part in name.split("/"))

    def is_growing(self, name: str) -> bool:
        return any(fnmatch(name.split("/")[-1], pattern) for pattern in self.growing)


@dataclass
class Loop:
    """Runs a command with faults below one folder, and counts them."""

    folder: Path
    command: Command
    counted: dict[str, int] = field(default_factory=dict)
    whole: Held = field(default_factory=dict)
    first: Held = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        out = self._room()
        self.first = self.command.held(out)
        self._counts = self._counted(out, [seam for seam in SEAMS if seam not in SECOND])
        self.whole = self.command.held(out)
        assert self._litter(out) == [], "an undisturbed run leaves nothing"

    def events(self, seam: str) -> int:
        """How many events of a seam an undisturbed run has."""
        if seam not in self._counts:
            self._counts |= self._counted(self._room(), SECOND)
        return self._counts[seam]

    def _counted(self, out: Path, seams: Iterable[str]) -> dict[str, int]:
        """An undisturbed run, and how many events of these seams it has."""
        meters = {seam: Meter(self.folder) for seam in seams}
        with ExitStack() as opened:
            for seam, meter in meters.items():
                opened.enter_context(SEAMS[seam](meter))
            opened.enter_context(self._temporary())
            self.command.run(out)
        return {seam: meter.count for seam, meter in meters.items()}

    def fault(self, seam: str, fault: str, number: int, *, lasting: bool = False) -> bool:
        """One fault, and all that must hold after it; False where the command ended without meeting it."""
        out = self._room()
        meter = Meter(self.folder, number, FAULTS[fault], lasting, main_only=fault == INTERRUPT)
        where, error = f"{self.command.name}: {fault} at {seam} {number}", None
        if fault == KILL:
            meter.reached = bool(in_a_child(lambda: self._under(SEAMS[seam](meter), out)))
        else:
            error = self._under(SEAMS[seam](meter), out)
        where += f" ({meter.events[number - 1]})" if len(meter.events) >= number else ""
        assert error is None or meter.reached, f"{where}: {error!r} without a fault"
        if meter.reached:
            self._law(out, error, where, interrupted=fault == INTERRUPT)
            self.counted[seam] = self.counted.get(seam, 0) + 1
        return meter.reached

    def limited(self, what: str, limit: Callable[[], AbstractContextManager[Any]]) -> bool:
        """The command under a limit that the system or SQLite itself keeps; False where it ended all the same."""
        out = self._room()
        error = self._under(limit(), out)
        if error is not None:
            self._law(out, error, f"{self.command.name}: {what}")
            self.counted[what.split()[0]] = self.counted.get(what.split()[0], 0) + 1
        return error is not None

    def confined(self, what: str, confine: Callable[[], Any]) -> bool:
        """The same in a process of its own, whose limits hold for whatever runs in it; one that dies was killed."""
        out = self._room()
        # A pipe: no limit of files holds for what is said through it.
        heard, said = os.pipe()

        def work() -> None:
            confine()
            error = self._under(nullcontext(), out)
            plain = error is None or isinstance(error, LayerscopeError)
            os.write(said, (str(error or "") if plain else f"bare {error!r}").encode())

        died = in_a_child(work)
        os.close(said)
        with open(heard, encoding="utf-8") as file:
            text = file.read()
        if not died and not text:
            return False
        assert not text.startswith("bare"), f"{self.command.name}: {what}: {text}"
        self._law(out, LayerscopeError(text) if text else None, f"{self.command.name}: {what}")
        self.counted[what.split()[0]] = self.counted.get(what.split()[0], 0) + 1
        return True

    def _under(self, fault: AbstractContextManager[Any], out: Path) -> BaseException | None:
        with self._temporary(), fault:
            try:
                self.command.run(out)
            except (Exception, KeyboardInterrupt) as error:
                return error
        return None

    def _law(self, out: Path, error: BaseException | None, where: str, *, interrupted: bool = False) -> None:
        """What must hold after a fault."""
        self._require_plain(error, where, interrupted)
        self.require_nothing_lost(out, where)
        complete = self.command.held(out) == self.whole
        if error is None and complete and not self._litter(out):
            # Nothing failed that the command could not do without, or the process ended behind all its work.
            return
        with self._temporary():
            (self.command.again if complete and self.command.again else self.command.run)(out)
        assert self.command.held(out) == self.whole, f"{where}: the same command ends in something else"
        assert self._litter(out) == [], f"{where}: {self._litter(out)} are left after the next run"

    def _require_plain(self, error: BaseException | None, where: str, interrupted: bool) -> None:
        if error is None or (interrupted and isinstance(error, KeyboardInterrupt)):
            return
        if not isinstance(error, LayerscopeError):
            raise AssertionError(f"{where}: a bare {type(error).__name__}: {error}") from error
        said = str(error)
        assert "\n" not in said and "Traceback" not in said, f"{where}: {said!r} is no sentence"
        # Memory and threads are the whole process's.
        assert str(self.folder) in said or "memory" in said or "thread" in said, f"{where}: {said!r} does not say where"
        assert ";" in said or ":" in said, f"{where}: {said!r} does not say what to do"

    def require_nothing_lost(self, out: Path, where: str) -> None:
        """What was there before is there, old or new; what is new is whole, or can be gone on with; atlases open."""
        after = self._held(out, where)
        for name, value in self.first.items():
            assert name in after, f"{where}: {name} is lost"
            same = after[name] in (value, self.whole.get(name))
            assert same or self.command.is_growing(name), f"{where}: {name} is changed"
        for name, value in after.items():
            whole = name in self.whole and (value == self.whole[name] or self.command.is_growing(name))
            assert whole or value == self.first.get(name), f"{where}: {name} is left, and is not whole"
            if name.endswith(".atlas"):
                with ls.open(out / name) as atlas:
                    assert all(len(layer) == layer.units for layer in atlas.layers)

    def summary(self) -> str:
        """The faults by seam."""
        return ", ".join(f"{count} {seam}" for seam, count in self.counted.items())

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
    """At most so many of the numbers 1..count, evenly, the first and the last among them; of one, the middle."""
    if count <= most:
        return list(range(1, count + 1))
    if most == 1:
        return [(count + 1) // 2]
    return sorted({round(1 + step * (count - 1) / (most - 1)) for step in range(most)})


def sweep(loop: Loop, seam: str, *, most: int | None = None) -> int:
    """Fail the n-th event of a seam for n = 1, 2, ... (or for `most` of them), its faults taking turns; how many."""
    count = loop.events(seam)
    met = 0
    for turn, number in enumerate(chosen(count, most or count)):
        met += loop.fault(seam, AT[seam][turn % len(AT[seam])], number)
    return met
