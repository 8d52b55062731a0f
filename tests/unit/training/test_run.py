"""A run ends in the same weights however often it was cut, and never keeps a state that has lost its numbers."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from layerscope.core.errors import LayerscopeError, UsageError
from layerscope.models import load
from layerscope.training import train
from layerscope.training.checkpoint import RunFolder
from layerscope.training.recipe import Phase
from layerscope.training.run import step_seed, steps_of
from layerscope.training.workers import Workers
from tests.helpers.building import Log
from tests.helpers.training import CLASSES, RECIPE, STEPS, killed_run, small_run, weights

SEED = 1535930435702422785


@pytest.mark.parametrize("keep_seconds", [0.0, pytest.param(1e9, marks=pytest.mark.wide)])
def test_a_killed_run_ends_in_the_same_weights(
    keep_seconds: float, pictures: Path, finished: Path, tmp_path: Path
) -> None:
    """Bit for bit, whether the newest state is of the step before or of the epoch before; the log too."""
    assert killed_run(pictures, tmp_path, step=5, keep_seconds=keep_seconds) == 9
    assert not (tmp_path / "last.safetensors").exists()
    log = Log()
    small_run(pictures, tmp_path, reporter=log, keep_seconds=keep_seconds)
    assert log.stage("train")[1:3] == (2 * STEPS, 4 if keep_seconds == 0 else STEPS)
    assert weights(tmp_path) == weights(finished)
    first, second = (json.loads((folder / "log.json").read_text()) for folder in (tmp_path, finished))
    assert [entry | {"seconds": 0} for entry in first] == [entry | {"seconds": 0} for entry in second]


def test_a_finished_run_says_so(pictures: Path, finished: Path) -> None:
    """Nothing is decoded and nothing is trained again; the log comes back."""
    log, before = Log(), weights(finished)
    entries = small_run(pictures, finished, reporter=log)
    assert log.stages == [] and len(entries) == 2
    assert re.fullmatch(r'".*whole" is finished: 2 epochs, top-1 [\d.]+%', log.said[0])
    assert weights(finished) == before


def test_what_a_run_leaves_can_be_opened(finished: Path) -> None:
    """Weights without batch norm, at the paper's epochs and at the end, with the names of their classes."""
    names = {path.name for path in finished.iterdir()}
    kept = {"epoch-001.safetensors", "epoch-002.safetensors", "last.safetensors"}
    assert names == kept | {"card.json", "card.md", "log.json", "run.json", "state.pt"}
    loaded = load("zfnet64", weights=finished / "last.safetensors")
    assert loaded.classes == CLASSES
    with safe_open(finished / "epoch-001.safetensors", framework="pt") as file:
        assert file.metadata() == {"network": "zfnet64", "epoch": "1", "classes": "\n".join(CLASSES)}


OTHERS = {
    "another network": ("worldnet", {}, 'holds another training run (network: "zfnet64", not "worldnet")'),
    "another rate": ("zfnet64", {"rate": 0.2}, "(recipe's rate: 0.1, not 0.2); choose another --out, or the same rate"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_run_is_not_gone_on_with(case: str, pictures: Path, finished: Path) -> None:
    """The sentence names what differs; nothing is decoded before."""
    name, options, sentence = OTHERS[case]
    log = Log()
    with pytest.raises(UsageError, match=re.escape(sentence)):
        train(name, pictures, finished, recipe=RECIPE, reporter=log, **options)
    assert log.stages == []


def test_a_folder_with_other_files_is_left_alone(pictures: Path, tmp_path: Path) -> None:
    """Neither filled nor emptied."""
    (tmp_path / "thesis.tex").write_text("mine")
    (tmp_path / ".train.npy").write_text("mine too")
    with pytest.raises(UsageError, match="is not empty and holds no training run; choose another --out"):
        small_run(pictures, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", ".train.npy"}


def test_a_run_begins_with_another_runs_weights(pictures: Path, finished: Path, tmp_path: Path) -> None:
    """At a rate that moves nothing they are the last weights too, but for the first filters; the card tells it."""
    still = replace(RECIPE, phases=(Phase(side=24, epochs=1),), rate=1e-12, decay=0.0, start_blur=0.7)
    small_run(pictures, tmp_path / "again", recipe=still, start=finished)
    first, last = (RunFolder(folder).network() for folder in (finished, tmp_path / "again"))
    trained = [name for name in first if name.endswith(".weight")]
    changed = [name for name in trained if not torch.allclose(first[name], last[name], atol=1e-6)]
    assert changed == ["layer1.conv.weight"]
    card = json.loads((tmp_path / "again" / "card.json").read_text())
    assert "--start whole" in card["command"] and card["begun"]["recipe"] == RECIPE.words


def test_a_start_that_does_not_fit_is_refused(pictures: Path, finished: Path, tmp_path: Path) -> None:
    """A folder without a run, and a run of another network; a run begun so goes on only from the same start."""
    with pytest.raises(UsageError, match="holds no training run to start from"):
        small_run(pictures, tmp_path / "a", start=tmp_path)
    with pytest.raises(UsageError, match="do not fit this network and data"):
        train("worldnet", pictures, tmp_path / "b", recipe=RECIPE, start=finished)
    with pytest.raises(UsageError, match="holds another training run"):
        small_run(pictures, finished, start=finished)


def test_a_loss_that_is_no_number_ends_the_run(pictures: Path, tmp_path: Path) -> None:
    """In one sentence, and what was kept is finite."""
    recipe = replace(RECIPE, rate=1e30, warm=0.0, phases=(Phase(side=16, epochs=4),))
    with pytest.raises(LayerscopeError, match=r"in epoch 1, step \d: the learning rate 1e\+30 is too high") as refusal:
        small_run(pictures, tmp_path, recipe=recipe, keep_seconds=0.0)
    assert "train anew with a lower --rate and another --out" in str(refusal.value)
    state = RunFolder(tmp_path).state()
    assert state is None or all(torch.isfinite(tensor).all() for tensor in state["network"].values())


def test_the_last_batch_is_large_enough_for_batch_norm() -> None:
    """One picture has no variance: it waits for the next epoch; two are enough."""
    alone = Workers("cpu")
    assert [steps_of(count, 8, alone) for count in (2, 8, 9, 10, 16)] == [1, 1, 1, 2, 2]


def test_seeds_of_steps_are_stable() -> None:
    """They follow from the numbers alone, in any version of Python: this one was written down."""
    assert step_seed(0, 1, 2, 0) == step_seed(0, 1, 2, 0) == SEED
    assert len({step_seed(0, epoch, step, 0) for epoch in range(5) for step in range(5)}) == 25


def test_bf16_computes_and_is_said(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the processor has the instructions, unless it is switched off."""
    log = Log()
    monkeypatch.setattr(sys.modules["layerscope.training.train"], "knows_bf16", lambda device: True)
    recipe = replace(RECIPE, phases=(Phase(side=16, epochs=1),))
    small_run(pictures, tmp_path / "a", recipe=recipe, reporter=log)
    small_run(pictures, tmp_path / "b", recipe=recipe, reporter=(plain := Log()), bf16=False)
    assert "computing in bfloat16" in log.said and "computing in bfloat16" not in plain.said
    assert weights(tmp_path / "a") != weights(tmp_path / "b")
