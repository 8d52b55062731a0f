"""What befalls the process that writes, the cluster's driver: another one on its atlas, a disk that is full, a shard
that no process outlives; and rows of a data set, which every process reads by itself."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

import layerscope as ls
from layerscope.core.errors import AtlasError, UsageError
from layerscope.testing.atlases import Subject, alone, same_rows
from layerscope.testing.watching import Hook, Log
from tests.helpers import works
from tests.ray.conftest import ROOT
from tests.ray.killed import gone
from tests.remote.tables import rows_of, table, write

# Images of a shard, and of a batch: of each the scan tells as a step.
SHARD, BATCH = 128, 32


def test_a_second_driver_is_refused_and_the_first_goes_on(cluster, subject: Subject, tmp_path: Path) -> None:
    """On the same atlas, by the same cluster: one sentence, and nothing begins."""
    out, second = tmp_path / "a.atlas", []
    command = [
        sys.executable, "-m", "layerscope.cli", "build", "tests/helpers/building.py:Small", "-o", str(out),
        "--images", subject.images, "--engine", "ray", "--address", cluster.address,
    ]  # fmt: skip

    def begin() -> None:
        second.append(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False))

    subject.build(out, progress=Hook(stage_name="scan", after=2, do=begin), engine="ray", processes=1)
    [other] = second
    said = f"{out} is being written by another build (process {os.getpid()}); wait for it or choose another file"
    assert other.returncode == 1 and other.stdout == ""
    assert other.stderr.splitlines()[-1] == f"layerscope: {said}" and "Traceback" not in other.stderr
    same_rows(out, subject.whole)
    alone(out)


def test_a_disk_that_becomes_full_costs_no_row(
    cluster, subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's, behind the second shard: SQLite itself says it, no process is left, and `local` goes on."""
    out, connections, connect = tmp_path / "a.atlas", [], sqlite3.connect

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connections.append(connect(*arguments, **options))
        return connections[-1]

    def fill() -> None:
        for one in connections:
            with contextlib.suppress(sqlite3.ProgrammingError):  # those that are closed
                one.execute("PRAGMA max_page_count=1")  # SQLite takes as many as there are

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", connected)
        hook = Hook(stage_name="scan", after=2 * SHARD // BATCH + 1, do=fill)
        with pytest.raises(AtlasError, match=r"the disk is full.*a\.atlas.*run the same command again") as raised:
            subject.build(out, progress=hook, engine="ray", processes=1)
    assert "\n" not in str(raised.value) and gone()
    log = Log()
    subject.build(out, progress=log)
    assert log.stage("scan")[2] == 2 * SHARD
    same_rows(out, subject.whole)
    alone(out)


def test_a_shard_that_no_process_outlives_is_named(cluster, net: ls.Network, tmp_path: Path) -> None:
    """After three processes, with its images; what came before it is kept, and behind the mending `local` goes on."""
    poison, out = tmp_path / "poison", tmp_path / "a.atlas"
    poison.touch()
    subject = Subject(net, works.Deadly(str(poison), SHARD + 5), ("relu1",), {"k": 1, "workers": 1})
    sentence = rf"made piece 1 \(images {SHARD} to {2 * SHARD - 1}\) ended 3 times \(.*run the same command again"
    with pytest.raises(UsageError, match=sentence):
        subject.build(out, engine="ray", processes=1)
    poison.unlink()
    log = Log()
    subject.build(out, progress=log)
    assert log.stage("scan")[2] == SHARD
    same_rows(out, subject.whole)


def test_rows_of_a_data_set_are_read_by_every_process(cluster, subject: Subject, tmp_path: Path) -> None:
    """The atlas is that of the same files in a folder, by one process."""
    names = sorted(path.name for path in Path(subject.images).iterdir())
    rows = rows_of(Path(subject.images), names)
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=names)}
    file = write(tmp_path / "rows" / "train-00000-of-00001.parquet", table(rows, features), group=100)
    out = tmp_path / "made" / "a.atlas"
    out.parent.mkdir()
    Subject(subject.net, f"hf:{file}", subject.layers, subject.options).build(out, engine="ray", processes=2)
    same_rows(out, subject.whole)
