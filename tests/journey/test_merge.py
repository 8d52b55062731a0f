"""Atlases of parts, merged and gone on with: the rows of one build over all images; and refusals."""

import shutil
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.atlas.compare import content_digest
from layerscope.pipeline.settings import SHARD
from tests.helpers.building import K, Log, pictures_as_files

LAYERS = ["relu1", "relu3"]
HOW = {"layers": LAYERS, "k": K, "units": 4, "codec": "png", "progress": False}
COUNT = 2 * SHARD + 44
# What a merge leaves to the build that goes on with it.
BEHIND = {"sheet", "kept", "made_of", "share", "used_for", "picture"}
OF_THE_SCAN = {"image", "node", "edge", "filter", "unit", "neighbour"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with classes; among the first some that are copies or broken, in each of the parts that are made."""
    folder = pictures_as_files(tmp_path_factory.mktemp("merge") / "drawn", COUNT - 4)
    names = sorted(folder.rglob("*.png"))
    for place in (3, 150):
        shutil.copy(names[place], names[place].with_name(f"{names[place].stem}_copy.png"))
        names[place].with_name(f"{names[place].stem}_broken.png").write_bytes(names[place].read_bytes()[:200])
    return folder


@pytest.fixture(scope="module")
def made(net: ls.Network, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Atlases of the whole, and of three parts, the first two of which fill shards."""
    out = tmp_path_factory.mktemp("parts")
    parts = {"a": (0, SHARD), "b": (SHARD, 2 * SHARD), "c": (2 * SHARD, COUNT)}
    for name, (begin, end) in parts.items():
        ls.build(net, folder, out / f"{name}.atlas", begin=begin, end=end, **HOW).close()
    ls.build(net, folder, out / "whole.atlas", **HOW).close()
    return {name: out / f"{name}.atlas" for name in (*parts, "whole")}


def digest(path: Path, but: set[str] = frozenset()) -> dict[str, str]:
    return {table: rows for table, rows in content_digest(path).items() if table not in but}


def test_merged_and_gone_on_with_it_is_one_build(
    net: ls.Network, folder: Path, made: dict[str, Path], tmp_path: Path
) -> None:
    """Every row of every table; and not one image is scanned again."""
    out = tmp_path / "merged.atlas"
    log = Log()
    with ls.merge([made["a"], made["b"], made["c"]], out, progress=log) as atlas:
        assert atlas.finished and atlas.file.image_count() == COUNT
        assert len(atlas["relu1"][0].peaks) == K and atlas["relu1"][0].statistics is not None
    scan, whole = digest(out), digest(made["whole"])
    assert {table: scan[table] for table in OF_THE_SCAN} == {table: whole[table] for table in OF_THE_SCAN}
    log = Log()
    ls.build(net, folder, out, **{**HOW, "progress": log}).close()
    assert "scan" not in [stage[0] for stage in log.stages]
    assert digest(out) == whole
    ls.build(net, folder, out, **HOW).close()
    assert digest(out) == whole
