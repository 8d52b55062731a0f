"""Killed at any moment and started again, a build ends with the same bytes, and nothing is done twice but one piece."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import torch

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import AtlasError, ImageError, WrongModel
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import SHARD
from tests.helpers.building import INPUT, LAYERS, Hook, K, Log, Small, die, dies_at_call, in_a_child, small_network

# Where a process ends: after so many steps of a stage, or in the middle of a piece, at a call of a method.
MOMENTS: dict[str, tuple[str, int] | tuple[type, str, int]] = {
    "before the scan": ("scan", 0),
    "in the second shard": ("scan", 5),
    "while a shard is written": (AtlasWriter, "put_images", 2),
    "while what the scan found is written": (AtlasWriter, "put_units", 3),
    "while the layers are sampled": ("sample", 2),
    "between two groups": ("project", 1),
    "in the first group": (Scratch, "put", 20),
    "in a later group": (Scratch, "put", 100),
    "while pictures are written": (AtlasWriter, "put_picture", 35),
    "while sheets are written": (AtlasWriter, "put_sheet", 50),
    "while strata are placed": (AtlasWriter, "place_strata", 2),
    "just before the end": (AtlasWriter, "clear", 3),
    "at the very end": (AtlasWriter, "finish_run", 1),
}

# On every run; the others are left to the wide sweep.
OFTEN = ("while what the scan found is written", "in a later group")


def build(net: ls.Network, images: object, out: Path, progress: Log, **options) -> None:
    ls.build(net, images, out=out, layers=LAYERS, progress=progress, **{"k": K, **options}).close()


def killed(net: ls.Network, images: object, out: Path, moment: tuple, log: Path | None = None) -> Log:
    """What a build told until it was killed at a moment."""
    report = out.with_suffix(".report")

    def until_then() -> None:
        if isinstance(moment[0], type):
            dies_at_call(*moment)
            build(net, images, out, Log())
            return
        hook = Hook(
            stage_name=moment[0], after=moment[1], do=lambda: (report.write_text(json.dumps(hook.stages)), die())
        )
        build(net, images, out, hook)

    assert in_a_child(until_then) == signal.SIGKILL
    return Log(stages=[(*stage,) for stage in json.loads(report.read_text())] if report.exists() else [])


@pytest.mark.parametrize("moment", [m if m in OFTEN else pytest.param(m, marks=pytest.mark.wide) for m in MOMENTS])
def test_killed_and_resumed_is_undisturbed(moment: str, net, pictures, built, tmp_path) -> None:
    """Wherever a build is killed, the same call ends with the same bytes, and leaves one file."""
    out = tmp_path / "small.atlas"
    killed(net, pictures, out, MOMENTS[moment])
    build(net, pictures, out, Log())
    assert content_digest(out) == built.digest
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".report") == ["small.atlas"]


@pytest.mark.parametrize("moment", [("scan", 4), ("project", 1), pytest.param(("sheets", 3), marks=pytest.mark.wide)])
def test_no_resume_redoes_more_than_one_piece(moment: tuple[str, int], net, pictures, built, tmp_path) -> None:
    """Of what was stepped through before the kill at most one shard, one group or one set of sheets is done again."""
    out = tmp_path / "small.atlas"
    before = killed(net, pictures, out, moment)
    log = Log()
    build(net, pictures, out, log)
    stage, total, done, steps = log.stage(moment[0])
    made = before.stage(stage)[2] + sum(before.stage(stage)[3])
    piece = SHARD if stage == "scan" else max(built.log.stage(stage)[3])
    assert made - done <= piece and done + sum(steps) == total
    assert done > 0 or stage == "scan", "something was finished, and is not done again"


@pytest.mark.wide
def test_a_build_may_be_killed_again_and_again(net, pictures, built, tmp_path) -> None:
    """Each run gets further; in the end all is as in one."""
    out = tmp_path / "small.atlas"
    for moment in (("scan", 5), (Scratch, "put", 70), ("project", 1), (AtlasWriter, "put_sheet", 30), ("sheets", 1)):
        killed(net, pictures, out, moment)
    log = Log()
    build(net, pictures, out, log)
    assert content_digest(out) == built.digest
    assert "scan" not in [stage[0] for stage in log.stages]


def test_scratch_that_did_not_reach_the_disk_is_made_again(net, pictures, built, tmp_path) -> None:
    """A group whose tiles are lost, as after a power failure, is projected again."""
    out = tmp_path / "small.atlas"
    killed(net, pictures, out, ("sheets", 0))
    (scratch,) = tmp_path.glob("*.tiles")
    size = scratch.stat().st_size
    with scratch.open("r+b") as file:
        file.truncate(size // 3)
    log = Log()
    build(net, pictures, out, log)
    assert content_digest(out) == built.digest
    _, total, done, steps = log.stage("project")
    assert 0 < sum(steps) == total - done


def test_an_interrupt_loses_nothing(net, pictures, built, tmp_path) -> None:
    """Ctrl-C in the middle of each stage: the error comes through, the file is whole, and the same call goes on."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    out = tmp_path / "small.atlas"
    for stage, after in (("scan", 5), ("sample", 1), ("project", 1), ("sheets", 1)):
        with pytest.raises(KeyboardInterrupt):
            build(net, pictures, out, Hook(stage_name=stage, after=after, do=interrupt))
        with closing(sqlite3.connect(out)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    build(net, pictures, out, Log())
    assert content_digest(out) == built.digest


def test_a_finished_run_says_so_and_changes_nothing(net, pictures, built, tmp_path) -> None:
    """The same call again: one sentence, no stage begins, no byte changes, and what a late kill left behind goes."""
    out = tmp_path / "small.atlas"
    shutil.copy(built.path, out)
    out.with_name("small.atlas.0a1b2c3d.tiles").write_bytes(b"tiles")
    before, log = out.read_bytes(), Log()
    build(net, pictures, out, log)
    assert log.said == [f"{out} is complete: nothing is missing"] and not log.stages
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(before).digest()
    assert [path.name for path in tmp_path.iterdir()] == ["small.atlas"]


def runs(path: Path) -> list[tuple]:
    """What the atlas says of its making."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM run").fetchall() + connection.execute("SELECT * FROM shard").fetchall()


def copied(pictures: Path, folder: Path) -> Path:
    return Path(shutil.copytree(pictures, folder / "copy" / "drawn"))


def other_weights(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    return small_network(seed=1), pictures, {}


def other_network(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    model = Small()
    model.pool = torch.nn.MaxPool2d(2, 2)
    return ls.trace(model, INPUT), pictures, {}


def other_input(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    return ls.Network(net.name, ls.Input(height=40, width=48, std=(0.25,) * 3), net.program), pictures, {}


def fewer_images(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    return net, ls.images(pictures, limit=140), {}


def a_longer_image(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    copy = copied(pictures, folder)
    with sorted(copy.rglob("*.png"))[7].open("ab") as file:
        file.write(b"\0")
    return net, copy, {}


def other_labels(net: ls.Network, pictures: Path, folder: Path) -> tuple:
    labels = folder / "labels.csv"
    labels.write_text("".join(f"{p.relative_to(pictures)},thing\n" for p in sorted(pictures.rglob("*.png"))))
    return net, ls.images(pictures, labels=labels), {}


REFUSED: dict[str, Callable[[ls.Network, Path, Path], tuple]] = {
    "the weights are not the same": other_weights,
    "the network is not the same": other_network,
    r"input\.mean was \[0\.5, 0\.5, 0\.5\], is \[0\.0, 0\.0, 0\.0\]": other_input,
    "the images are not the same": fewer_images,
    "holds another run: the images are not the same;": a_longer_image,
    "holds another run: the labels are not the same;": other_labels,
    "settings.k was 5, is 4": lambda net, pictures, folder: (net, pictures, {"k": 4}),
    "settings.tile was 96, is 40; settings.seed was 0, is 5": lambda net, pictures, folder: (
        net,
        pictures,
        {"tile": 40, "seed": 5},
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_another_run_is_refused_by_what_differs(sentence: str, net, pictures, built, tmp_path) -> None:
    """Each thing that a user can change is named, with both values where they can be read; the file stays as it was."""
    out = tmp_path / "small.atlas"
    shutil.copy(built.path, out)
    before = runs(out)
    network, images, options = REFUSED[sentence](net, pictures, tmp_path)
    with pytest.raises(WrongModel, match=sentence) as error:
        build(network, images, out, Log(), **options)
    assert str(error.value).startswith(f"{out} holds another run: ")
    assert (content_digest(out), runs(out)) == (built.digest, before)


def test_other_threads_are_refused(net, pictures, built, tmp_path) -> None:
    """Sums over positions depend on the thread count, so it is a part of the run."""
    out = tmp_path / "small.atlas"
    shutil.copy(built.path, out)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        with pytest.raises(WrongModel, match=f"threads was {threads}, is {threads + 1}"):
            build(net, pictures, out, Log())
    finally:
        torch.set_num_threads(threads)


def test_two_builds_into_one_file(net, pictures, tmp_path) -> None:
    """The second is refused and told who holds the file; the first goes on undisturbed."""
    out = tmp_path / "small.atlas"
    caught: list[AtlasError] = []

    def second() -> None:
        with pytest.raises(AtlasError, match=f"being written by another build \\(process {os.getpid()}\\)") as error:
            build(net, pictures, out, Log())
        caught.append(error.value)

    build(net, ls.images(pictures, limit=40), out, Hook(stage_name="project", after=1, do=second))
    assert len(caught) == 1
    with ls.open(out) as atlas:
        assert len(atlas.layers) == len(LAYERS)


# The last bytes of a PNG are a checksum that decoders leave alone.
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "its content is not the same": lambda data: data[:-1] + b"?",
    "the file is empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
}


@pytest.mark.parametrize("stage", ["sample", "project"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.thin(2)
def test_an_image_that_changed_since_the_scan_is_refused(change: str, stage: str, net, pictures, tmp_path) -> None:
    """Longer, emptied or cut short between scan and projection: the error names a file, and no tile shows it."""
    folder = copied(pictures, tmp_path)

    def spoil() -> None:
        for path in folder.rglob("*.png"):
            path.write_bytes(CHANGES[change](path.read_bytes()))

    with pytest.raises(ImageError, match=r"\.png has changed since it was scanned \(.+\); start anew with --overwrite"):
        build(net, folder, tmp_path / "small.atlas", Hook(stage_name=stage, after=0, do=spoil))
    with closing(sqlite3.connect(tmp_path / "small.atlas")) as connection:
        assert connection.execute("SELECT count(*) FROM sheet").fetchone() == (0,)


def test_an_image_of_the_same_size_is_known_by_its_content(net, pictures, tmp_path) -> None:
    """Between two runs a file changes but keeps its length: the resumed build notices when it looks at it again."""
    folder, out = copied(pictures, tmp_path), tmp_path / "small.atlas"
    killed(net, folder, out, ("project", 0))
    for path in folder.rglob("*.png"):
        path.write_bytes(CHANGES["its content is not the same"](path.read_bytes()))
    with pytest.raises(ImageError, match=r"has changed since it was scanned \(its content is not the same\)"):
        build(net, folder, out, Log())
