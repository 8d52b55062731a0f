"""The engine `ray` on a cluster of three machines: the rows of `local`, whatever dies meanwhile."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import ray
import torch
from torch import nn

import layerscope as ls
from layerscope.core.engines import ENGINES, Piece, opened
from layerscope.core.errors import ImageError, UsageError
from layerscope.engines import cluster as of_cluster
from layerscope.engines import flow
from layerscope.testing import engines
from layerscope.testing.atlases import Subject, alone, same_rows
from layerscope.testing.watching import Hook
from tests.helpers import works
from tests.helpers.building import pictures_as_files
from tests.ray.conftest import ROOT
from tests.ray.killed import actors, gone

RAY = ENGINES.own["ray"]
SEED = 20


class Spoilt(NamedTuple):
    """A subject, the folder for its atlases, and a picture of it that has peaks."""

    subject: Subject
    folder: Path
    picture: Path


@pytest.mark.parametrize("count", [3, 1, 2, 5])
@pytest.mark.thin(4)
def test_the_rows_are_those_of_local(cluster, subject: Subject, tmp_path: Path, count: int) -> None:
    """By an actor on each machine, and by one, two and five."""
    out = tmp_path / "a.atlas"
    subject.build(out, engine="ray", processes=count)
    same_rows(out, subject.whole)
    alone(out)
    assert gone()


def test_pieces_come_in_order_whatever_is_done_first(cluster) -> None:
    """Of drawn durations; by several processes at once, which keep the thread count that they were told."""
    draw = random.Random(SEED)
    pieces = [Piece(number, 1, draw.choice([0, 0, 0.05, 0.3])) for number in range(40)]
    with opened(RAY, 1, processes=3) as at_work:
        found = [tuple(made) for made in at_work.map(works.slowly, pieces)]
        assert [number for number, _ in found] == list(range(40))
        assert len({process for _, process in found}) == 3
        assert [tuple(made) for made in at_work.map(works.settled, pieces[:4])] == [(1,)] * 4


@pytest.fixture
def spoilt(net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spoilt:
    """A picture of a subject of its own, and the folder for its atlases; its builds have one actor."""
    # In place of all that there is room for: each takes seconds to begin.
    row = replace(RAY, open=lambda workers, **how: RAY.open(workers, **{**how, "processes": 1}))
    monkeypatch.setitem(ENGINES.own, "ray", row)
    folder = pictures_as_files(tmp_path / "drawn", 140)
    (tmp_path / "atlases").mkdir()
    subject = Subject(net, str(folder), ("relu1",), {"k": 5, "workers": 1})
    return Spoilt(subject, tmp_path / "atlases", folder / "blue eye" / "0052.png")


def test_the_engine_keeps_the_laws(cluster, spoilt: Spoilt) -> None:
    """Every piece in its turn; nothing left behind; an image that breaks."""
    engine, picture, content = ENGINES["ray"], spoilt.picture, spoilt.picture.read_bytes()
    engines.gives_every_piece_in_its_turn(engine)
    engines.same_rows_as_local(engine, spoilt.subject, spoilt.folder)
    engines.ends_in_the_same_sentence(
        engine, spoilt.subject, spoilt.folder,
        lambda: picture.write_bytes(content[: len(content) // 2]), lambda: picture.write_bytes(content),
    )  # fmt: skip


@pytest.mark.wide
def test_stopped_in_every_stage_it_is_gone_on_with(cluster, spoilt: Spoilt) -> None:
    """The law that begins most processes, one a stage."""
    engines.stopped_and_resumed(ENGINES["ray"], spoilt.subject, spoilt.folder)


def test_processes_that_are_killed_cost_their_pieces(cluster, subject: Subject, tmp_path: Path) -> None:
    """At drawn moments of scan and projection; the rows are the same."""
    draw, out = random.Random(SEED), tmp_path / "a.atlas"

    def kill() -> None:
        os.kill(draw.choice(actors()), signal.SIGKILL)

    hook = Hook(stage_name="scan", after=draw.randrange(1, 4), do=kill)
    hook_too = Hook(stage_name="project", after=draw.randrange(1, 4), do=kill)

    class Both(Hook):
        def start(self, stage: str, total: int, done: int) -> None:
            hook.start(stage, total, done)
            hook_too.start(stage, total, done)

        def step(self, count: int = 1) -> None:
            hook.step(count)
            hook_too.step(count)

    subject.build(out, progress=Both(), engine="ray", processes=2)
    same_rows(out, subject.whole)


def test_a_machine_that_is_gone_costs_its_pieces(cluster, machine, full, subject: Subject, tmp_path: Path) -> None:
    """With all that its actors had made and nobody had fetched."""
    full(but=1)
    node, out = machine(num_cpus=2, node_name="fourth"), tmp_path / "a.atlas"
    after = random.Random(SEED).randrange(1, 5)
    gone = Hook(stage_name="scan", after=after, do=lambda: cluster.remove_node(node, allow_graceful=False))
    subject.build(out, progress=gone, engine="ray", processes=3)
    assert node not in cluster.worker_nodes
    same_rows(out, subject.whole)


@pytest.mark.wide
def test_of_a_process_that_is_killed_nothing_is_said(cluster, subject: Subject, tmp_path: Path) -> None:
    """Where layerscope made the connection: Ray would tell of it on stdout, though it was asked to forward nothing."""
    out = tmp_path / "a.atlas"
    ended = _in_a_process(out, subject, "scan", 2, "actor", cluster.address)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    same_rows(out, subject.whole)


def test_a_cluster_of_its_own_begins_and_ends_with_the_build(subject: Subject, tmp_path: Path) -> None:
    """In silence, too."""
    out = tmp_path / "a.atlas"
    ended = _in_a_process(out, subject, "scan", -1, "actor", "local")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    same_rows(out, subject.whole)


def _in_a_process(out: Path, subject: Subject, *how: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.ray.killed", str(out), subject.images, *map(str, how)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stage", ["scan", "project"])
@pytest.mark.thin(2)
def test_a_writer_that_is_killed_is_gone_on_with(cluster, subject: Subject, tmp_path: Path, stage: str) -> None:
    """By another writer, from what the file holds; what the first one had begun in the cluster has ended."""
    out = tmp_path / "a.atlas"
    after = random.Random(f"{SEED} {stage}").randrange({"scan": 4, "project": 2}[stage])
    ended = _in_a_process(out, subject, stage, after, "writer", cluster.address)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert gone()
    with ls.open(out) as atlas:
        assert not atlas.finished
    subject.build(out, engine="ray", processes=2)
    same_rows(out, subject.whole)
    alone(out)


@pytest.mark.wide
def test_a_piece_that_ends_its_process_is_named(cluster) -> None:
    """After three processes; those before it are made, and so is everything else. Of a build in test_drivers.py."""
    pieces = [Piece(n, 1, "deadly" if n == 5 else range(n, n + 2)) for n in range(9)]
    found = []
    with (
        opened(RAY, 1, processes=2) as at_work,
        pytest.raises(UsageError, match=r"made piece 5 ended 3 times \((first|second|third), .* run the same command"),
    ):
        for made in at_work.map(works.deadly, pieces):
            found += made
    assert found == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("eyes", ["blind", pytest.param("other", marks=pytest.mark.wide)])
def test_a_machine_that_sees_other_images_is_named(cluster, machine, full, net, tmp_path: Path, eyes: str) -> None:
    """Or none; and nothing is skipped for it."""
    full()
    machine(num_cpus=1, node_name=f"{eyes} one", env_vars={works.EYES: eyes})
    with pytest.raises(ImageError, match=rf"is not the same for every machine: .*\(on the machine {eyes} one\)"):
        subject = Subject(net, works.Seen(), ("relu1",), {"k": 1})
        subject.build(tmp_path / "a.atlas", engine="ray", processes=1)


def test_a_machine_with_another_layerscope_is_named(cluster, machine, full, tmp_path: Path) -> None:
    """Before anything is made."""
    full()
    other = tmp_path / "layerscope-99.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: layerscope\nVersion: 99.0\n")
    paths = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    machine(num_cpus=1, node_name="newer one", env_vars={"PYTHONPATH": paths})
    with (
        pytest.raises(UsageError, match=r"newer one.* has layerscope 99\.0 \(here .*install the same versions"),
        opened(RAY, 1, processes=1),
    ):
        raise AssertionError("it was opened")


def test_what_is_large_travels_once(cluster, net, subject: Subject, tmp_path: Path, monkeypatch) -> None:
    """The network is put into the cluster once a build, whatever the number of stages; each stage's work is small."""
    sizes: list[int] = []
    put = ray.put

    def counted(value: Any) -> Any:
        sizes.append(len(value))
        return put(value)

    monkeypatch.setattr(ray, "put", counted)
    wide = ls.trace(wide_network().eval(), net.input)
    with_wide = Subject(wide, subject.images, ("0",), {"k": 1, "limit": 140})
    with_wide.build(tmp_path / "a.atlas", engine="ray", processes=1)
    assert sum(size > 1_000_000 for size in sizes) == 1
    assert len(sizes) >= 4 and sum(sizes) < max(sizes) + 1_000_000


def wide_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(8), nn.Flatten(), nn.Linear(512, 1000))


def test_a_connection_that_was_there_stays(cluster) -> None:
    """And another address than its own is refused."""
    with opened(RAY, 1, processes=1):
        pass
    assert ray.is_initialized()
    with pytest.raises(UsageError, match="is connected to a Ray cluster already"), opened(RAY, 1, address="local"):
        raise AssertionError("it was opened")


def test_too_many_threads_for_any_machine(cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no machine has is not waited for."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    with pytest.raises(UsageError, match=r"has 64 CPUs, .* \d machines with \d+ CPUs"), opened(RAY, 1):
        raise AssertionError("it was opened")


def test_nobody_at_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said within seconds, and so is that no cluster runs."""
    monkeypatch.setattr(of_cluster.ray, "is_initialized", lambda: False)
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9"):
        with pytest.raises(UsageError, match="nobody answers at"), of_cluster.connected(address, 1):
            raise AssertionError("it was connected")


def test_where_no_process_can_come_it_is_said(cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where all CPUs are taken by somebody else."""
    monkeypatch.setattr(flow, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(of_cluster.Cluster, "room", lambda *_, **__: 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    with pytest.raises(UsageError, match="no process of the Ray cluster came"), opened(RAY, 1, processes=1):
        raise AssertionError("it was opened")
