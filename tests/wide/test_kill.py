"""Killed at random moments of the clock, a build still ends with the same bytes."""

import random
import signal
import time
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.atlas.compare import content_digest
from tests.helpers.building import LAYERS, Log, in_a_child, pictures_as_files, small_network

KILLS = 20


@pytest.mark.wide
def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    """Twenty builds, each killed once or twice wherever it happened to be, and resumed: one digest."""
    pictures, net = pictures_as_files(tmp_path / "drawn", 300), small_network()

    def build(out: Path) -> None:
        ls.build(net, pictures, out=out, layers=LAYERS, progress=Log()).close()

    build(tmp_path / "whole.atlas")
    began = time.monotonic()
    in_a_child(lambda: build(tmp_path / "timed.atlas"))
    seconds = time.monotonic() - began
    expected = content_digest(tmp_path / "whole.atlas")
    assert content_digest(tmp_path / "timed.atlas") == expected
    chance, killed, number = random.Random(0), 0, 0
    # A build that ends before its moment comes was not killed: the sweep goes on until twenty were.
    while killed < KILLS:
        out = tmp_path / f"{number}.atlas"
        for _ in range(1 + number % 2):
            ended = in_a_child(lambda out=out: build(out), seconds=chance.uniform(0.02, 0.9) * seconds)
            killed += ended == signal.SIGKILL
        build(out)
        assert content_digest(out) == expected, f"build {number} differs"
        assert not list(tmp_path.glob(f"{out.name}?*")), "something was left behind"
        number += 1
        assert number < 4 * KILLS, "builds end before they can be killed"
