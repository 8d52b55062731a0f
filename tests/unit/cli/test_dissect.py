"""`dissect` measures the network that made the atlas, keeps the result, prints it, and refuses another network."""

import json

import pytest
from PIL import Image

import layerscope as ls
from layerscope.api.verbs import build
from layerscope.cli.verbs.dissect import text_of
from tests.helpers.masks import OBJECTS, PATTERNS, Scenes, write_coco
from tests.helpers.viewing import viewing

NETWORK = """
import torch
from torch import nn

import layerscope

INPUT = layerscope.Input(channels=3, height=32, width=32, mean=(0.5,) * 3, std=(0.25,) * 3)


def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3), nn.ReLU())


def other():
    torch.manual_seed(7)
    return plain()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a network's file, a small world with masks, and the network's atlas over it."""
    from layerscope.world import write_world

    folder = tmp_path_factory.mktemp("dissect")
    (folder / "net.py").write_text(NETWORK)
    write_world(folder / "world", 6, 3, 32)
    build(f"{folder}/net.py:plain", folder / "world" / "images", folder / "a.atlas", layers=["1", "4"], progress=False)
    return folder


def test_against_the_world(command, made):
    """Figures, baselines and settings as JSON; the atlas holds concepts and sentences afterwards."""
    words = ["dissect", made / "a.atlas", f"{made}/net.py:plain", "--world", "--images", 4, "--json", "--quiet"]
    status, out, err = command(*words)
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert (data["images"], [layer["name"] for layer in data["layers"]]) == (4, ["1", "4"])
    assert [layer["units"] for layer in data["layers"]] == [4, 3]
    assert list(data["layers"][0]["baselines"]) == ["shuffled masks", "random mixtures"]
    with ls.open(made / "a.atlas") as atlas:
        assert len(atlas.to_frame("concepts")) >= 3
        assert atlas["1"][0].note is not None


def test_against_photographs(command, made, tmp_path):
    """Masks of COCO's form: concepts have categories and no levels, in print, as JSON, in frames and on pages."""
    file = write_coco(tmp_path, Scenes(4, 32), [*OBJECTS, *PATTERNS])
    status, out, err = command("dissect", made / "a.atlas", f"{made}/net.py:plain", "--masks", file, "--json")
    assert status == 0
    assert "of crowds, taken as the category's own" in err and "concepts mark no px of these images" in err
    categories = {f"level {level}" for level in (3, 5)}
    layers = json.loads(out)["layers"]
    named = [one for layer in layers for one in layer["named"]]
    assert named and {one["category"] for one in named} <= categories and {one["level"] for one in named} == {None}
    for layer in layers:
        assert sum(layer["categories"].values()) == layer["detectors"]
        assert (layer["levels"], layer["mean_concept_level"]) == ({}, None)
    with ls.open(made / "a.atlas") as atlas:
        frame = atlas.to_frame("concepts")
        assert set(frame["category"]) <= categories and frame["level"].isna().all()
        place, unit = next((layer.stored.id, unit) for layer in atlas for unit in layer if unit.concept)
        best = unit.concept
        assert best.level is None and best.category in categories
        assert {one.name for one in atlas.find(best.category)} >= {best.concept}
        said = text_of(atlas.file.dissection())
        assert "median score  categories" in said and f" {best.category} " in said and "mean level" not in said
    with viewing(made / "a.atlas") as browser:
        page = browser.get(f"/a/l/l{place}/u/{unit.number}").text
        assert f"<b>{best.concept}</b>" in page and f", {best.category}" in page
        assert f"<h3>{best.category.capitalize()}" in browser.get("/a/concepts").text


def test_against_a_folder(command, made):
    """The pictures and masks of a folder; each layer has its lines; what is left out is told on stderr."""
    words = ["dissect", made / "a.atlas", f"{made}/net.py:plain", "--masks", made / "world"]
    status, out, err = command(*words)
    assert status == 0
    assert "6 images" in out and "its units" in out and "random mixtures" in out and "Bau's measure" in out
    assert "no untrained network" in err
    with ls.open(made / "a.atlas") as atlas:
        frame = atlas.to_frame("concepts")
        assert set(frame["category"]) == {""} and frame["level"].notna().all()


def test_other_weights_are_refused(command, made):
    """One sentence, and nothing is written."""
    words = ["dissect", made / "a.atlas", f"{made}/net.py:other", "--world", "--images", 2, "--quiet"]
    status, out, err = command(*words)
    assert (status, out) == (1, "")
    assert "differs from" in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "give --world or --masks"),
        (["--masks", "nowhere"], 'the masks "nowhere" do not exist; give a folder that layerscope world wrote'),
        (["--masks", "{made}"], "are of no known form; give a folder that layerscope world wrote"),
        (["--masks", "{made}/world", "--data", "x"], "the pictures of"),
        (["--masks", "{made}/coco.json", "--data", "x"], 'the pictures "x" of the masks are no folder'),
        (["--masks", "{made}/coco.json", "--intervene"], "--intervene does not go with"),
        (["--world", "--masks", "x"], "--masks does not go with --world"),
    ],
)
def test_wrong_usage(command, made, more, said):
    """Neither, both, or a folder that is not there."""
    (made / "coco.json").write_text("{}")
    words = [word.format(made=made) for word in more]
    status, _, err = command("dissect", made / "a.atlas", f"{made}/net.py:plain", *words)
    assert status == 1 and said in err and len(err.splitlines()) == 1


def test_the_atlas_must_name_its_network(command, atlas):
    """Where no network is given and the atlas's own name leads nowhere, the sentence says so."""
    status, _, err = command("dissect", atlas, "--world", "--images", 2, "--quiet")
    assert status == 1
    assert "smallnet" in err and "behind the atlas" in err


def test_by_labels(command, made):
    """A table and the pictures of `--data`: figures, shuffled labels and misfits, in print and in the atlas."""
    words = ["dissect", made / "a.atlas", f"{made}/net.py:plain"]
    table = made / "labels.csv"
    names = sorted(path.relative_to(made / "world" / "images") for path in (made / "world" / "images").rglob("*.png"))
    table.write_text("file,kind\n" + "\n".join(f"{name.as_posix()},{place % 2}" for place, name in enumerate(names)))
    status, out, err = command(*words, "--labels", table, "--data", made / "world" / "images", "--json", "--quiet")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert (data["images"], data["labels"]) == (6, 2)
    assert [(layer["name"], layer["units"], layer["shuffled"]["units"]) for layer in data["layers"]] == [
        ("1", 4, 4), ("4", 3, 3)
    ]  # fmt: skip
    assert data["misfits"] == {"images": [], "judged": 0, "planted": 0, "found": None}
    with ls.open(made / "a.atlas") as atlas:
        assert len(atlas["1"].labels) == 4 and len(atlas.to_frame("misfits")) == 0
    status, out, _ = command(*words, "--labels", table, "--data", made / "world" / "images", "--quiet")
    assert status == 0 and "shuffled labels" in out and "Mann-Whitney" in out and "Bonferroni" in out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--labels", "nowhere.csv"], 'the labels "nowhere.csv" do not exist'),
        (["--labels", "{world}/images"], "no label of images/ (6 files) has two images"),
        (["--labels", "{world}/images", "--data", "{world}/images"], "the labels are pictures themselves"),
        (["--world", "--data", "x"], "--data does not go with pictures that are drawn for it"),
        (["--world", "--labels", "x"], "--labels does not go with --world"),
    ],
)
def test_labels_that_cannot_be_used(command, made, more, said):
    """One sentence, before the network is run."""
    words = [word.format(world=made / "world") for word in more]
    status, out, err = command("dissect", made / "a.atlas", f"{made}/net.py:plain", *words, "--quiet")
    assert (status, out) == (1, "") and said in err and len(err.splitlines()) == 1


def test_labels_with_another_network_are_refused(command, made):
    """The atlas was not made by it."""
    (made / "two.csv").write_text("file,kind\n000000.png,a\n000001.png,a\n000002.png,b\n")
    words = ["--labels", made / "two.csv", "--data", made / "world" / "images", "--quiet"]
    status, _, err = command("dissect", made / "a.atlas", f"{made}/net.py:other", *words)
    assert status == 1 and "differs from" in err


@pytest.fixture
def with_words(made, monkeypatch):
    """The same folder with enough pictures for words, and a model that knows colours in the place of a folder's."""
    from layerscope.api import wording
    from tests.helpers.comparing import Colours, Squares

    if not (made / "more").exists():
        (made / "more").mkdir()
        for place, picture in enumerate(Squares(60).pictures):
            Image.fromarray(picture).save(made / "more" / f"{place}.png")
    (made / "words.txt").write_text("red\ngreen\n\nred\nblue\n")
    monkeypatch.setattr(wording, "_comparer", lambda folder: Colours())
    return made


def test_by_words(command, with_words):
    """Figures beside shuffled images, in print and as JSON; the atlas holds them, and find knows them."""
    words = ["dissect", with_words / "a.atlas", f"{with_words}/net.py:plain", "--words", with_words / "words.txt"]
    words += ["--clip", "anywhere", "--data", with_words / "more"]
    status, out, err = command(*words, "--json", "--quiet")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert (data["images"], data["words"], data["settings"]["model"]) == (60, 3, "colours")
    assert [(layer["name"], layer["units"], layer["shuffled"]["units"]) for layer in data["layers"]] == [
        ("1", 4, 4), ("4", 3, 3)
    ]  # fmt: skip
    with ls.open(with_words / "a.atlas") as atlas:
        assert len(atlas["1"].words) == 4 and atlas["1"][0].word == atlas["1"].words[0].best
        assert set(atlas.to_frame("words")["word"]) <= {"red", "green", "blue"}
    status, out, err = command(*words)
    assert status == 0 and "shuffled images" in out and "Bonferroni" in out and "compared by colours" in out
    assert "a.clip.safetensors" in err and "each word counts once" in err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--words", "{made}/words.txt", "--data", "x"], "give its folder, as --clip DIR"),
        (["--words", "{made}/words.txt", "--clip", "x"], "give these, as --data PICTURES"),
        (["--words", "nowhere.txt", "--clip", "x", "--data", "{made}/more"], 'no file "nowhere.txt"'),
        (["--words", "{made}/net.py", "--clip", "x", "--data", "nowhere"], 'images "nowhere" do not exist'),
        (["--words", "{made}/a.atlas", "--clip", "x", "--data", "{made}/more"], "are no text in UTF-8"),
        (["--words", "{made}/empty.txt", "--clip", "x", "--data", "{made}/more"], "are none: give one a line"),
        (["--words", "{made}/words.txt", "--world"], "--words does not go with --world"),
        (["--world", "--clip", "x"], "--clip does not go with names that are not of words"),
        (["--words", "x", "--clip", "x", "--data", "x", "--intervene"], "--intervene does not go with"),
        (["--labels", "x", "--intervene"], "--intervene does not go with"),
    ],
)
def test_words_that_cannot_be_used(command, with_words, more, said):
    """One sentence, before the network is run."""
    (with_words / "empty.txt").write_text(" \n\n")
    words = [word.format(made=with_words) for word in more]
    status, out, err = command("dissect", with_words / "a.atlas", f"{with_words}/net.py:plain", *words, "--quiet")
    assert (status, out) == (1, "") and said in err and len(err.splitlines()) == 1


def test_words_with_another_network_are_refused(command, with_words):
    """The atlas was not made by it."""
    words = ["--words", with_words / "words.txt", "--clip", "x", "--data", with_words / "more", "--quiet"]
    status, _, err = command("dissect", with_words / "a.atlas", f"{with_words}/net.py:other", *words)
    assert status == 1 and "differs from" in err


def test_words_need_the_extra(command, with_words, monkeypatch):
    """Where transformers is missing one sentence says what to install."""
    import sys

    from layerscope.api import wording
    from layerscope.models.clip import open_clip

    (with_words / "clip").mkdir(exist_ok=True)
    (with_words / "clip" / "config.json").write_text("{}")
    monkeypatch.setattr(wording, "_comparer", open_clip)
    monkeypatch.setitem(sys.modules, "transformers", None)
    words = ["--words", with_words / "words.txt", "--clip", with_words / "clip", "--quiet"]
    words += ["--data", with_words / "more"]
    status, _, err = command("dissect", with_words / "a.atlas", f"{with_words}/net.py:plain", *words)
    assert status == 1 and "pip install 'layerscope[words]'" in err and len(err.splitlines()) == 1
