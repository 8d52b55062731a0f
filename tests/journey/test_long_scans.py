"""Scans of so many shards that what they found so far is joined; with small shards, few images are such a scan."""

import sqlite3
import tracemalloc
import weakref
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.atlas.records import NodeRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.progress import Clock
from layerscope.core.records import ImageRecord
from layerscope.pipeline import scan_work, scanning
from layerscope.pipeline.scanning import Scanning
from layerscope.scan import ShardResult, sample, state
from layerscope.sources import open_source
from tests.helpers.building import Hook, K, Log

SMALL_SHARD, JOINED = 32, 2
# More than is kept of an image: its record, and where it lies.
RECORD_BYTES = 2048


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards are small, few of them are joined, and the sums of few units are many parts."""
    monkeypatch.setattr(scan_work, "SHARD", SMALL_SHARD)
    monkeypatch.setattr(scanning, "JOINED", JOINED)
    monkeypatch.setattr(state, "PART_BYTES", 2**13)


def scan(net: ls.Network, images: Any, out: Path, progress: Log) -> None:
    """The scan of a build, begun or gone on with."""
    with AtlasWriter.resume(out) if out.exists() else AtlasWriter.create(out) as writer:
        layers = [layer for layer in net.layers if layer.auto]
        writer.put_nodes(
            NodeRecord(id=node.id, name=node.name, op=node.op, module=node.module, shape=node.shape, args={})
            for node in net.program.graph.nodes
        )
        Scanning(writer, net.program, layers, open_source(images), net.input, k=K, seed=0).run(progress, Clock())


def interrupt() -> None:
    raise KeyboardInterrupt


def stopped(net: ls.Network, images: Any, out: Path) -> list[bytes]:
    """The parts of the sums that a scan left which was stopped in its fourth shard."""
    with pytest.raises(KeyboardInterrupt):
        scan(net, images, out, Hook(stage_name="scan", after=4, do=interrupt))
    with closing(sqlite3.connect(out)) as connection:
        rows = connection.execute("SELECT payload FROM shard WHERE stage LIKE 'sums of %' ORDER BY id").fetchall()
    return [payload for (payload,) in rows]


def test_a_scan_goes_on_from_joined_shards(net, pictures, tmp_path) -> None:
    """Stopped behind joined shards and gone on with, a scan ends with the rows of one, and leaves none of its sums."""
    scan(net, pictures, tmp_path / "whole.atlas", Log())
    out = tmp_path / "small.atlas"
    parts = stopped(net, pictures, out)
    assert len(parts) > 3
    log = Log()
    scan(net, pictures, out, log)
    assert log.stage("scan")[2] == 3 * SMALL_SHARD
    assert content_digest(out) == content_digest(tmp_path / "whole.atlas")
    with closing(sqlite3.connect(out)) as connection:
        assert connection.execute("SELECT count(*) FROM shard").fetchone() == (0,)


def test_memory_grows_by_a_record_an_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With many units, four times the images take no more than a small record of each, less than its maxima would be,
    although only the longer scan is joined; and no shard's result outlives its turn."""
    units, few, side = 1024, 64, 8
    monkeypatch.setattr(scanning, "JOINED", 4)
    monkeypatch.setattr(sample, "MOST_SAMPLED", 8)
    monkeypatch.setattr(state, "PART_BYTES", 2**16)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, units, side), nn.ReLU()).eval()
    net = ls.trace(module, ls.Input(channels=3, height=side, width=side))
    pictures = list(np.random.default_rng(0).integers(0, 256, (4 * few, side, side, 3), np.uint8))
    assert units * np.float32().nbytes > RECORD_BYTES
    scan(net, pictures[:few], tmp_path / "first.atlas", Log())
    most = [most_of(net, pictures[:count], tmp_path / f"{count}.atlas", monkeypatch) for count in (few, 4 * few)]
    assert most[1] - most[0] < 3 * few * RECORD_BYTES, most


def most_of(net: ls.Network, images: Any, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The most bytes that Python and NumPy held while these images were scanned."""
    met: list[weakref.ref[ShardResult]] = []
    add = Scanning._add

    def counted(self: Scanning, result: ShardResult, records: Iterable[ImageRecord]) -> None:
        met.append(weakref.ref(result))
        assert sum(one() is not None for one in met) <= 2
        add(self, result, records)

    monkeypatch.setattr(Scanning, "_add", counted)
    tracemalloc.start()
    scan(net, images, out, Log())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    monkeypatch.setattr(Scanning, "_add", add)
    return most
