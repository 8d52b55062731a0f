"""`train` joins the room of training to the command line; `evaluate` counts what came of it."""

import json

import pytest

from layerscope.training.recipe import RECIPES
from tests.helpers.training import RECIPE, drawn


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("cli") / "noise")


@pytest.fixture
def line(pictures, tmp_path, monkeypatch):
    """A command that trains for a few short steps."""
    monkeypatch.setitem(RECIPES, "worldnet", RECIPE)
    return ["train", "worldnet", "--data", pictures, "--out", tmp_path / "run"]


def test_train_and_evaluate(command, line, pictures, tmp_path):
    """A run ends with its figures; again it is finished; its weights can be evaluated, by WordNet id."""
    status, out, err = command(*line, "--json", "--seed", 3)
    assert status == 0 and "held out for validation, drawn with seed 3" in err and "epoch 2 of 2" in err
    found = json.loads(out)
    assert {"top1", "top5", "images", "epochs", "weights"} <= set(found) and len(found["epochs"]) == 2
    status, out, err = command(*line, "--seed", 3)
    assert (status, "is finished: 2 epochs" in err) == (0, True)
    assert out.startswith("2 epochs: top-1 ")
    status, out, err = command("evaluate", "worldnet", "--weights", found["weights"], "--data", pictures, "--json")
    scores = json.loads(out)
    assert status == 0 and scores["images"] == 24 and scores["top5"] == 1.0 and 0 <= scores["top1"] <= 1
    assert "worldnet expects 3x64x64 RGB" in err


def test_another_recipe_in_the_same_folder_is_refused(command, line):
    """In one sentence."""
    assert command(*line, "--quiet", "--epochs", 1)[0] == 0
    status, out, err = command(*line, "--quiet", "--epochs", 1, "--rate", 0.5)
    assert (status, out) == (1, "")
    assert "(recipe's rate: 0.1, not 0.5); choose another --out, or the same rate" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["train", "zfnet46", "--data", "x", "--out", "y"],
            'NET must be one of zfnet, zfnet64, worldnet, got "zfnet46"; did you mean zfnet64',
        ),
        (["train", "zfnet64", "--data", "gone/", "--out", "y"], 'the images "gone/" do not exist'),
        (["evaluate", "zfnet", "--data", "."], "no weights of zfnet are shipped"),
        (["evaluate", "worldnet/none", "--data", "gone/"], 'the images "gone/" do not exist'),
    ],
)
def test_mistakes_are_a_sentence(command, tmp_path, monkeypatch, words, sentence):
    """What was wrong, and no traceback."""
    monkeypatch.chdir(tmp_path)
    status, out, err = command(*words, "--quiet")
    assert (status, out) == (1, "") and sentence in err and err.count("\n") == 1


def test_stopping_loses_nothing(command, line, monkeypatch):
    """Ctrl-C is a sentence: the same command goes on."""

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("layerscope.training.train", stopped)
    status, _, err = command(*line, "--quiet")
    assert (status, err) == (1, "layerscope: stopped; the same command goes on where it was\n")
