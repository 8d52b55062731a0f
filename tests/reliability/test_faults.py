"""Every command with its n-th event failing: one sentence, nothing is lost, and the same command ends as ever."""

import resource
from functools import partial
from pathlib import Path

import pytest

from layerscope.atlas.create import PAGE_SIZE
from layerscope.core.errors import UsageError
from tests.helpers.building import in_a_child
from tests.helpers.sweep import swept
from tests.reliability.commands import Bench
from tests.reliability.faults import AT, FAULTS, KILL
from tests.reliability.loop import Command, Loop, chosen, sweep
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS, small_databases
from tests.reliability.subject import build, pictures

COMMANDS = (
    *("build", "add", "overwrite", "dissect", "export", "export anew", "export zipped"),
    *("figure", "look", "merge", "train", "world", "world in shards"),
)
# Of each command but build a few seams on every run; all of them, and training, in the wide form.
OFTEN = [
    ("add", "statement", 1),
    ("add", "operation", 1),
    ("overwrite", "row", 1),
    ("overwrite", "rename", 1),
    ("dissect", "statement", 2),
    ("dissect", "decode", 2),
    ("export", "write", 1),
    ("export", "mkdir", 1),
    ("export anew", "mkdir", 1),
    ("export zipped", "write", 1),
    ("figure", "write", 1),
    ("figure", "sync", 1),
    ("figure", "array", 1),
    ("look", "rename", 1),
    ("look", "operation", 1),
    ("merge", "statement", 1),
    ("merge", "row", 1),
    ("merge", "rename", 1),
    ("world", "write", 2),
    ("world in shards", "write", 2),
    ("world in shards", "rename", 2),
]


@pytest.mark.parametrize("seam", swept([seam for seam in SEAMS if seam not in ("mkdir", "sync")], 2))
@pytest.mark.thin(3)
def test_a_build_meets_each_kind_of_fault(loops: dict[str, Loop], seam: str) -> None:
    """At the first and at the last event of every seam, and between."""
    assert sweep(loops["build"], seam, most=3 if seam in ("statement", "row", "write") else 2) > 0


@pytest.mark.parametrize("name, seam, most", OFTEN)
@pytest.mark.thin(4)
def test_a_command_meets_a_fault(loops: dict[str, Loop], name: str, seam: str, most: int) -> None:
    """What was there before is there; what was begun is gone on with."""
    assert sweep(loops[name], seam, most=most) > 0


def test_the_old_site_is_there_until_the_new_one_is(loops: dict[str, Loop]) -> None:
    """An export in the place of another, killed when the new folder is whole and the old one is about to go."""
    loop = loops["export anew"]
    assert loop.fault("list", KILL, loop.events("list"))


def test_where_folders_cannot_change_places_the_next_export_brings_the_old_one_back(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two renames that take the step's place: the next one, though it fails, has it there again."""
    monkeypatch.setattr("layerscope.viewer.export.folder.exchange", lambda one, other: False)
    site = tmp_path / "site"
    bench.export(bench.atlas, site, ("relu1",))
    before = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    meter = Meter(tmp_path, 2, FAULTS[KILL])

    def dying() -> None:
        with SEAMS["rename"](meter):
            bench.export(bench.atlas, site, overwrite=True)

    assert in_a_child(dying) and not site.exists()
    with (
        SEAMS["open to write"](Meter(tmp_path, 20, FAULTS["disk full"])),
        pytest.raises(UsageError, match="disk is full"),
    ):
        bench.export(bench.atlas, site, overwrite=True)
    assert {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("seam", ["row", "write", "rename"])
@pytest.mark.thin(3)
def test_a_killed_build_goes_on(loops: dict[str, Loop], seam: str) -> None:
    """Ended as by a power failure in the middle of the seam's events, and begun again."""
    count = loops["build"].events(seam)
    assert loops["build"].fault(seam, KILL, (count + 1) // 2)


def test_a_disk_that_stays_full(loops: dict[str, Loop]) -> None:
    """Whatever is written after the first failure fails as well, as on a disk that is full: still one sentence."""
    for seam, fault, number in (("write", "disk full", 9), ("row", "SQLite: full", 99), ("remove", "no permission", 9)):
        assert loops["build"].fault(seam, fault, number, lasting=True)


def test_sqlite_itself_says_that_it_is_full(loops: dict[str, Loop], bench: Bench) -> None:
    """The database may grow to so many pages and no further; what it held stays, and the build goes on from there."""
    whole = bench.atlas.stat().st_size // PAGE_SIZE
    for pages in (whole * 2 // 3, whole - 1):
        assert loops["build"].limited(f"pages {pages}", partial(small_databases, pages))


def limit_of_files(size: int) -> None:
    """No file of this process grows beyond so many bytes: the system fails the write that would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name, size", [("build", 300_000), ("figure", 4_000), ("world in shards", 20_000)])
def test_the_system_itself_fails_a_write(loops: dict[str, Loop], name: str, size: int) -> None:
    """In a process of its own whose files may only grow so far: the fault is met in C as in Python."""
    assert loops[name].confined(f"bytes {size}", partial(limit_of_files, size))


def test_no_image_is_lost_where_memory_is_short_for_a_while(bench: Bench) -> None:
    """A decoder that finds no memory once, in the first of two shards: the build goes on with smaller batches, and
    every image of the shards behind is scanned."""
    images = pictures(bench.folder / "many", each=80)
    loop = Loop(bench.folder, Command(name="many", run=lambda out: build(bench.net, images, out / "a.atlas", k=1)))
    assert loop.fault("decode", "no memory", 61)


@pytest.mark.wide
@pytest.mark.parametrize("seam", SEAMS)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_event_fails_once(loops: dict[str, Loop], name: str, seam: str) -> None:
    """n = 1, 2, ... until the command ends without meeting the fault; the faults of the seam take turns."""
    loop = loops[name]
    most = {"train": 12}.get(name, 400)
    sweep(loop, seam, most=most)


@pytest.mark.wide
@pytest.mark.parametrize("seam", [seam for seam in AT if seam != "thread"])
@pytest.mark.parametrize("name", ["build", "add", "dissect", "export anew"])
def test_every_event_is_the_last(loops: dict[str, Loop], name: str, seam: str) -> None:
    """Killed at the n-th event."""
    count = loops[name].events(seam)
    for number in chosen(count, 60):
        loops[name].fault(seam, KILL, number)


@pytest.mark.wide
def test_every_size_of_a_database_and_of_a_file(loops: dict[str, Loop], bench: Bench) -> None:
    """From nothing to where the command ends undisturbed, page by page and block by block."""
    pages = 1
    while loops["build"].limited(f"pages {pages}", partial(small_databases, pages)):
        pages += 1
    assert pages == bench.atlas.stat().st_size // PAGE_SIZE
    for name in ("build", "add", "dissect", "export", "figure", "look", "world in shards"):
        size = 1
        while loops[name].confined(f"bytes {size}", partial(limit_of_files, size)):
            size = max(size + 1000, int(size * 1.2))
