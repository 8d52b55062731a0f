"""Every fast path is told, can be switched off, and makes what the slow form makes."""

import ast
import re
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

import numpy as np
import pytest

import layerscope as ls
from layerscope.atlas.codecs import decode
from layerscope.atlas.compare import content_digest
from layerscope.core.fastpaths import FAST_PATHS, FastPath
from layerscope.core.lru import LruCache
from layerscope.graph import Program
from layerscope.testing.slow import slow_paths
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS
from tests.reliability.subject import build, pictures, tiny_network

ROOT = Path(__file__).parents[3]
# Where a build is seen to go the slow way: a seam whose events are others then.
SEEN = {
    "batches of cones": "operation",
    "writing over inputs": "operation",
    "joined calls": "operation",
    "images decoded once": "decode",
    "threads that read ahead": "thread",
}


@pytest.fixture(scope="module")
def net() -> ls.Network:
    return tiny_network()


@pytest.fixture(scope="module")
def folder(net: ls.Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, and the atlas that the fast program makes of them."""
    made = tmp_path_factory.mktemp("fast")
    build(anew(net), pictures(made / "pictures"), made / "fast.atlas", codec="png")
    return made


def anew(net: ls.Network) -> ls.Network:
    """The network with a program that was made just now."""
    return ls.Network(net.name, net.input, Program(net.program.graph, dict(net.program.weights)))


@pytest.mark.parametrize("row", FAST_PATHS, ids=lambda row: row.name)
def test_each_is_held_by_a_test_that_is_there(row: FastPath) -> None:
    """The module, the switch and the test that a row names exist."""
    assert (ROOT / f"{row.module.replace('.', '/')}.py").is_file()
    path, _, name = row.held.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    with slow_paths(row.name):
        pass


@pytest.mark.parametrize("row", FAST_PATHS, ids=lambda row: row.name)
@pytest.mark.thin(6)
def test_the_slow_form_makes_the_same_atlas(row: FastPath, folder: Path, net: ls.Network) -> None:
    """The same rows to the last bit, or, where numbers are summed up in another order, the same peaks and tiles."""
    out = folder / f"{row.off.rpartition(':')[2]}.atlas"
    with slow_paths(row.name):
        build(anew(net), folder / "pictures", out, codec="png")
    if row.same_bits:
        assert content_digest(out) == content_digest(folder / "fast.atlas")
    else:
        same_within_rounding(out, folder / "fast.atlas")


def test_all_of_them_switched_off_make_the_same_atlas(folder: Path, net: ls.Network) -> None:
    """Together, as the laws are asked of them."""
    with slow_paths():
        build(anew(net), folder / "pictures", folder / "slow.atlas", codec="png")
    same_within_rounding(folder / "slow.atlas", folder / "fast.atlas")


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.thin(3)
def test_a_switch_does_something(name: str, folder: Path, net: ls.Network) -> None:
    """What a build does is not the same when the path is switched off, and is the same again afterwards."""

    def events(path: Path) -> list[str]:
        meter = Meter(folder)
        with SEAMS[SEEN[name]](meter):
            build(anew(net), folder / "pictures", path)
        return sorted(meter.events)

    # A rectifier that is part of a joined call writes over nothing.
    with slow_paths("joined calls") if name == "writing over inputs" else nullcontext():
        fast = events(folder / f"{name} on.atlas")
        with slow_paths(name):
            assert events(folder / f"{name} off.atlas") != fast
        assert events(folder / f"{name} again.atlas") == fast


def test_pages_without_a_store_are_the_same() -> None:
    """What a store gives is what it was made from, kept or not."""
    made: list[int] = []
    for slow in (False, True):
        store = LruCache[bytes](100, len)
        with slow_paths("pictures kept by the viewer") if slow else slow_paths("plans kept"):
            assert [store.get("key", lambda: made.append(1) or b"sprite") for _ in range(3)] == [b"sprite"] * 3
    assert len(made) == 1 + 3


def same_within_rounding(one: Path, other: Path) -> None:
    """The same peaks at the same places, values to 1e-5, tiles to a level; a lossy codec would make more of it."""
    with closing(sqlite3.connect(one)) as first, closing(sqlite3.connect(other)) as second:

        def both(query: str) -> list[list[tuple]]:
            return [connection.execute(query).fetchall() for connection in (first, second)]

        places = both("SELECT layer, unit, rank, image, row, col FROM peak ORDER BY 1, 2, 3")
        assert places[0] == places[1] and places[0]
        values = both("SELECT value FROM peak ORDER BY layer, unit, rank")
        np.testing.assert_allclose(values[0], values[1], rtol=1e-5)
        sheets = both("SELECT codec, pixels FROM sheet ORDER BY layer, unit, kind, method, view")
        assert len(sheets[0]) == len(sheets[1]) > 0
        for (codec, pixels), (same, others) in zip(*sheets, strict=True):
            difference = decode(pixels, codec).astype(int) - decode(others, same).astype(int)
            assert abs(difference).max() <= 1


def test_the_page_on_speed_tells_of_each() -> None:
    """docs/performance.md lists them all, in the words of the table."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([^`]+)` \|$", page, re.MULTILINE)
    assert [(name, does) for name, does, _ in documented] == [(row.name, row.does) for row in FAST_PATHS]
    assert [module for *_, module in documented] == [row.module.removeprefix("layerscope.") for row in FAST_PATHS]
