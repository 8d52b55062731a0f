"""Training over many kills, and over two processes."""

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.training import CLASSES, STEPS, drawn, killed_run, small_run, weights

ROOT = Path(__file__).parents[2]
KILLS = 12

PROCESS = """
import json, os, sys
from dataclasses import replace
from pathlib import Path

from layerscope.training import run, train
from tests.helpers.training import RECIPE

ended = {}
original = run.Training.run
def listening(self, settings):
    log = original(self, settings)
    ended.update({name: float(p.detach().double().sum()) for name, p in self.network.named_parameters()})
    ended["rate"] = self.plateau.state
    return log
run.Training.run = listening
recipe = replace(RECIPE, schedule="plateau", patience=1)
log = train("zfnet64", sys.argv[1], sys.argv[2], recipe=recipe, device="cpu", keep_seconds=0.0)
Path(sys.argv[3], os.environ["RANK"] + ".json").write_text(json.dumps([ended, log]))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("wide") / "noise")


@pytest.mark.wide
def test_a_run_killed_again_and_again_ends_in_the_same_weights(pictures: Path, tmp_path: Path) -> None:
    """At random steps, in the middle of random writes, with states kept at every step or at epochs alone."""
    small_run(pictures, tmp_path / "whole")
    chance = random.Random(0)
    for number in range(KILLS):
        out, often = tmp_path / str(number), chance.choice([0.0, 1e9])
        for _ in range(chance.randint(1, 2)):
            write = chance.choice([0, chance.randint(1, 6)])
            killed_run(pictures, out, step=chance.randint(1, 2 * STEPS), write=write, keep_seconds=often)
        small_run(pictures, out, keep_seconds=often)
        assert weights(out) == weights(tmp_path / "whole"), f"run {number}"


def launched(arguments: list[str], folder: Path) -> None:
    """Run this with two processes, as torchrun starts them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=(folder / f"{rank}.err").open("w"),
            stdout=(folder / f"{rank}.out").open("w"),
        )
        for rank in range(2)
    ]
    for rank, process in enumerate(processes):
        assert process.wait(300) == 0, (folder / f"{rank}.err").read_text()


@pytest.mark.wide
def test_two_processes_end_in_the_same_weights(pictures: Path, tmp_path: Path) -> None:
    """Parameters, learning rate and log are the same in both, and no scratch file stays."""
    script = tmp_path / "process.py"
    script.write_text(PROCESS)
    launched([str(script), str(pictures), str(tmp_path / "run"), str(tmp_path)], tmp_path)
    (first, log), (second, _) = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first == second and len(log) == 2
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["made_with"]["processes"] == 2 and tuple(card["data"]["classes"]) == CLASSES
    assert not list((tmp_path / "run").glob(".*")), "the decoded pictures are gone"


@pytest.mark.wide
def test_the_command_runs_in_two_processes(pictures: Path, tmp_path: Path) -> None:
    """The first one alone speaks."""
    words = ["-m", "layerscope.cli", "train", "worldnet", "--data", str(pictures), "--out", str(tmp_path / "run")]
    launched([*words, "--epochs", "1", "--batch", "8", "--device", "cpu", "--json"], tmp_path)
    assert json.loads((tmp_path / "0.out").read_text())["images"] == 3
    assert (tmp_path / "1.out").read_text() == "" and "epoch 1 of 1" not in (tmp_path / "1.err").read_text()
