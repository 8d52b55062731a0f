"""`ablate` reads labels as `evaluate` does, takes means from this network's own atlas, and prints what is lost."""

import json
import shutil

import pytest

import layerscope as ls
from tests.helpers.training import CLASSES, EACH, drawn

NETWORK = """
import torch
from torch import nn

import layerscope

INPUT = layerscope.Input(channels=3, height=20, width=20)


class Forked(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.beside = nn.Conv2d(3, 6, 3), nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.body(x).mean((2, 3)), self.beside(x)


def plain():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3),
    )


def other():
    torch.manual_seed(7)
    return plain()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a network's file, pictures in folders of three classes, and the network's atlas of one layer."""
    folder = tmp_path_factory.mktemp("ablate")
    (folder / "net.py").write_text(NETWORK)
    drawn(folder / "photos")
    net, out = f"{folder}/net.py:plain", folder / "a.atlas"
    ls.build(net, folder / "photos", out, layers=["1", "4"], methods=["gradient"], progress=False)
    return folder


@pytest.fixture
def ablate(command, made):
    """Run it on a network of the file over the pictures: status, stdout, stderr."""

    def run(units, *words, net="plain", images=made / "photos"):
        return command("ablate", f"{made}/net.py:{net}", "--units", units, "--images", images, "--quiet", *words)

    return run


def test_with_labels(ablate, made):
    """The whole network is as good as `evaluate` says, and every class has its line."""
    status, out, err = ablate("4:0,2", "--json", "--draws", 3)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["judged_by"] == "labels" and found["images"] == 3 * EACH and found["remarks"] == []
    told = ls.evaluate(f"{made}/net.py:plain", made / "photos", progress=False)
    assert found["before"]["accuracy"] == told.top1
    assert sorted(one["name"] for one in found["classes"]) == list(CLASSES)
    assert found["after"]["units"] == {"4": [0, 2]} and len(found["others"]) == 3
    assert [len(found[name]) for name in ("outputs", "changed")] == [3, 9]


def test_the_table(ablate):
    """Whole, without the units, without others; classes; images."""
    status, out, _ = ablate("4:0-3", "--scale", 0.5, "--units", "1:2", "--own-predictions", "--most", 2)
    assert status == 0
    lines = out.splitlines()
    assert "units of 1: 2; 4: 0-3, times 0.5; 24 images, judged by the network's own predictions" in lines[0]
    assert "whole network" in out and "without the units" in out and "other class first" in out
    assert 'beside those of layer "4" only 1 is left' in out and "draw that loses" not in out
    assert out.count(".png") == 2
    assert "of 4 draws lose as much, or more" in ablate("4:0")[1]


def test_means_are_those_of_the_atlas(ablate, made, monkeypatch):
    """What stands in its table of units, to each unit its own."""
    import layerscope.causes as causes

    with ls.open(made / "a.atlas") as atlas:
        means = atlas.to_frame("units").query("layer == '4'")["mean"].to_numpy()
    seen = []
    real = causes.ablate

    def noted(*given, replacement, **more):
        seen.append(replacement)
        return real(*given, replacement=replacement, **more)

    monkeypatch.setattr(causes, "ablate", noted)
    status, out, _ = ablate("4:1", "--atlas", made / "a.atlas", "--to-mean", "--json")
    assert status == 0 and json.loads(out)["change"] == "set to their means"
    assert seen[0].means["4"].tolist() == means.tolist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["9:1"], 'has no layer "9"'),
        (["4:1,5"], 'layer "4" has units 0 to 4, and no unit 5'),
        (["4"], "--units must be a layer and some of its units, such as layer4:17,23, got"),
        (["4:x"], "--units must be a layer and some of its units"),
        (["4:1", "--to-mean"], "name the atlas that has them: --atlas FILE"),
        (["4:1", "--to-mean", "--scale", "2"], "--scale does not go with --to-mean"),
        (["0:1", "--to-mean", "--atlas", "a.atlas"], 'has no layer "0"'),
        (["4:1", "--atlas", "gone.atlas"], "gone.atlas"),
        (["4:1", "--classes", "gone.tsv"], "there is no file"),
    ],
)
def test_what_is_not_there_is_one_sentence(ablate, made, monkeypatch, words, said):
    """Before any image is read."""
    monkeypatch.chdir(made)
    monkeypatch.setattr("layerscope.sources.Source.batches", lambda *_: pytest.fail("an image was read"))
    status, out, err = ablate(*words)
    assert (status, out, err.count("\n")) == (1, "", 1) and said in err


def test_another_networks_atlas_is_refused(ablate, made):
    """Other weights are another network, whatever becomes of the units."""
    status, _, err = ablate("4:1", "--atlas", made / "a.atlas", net="other")
    assert status == 1 and "was not made by this network" in err and "weights" in err


def test_outputs_that_are_no_classes_are_refused(ablate):
    """Two outputs, and neither is said to be the classes."""
    status, _, err = ablate("body:1", net="Forked")
    assert status == 1 and "has no class output, one of shape [images, classes] and no other: it gives" in err


def test_classes_that_are_not_the_networks_are_refused(ablate, made, tmp_path):
    """Two folders for three outputs: both counts are told, and how to do without."""
    shutil.copytree(made / "photos", tmp_path / "two")
    shutil.rmtree(tmp_path / "two" / CLASSES[0])
    status, _, err = ablate("4:1", images=tmp_path / "two")
    assert status == 1 and "the images have 2 classes and the network 3 outputs: which of the 3 outputs" in err
    assert "--own-predictions asks for no classes" in err
    assert ablate("4:1", "--own-predictions", images=tmp_path / "two")[0] == 0


def test_images_without_classes_are_judged_by_the_network(ablate, made, tmp_path):
    """One folder of files: agreement is told, and said to be it."""
    for place, path in enumerate(sorted(made.glob("photos/*/*.png"))[::6]):
        shutil.copy(path, tmp_path / f"{place}.png")
    status, out, _ = ablate("4:1", images=tmp_path)
    assert status == 0 and "accuracy is agreement with the whole network" in out


def test_classes_are_read_where_tiny_imagenet_has_them(ablate, made, tmp_path):
    """CLASS/images/FILE, as `evaluate` reads it."""
    for name in CLASSES:
        (tmp_path / name).mkdir()
        shutil.copytree(made / "photos" / name, tmp_path / name / "images")
    status, out, _ = ablate("4:1", "--json", images=tmp_path)
    assert status == 0 and json.loads(out)["judged_by"] == "labels"
    assert sorted(one["name"] for one in json.loads(out)["classes"]) == list(CLASSES)


def test_a_network_without_its_head_is_refused(command, made, tmp_path):
    """A class output of which no weights are there cannot be computed."""
    import torch

    from layerscope.models import load

    state = load(f"{made}/net.py:plain").model.state_dict()
    torch.save({name: weight for name, weight in state.items() if not name.startswith("7.")}, tmp_path / "body.pt")
    words = ["--units", "4:1", "--images", made / "photos", "--weights", tmp_path / "body.pt", "--quiet"]
    status, _, err = command("ablate", f"{made}/net.py:plain", *words)
    assert status == 1 and "the class output of net.py:plain cannot be computed" in err and err.count("\n") == 1
