"""Laws of atlas histories: however an atlas came about, it holds what an undisturbed build puts into it.

A history begins with a small network and some images (`Subject`). Each law takes it with an empty folder, and returns
nothing; it raises AssertionError, with a sentence, where the law is broken.
"""

import hashlib
import signal
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.core.progress import Progress, Silent
from layerscope.core.stages import BUILD, DECIDE, SCAN
from layerscope.dissect import MaskedImages
from layerscope.testing.watching import Hook, Log, Stopped, die, in_a_child, stop

# What a dissection puts into an atlas, beside whatever was there.
OF_DISSECTION = frozenset({"concept", "note", "statistic"})


@dataclass(frozen=True)
class Subject:
    """A small network, its images, and how an atlas is made of them. options: of `layerscope.build`, methods among
    them; layers: names."""

    net: ls.Network
    images: Any
    layers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self, out: Path, *, progress: Progress | None = None, **options: Any) -> None:
        """Make the atlas, or go on with it."""
        given = {"layers": list(self.layers), **self.options, **options}
        ls.build(self.net, self.images, out, progress=progress or Silent(), **given).close()

    def having(self, **options: Any) -> "Subject":
        """The same with other options."""
        return replace(self, options={**self.options, **options})

    @property
    def whole(self) -> Mapping[str, str]:
        """The digest of each table of an undisturbed atlas."""
        return self._undisturbed[0]

    @property
    def told(self) -> Log:
        """What an undisturbed build tells on its way."""
        return self._undisturbed[1]

    @cached_property
    def _undisturbed(self) -> tuple[Mapping[str, str], Log]:
        with TemporaryDirectory(prefix="layerscope-") as folder:
            out, log = Path(folder) / "whole.atlas", Log()
            self.build(out, progress=log)
            return content_digest(out), log


def same_rows(out: Path, expected: Mapping[str, str], *, but: Iterable[str] = ()) -> None:
    """Every table of an atlas holds what is expected. but: tables that are not looked at."""
    found = content_digest(out)
    other = sorted(name for name in {*found, *expected} - set(but) if found.get(name) != expected.get(name))
    assert not other, f"{out.name} holds other rows in {', '.join(other)} than an undisturbed build"


def alone(out: Path) -> None:
    """Nothing but the atlas lies in its folder."""
    left = sorted(path.name for path in out.parent.iterdir() if path != out)
    assert not left, f"{', '.join(left)} was left behind beside {out.name}"


def built_again(subject: Subject, folder: Path) -> None:
    """The same call on a finished atlas says that nothing is missing, begins no stage, and changes no byte."""
    out = folder / "again.atlas"
    subject.build(out)
    before, log = hashlib.sha256(out.read_bytes()).digest(), Log()
    subject.build(out, progress=log)
    assert not log.stages, f"a finished atlas was taken up again, at the stage {log.stages[0][0]}"
    assert log.said == [f"{out} is complete: nothing is missing"], f"a finished atlas was told as {log.said}"
    assert hashlib.sha256(out.read_bytes()).digest() == before, "a finished atlas was changed"


def killed_and_resumed(subject: Subject, folder: Path, stage: str, after: int) -> None:
    """Killed after so many steps of a stage, the same call ends with the same rows, and leaves one file."""
    out = folder / f"killed {stage} {after}.atlas"
    ended = in_a_child(lambda: subject.build(out, progress=Hook(stage_name=stage, after=after, do=die)))
    assert ended == signal.SIGKILL, f"the build never came to step {after} of {stage}"
    subject.build(out)
    same_rows(out, subject.whole)
    alone(out)


def stopped_behind_every_piece(subject: Subject, folder: Path) -> None:
    """A build that is stopped whenever it has got one piece further ends, in the end, with the same rows.

    What was finished before a stop is not made again, and the file opens after every stop.
    """
    out = folder / "stopped.atlas"
    reached, patience = (-1, -1), 1
    while True:
        log = _StopsAfter(patience)
        try:
            subject.build(out, progress=log)
            break
        except Stopped:
            at = log.reached
        assert at >= reached, f"a build that was stopped at {reached} of its stages went on at {at} only"
        # A stop in the middle of a piece undoes it: the next run must be allowed to come further.
        patience = patience + 1 if at == reached else 1
        reached = at
        with ls.open(out) as atlas:
            assert not atlas.finished, "an unfinished atlas calls itself finished"
    same_rows(out, subject.whole)
    alone(out)


def opened_while_written(subject: Subject, folder: Path) -> None:
    """At every step of a build the atlas can be opened and read: what is in it is whole, and only ever grows."""
    out, seen = folder / "watched.atlas", [0]

    def look() -> None:
        with ls.open(out) as atlas:
            peaks = sum(len(unit.peaks) for layer in atlas for unit in layer)
        assert peaks >= seen[0], f"a reader saw {peaks} peaks after {seen[0]}"
        seen[0] = peaks

    subject.build(out, progress=_Calls(look))
    assert seen[0], "no reader ever saw a peak"
    same_rows(out, subject.whole)


def method_added(subject: Subject, folder: Path, method: str) -> None:
    """A method that is asked for later joins those that are there: no row of theirs changes, every unit with peaks
    gets its projections, and where the plates show the same method either way, all is as if both had been asked for at
    once."""
    out = folder / "method.atlas"
    methods = tuple(subject.options.get("methods", ("deconvnet",)))
    assert method not in methods, f"{method} is there from the beginning"
    subject.having(methods=methods).build(out)
    before, shown = _sheets(out), content_digest(out)["peak"]
    both = subject.having(methods=(*methods, method))
    both.build(out)
    alone(out)
    after = _sheets(out)
    changed = [key for key in before if after.get(key) != before[key]]
    assert not changed, f"adding {method} changed the sheet {changed[0]}"
    assert content_digest(out)["peak"] == shown, f"adding {method} changed what the tiles of peaks show"
    projected = {key[:2] for key in before if key[2] == "projections"}
    lacking = projected - {key[:2] for key in after if key[3] == method}
    assert not lacking, f"of the units {sorted(lacking)[:3]} there is nothing by {method}"
    if content_digest(out)["layer"] == both.whole["layer"]:
        same_rows(out, both.whole)


def _sheets(out: Path) -> dict[tuple[int, int, str, str, str], tuple[bytes, str, bytes]]:
    """Every sheet, by layer, unit, kind, method and view."""
    with closing(sqlite3.connect(out)) as connection:
        rows = connection.execute("SELECT layer, unit, kind, method, view, scales, codec, pixels FROM sheet")
        return {row[:5]: row[5:] for row in rows}


def layer_added(subject: Subject, folder: Path) -> None:
    """A layer that is asked for later joins those that are there: as if all had been asked for at once."""
    out = folder / "layer.atlas"
    replace(subject, layers=subject.layers[:-1]).build(out)
    subject.build(out)
    same_rows(out, subject.whole)
    alone(out)


def dissected(subject: Subject, folder: Path, masked: MaskedImages, source: Any) -> None:
    """A dissection adds to an atlas and changes nothing that was there; a second one ends with the same rows."""
    from layerscope.api.dissecting import dissect_atlas

    out = folder / "dissected.atlas"
    subject.build(out)
    dissect_atlas(out, subject.net, ls.images(source), masked)
    first = content_digest(out)
    assert first["concept"] != subject.whole["concept"], "a dissection left nothing"
    same_rows(out, subject.whole, but=OF_DISSECTION)
    dissect_atlas(out, subject.net, ls.images(source), masked)
    same_rows(out, first)
    alone(out)


def exported(subject: Subject, folder: Path) -> None:
    """An export leaves the atlas as it was, to the byte; a second one writes the same files."""
    out = folder / "exported.atlas"
    subject.build(out)
    before = out.read_bytes()
    sites = [folder / "site", folder / "again"]
    with ls.open(out) as atlas:
        for site in sites:
            atlas.export(site, progress=False)
    assert out.read_bytes() == before, "an export changed the atlas"
    first, second = ({p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()} for site in sites)
    other = sorted(str(name) for name in {*first, *second} if first.get(name) != second.get(name))
    assert not other, f"two exports of one atlas differ in {', '.join(other[:3])}"


# In which order they may come.
STAGES = [name for stage in BUILD for name in ((stage.name, DECIDE.name) if stage is SCAN else (stage.name,))]


class _StopsAfter(Log):
    """Stops a build behind so many steps. reached: the place of the stage, and how far it had come before."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.reached = steps, (-1, -1)

    def start(self, stage: str, total: int, done: int) -> None:
        super().start(stage, total, done)
        self.reached = STAGES.index(stage), done

    def step(self, count: int = 1) -> None:
        super().step(count)
        self.steps -= 1
        if not self.steps:
            stop()


class _Calls(Silent):
    """Does something at every step."""

    def __init__(self, do: Callable[[], None]) -> None:
        self.do = do

    def step(self, count: int = 1) -> None:
        self.do()
