"""trace-check finds what is prepared otherwise than a network's own software does, and agrees where nothing is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

import layerscope as ls
from layerscope.api.preparation import why
from layerscope.cli import main
from layerscope.core.errors import TraceError, UsageError
from layerscope.models.loaded import picture_by_picture

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EXPECTED = ls.Input(height=32, width=40, resize=48, mean=MEAN, std=STD)
CODE = """
from torch import nn
from torchvision import transforms
import layerscope as ls

INPUT = ls.Input(height=32, width=40, resize=48, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
PREPARE = transforms.Compose([
    transforms.Resize(48), transforms.CenterCrop((32, 40)), transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])
odd = 7

def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 30 * 38, 5))
"""


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))


def letterboxed(image: Image.Image) -> Image.Image:
    """A picture of detectors: fitted whole into 40 x 32 px, gray beside it."""
    scale = min(40 / image.width, 32 / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    left, top = (40 - image.width) // 2, (32 - image.height) // 2
    around = [left, top, 40 - image.width - left, 32 - image.height - top]
    return transforms.functional.pad(image, around, fill=114)


def transform(
    *, fitted=False, resize=48, size=(32, 40), mean=MEAN, std=STD, order="RGB", interpolation="bilinear", scale=1.0
):
    """torchvision's own transforms, as people write them."""
    cut = [
        transforms.Resize(resize, interpolation=transforms.InterpolationMode(interpolation)),
        transforms.CenterCrop(size),
    ]
    steps = [
        *([transforms.Lambda(letterboxed)] if fitted else cut),
        transforms.ToTensor(),
        transforms.Lambda(lambda x: x[[2, 1, 0]] * scale if order == "BGR" else x * scale),
        transforms.Normalize(mean, std),
    ]
    return transforms.Compose(steps)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two shapes, and one that is turned by its EXIF block."""
    folder, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(1)
    for name, (rows, cols) in {"a.png": (90, 120), "b.jpg": (140, 101)}.items():
        soft = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8)).resize((cols, rows))
        soft.save(folder / name, quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    soft.save(folder / "c.jpg", quality=95, exif=exif)
    return folder


def test_the_same_preparation_agrees(photos: Path) -> None:
    """torchvision's transforms and our own give the same numbers to the last bit, layer by layer and at the output."""
    found = ls.trace_check(model(), photos, input=EXPECTED, prepare=transform(), orientation="stored")
    assert found.agrees and (found.pictures, found.levels, found.where) == (3, 0, "")
    assert found.worst < 1e-5 and found.reading < 1e-5 and list(found.gaps) == ["the output"]


@pytest.mark.parametrize(
    ("theirs", "cause", "advice"),
    [
        ({"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}, "mean is 0.5,0.5,0.5 there and", "--mean 0.5,0.5,0.5"),
        ({"std": (0.5, 0.5, 0.5)}, "std is 0.5,0.5,0.5 there", "--std 0.5,0.5,0.5"),
        ({"order": "BGR"}, "order is BGR there and RGB here", "--order BGR"),
        ({"resize": 40}, "resize is 40 there and 48 here", "--resize 40"),
        ({"interpolation": "bicubic"}, "interpolation is bicubic there", "--interpolation bicubic"),
        ({"scale": 255.0, "mean": (0.0,) * 3, "std": (1.0,) * 3}, "std is 0.00392", "--mean 0,0,0 --std 0.003922"),
        ({"size": (40, 40)}, "it is 40 x 40 px there and 32 x 40 px here", "--input 3x40x40"),
        ({"resize": (32, 40)}, "crop is squash there", "--crop squash"),
        ({"fitted": True}, "crop is letterbox there", "--crop letterbox"),
    ],
)  # fmt: skip
def test_what_differs_is_named(photos: Path, theirs: dict, cause: str, advice: str) -> None:
    """One thing is prepared otherwise: it is found, with the option that mends it, and nothing beside it."""
    files = [photos / "a.png", photos / "b.jpg"]
    prepared = picture_by_picture("torchvision", transform(**theirs)).prepare(files).numpy()
    causes, options = why(files, prepared, EXPECTED, "stored")
    assert cause in causes and advice in options
    assert " and its " not in causes or len(theirs) > 1


@pytest.mark.parametrize("theirs", [{"mean": (0.5, 0.5, 0.5)}, {"order": "BGR"}, {"resize": 40}])
def test_a_wrong_preparation_does_not_agree(photos: Path, theirs: dict) -> None:
    """Means, order and resize: the first layer that differs is named, and that the network itself was read rightly."""
    found = ls.trace_check(model(), photos, input=EXPECTED, prepare=transform(**theirs), orientation="stored", limit=2)
    assert not found.agrees and found.levels > 5 and found.where == "0" and found.worst > found.bound
    assert found.reading <= found.bound and next(iter(theirs)) in found.advice


def test_a_picture_turned_otherwise_is_named(photos: Path) -> None:
    """torchvision takes a file's pixels as they lie; where ours are turned upright, that is what differs."""
    found = ls.trace_check(model(), [photos / "c.jpg"], input=EXPECTED, prepare=transform())
    assert found.cause == "its pictures are stored there and upright here" and "--orientation stored" in found.advice


def test_what_cannot_be_told_is_said(photos: Path) -> None:
    """A preparation that no Input gives is a difference without a cause."""
    odd = transforms.Compose([transform(), transforms.Lambda(lambda x: x.flip(-1).roll(5, 1) ** 2)])
    found = ls.trace_check(model(), photos, input=EXPECTED, prepare=odd, orientation="stored", limit=2)
    assert not found.agrees and found.cause == "" and "why could not be found out" in found.said


def test_a_wrong_graph_is_told_from_a_wrong_preparation(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one input a layer of ours that differs is named, and it is no matter of the pictures."""
    from layerscope.graph import beside

    reading = beside.read

    def wrong(model, input, *, unloaded):
        found = reading(model, input, unloaded=unloaded)
        found.program.weights["4.weight"].mul_(2)
        return found

    monkeypatch.setattr(beside, "read", wrong)
    found = ls.trace_check(model(), photos, input=EXPECTED, prepare=transform(), orientation="stored", limit=2)
    assert found.levels == 0 and found.where == "4" and 'on the same input "4" differs' in found.fault


def test_a_file_says_how_it_prepares(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture) -> None:
    """PREPARE of a .py file, on the command line: status 0 and a sentence, or 1 with what to write; as JSON too."""
    (tmp_path / "net.py").write_text(CODE)
    words = ["trace-check", f"{tmp_path / 'net.py'}:network", "--images", str(photos / "a.png"), "--quiet"]
    assert main(words) == 0
    assert "1 picture by PREPARE in net.py: the input, 3 layers and 1 output agree" in capsys.readouterr().out
    assert main([*words, "--order", "BGR", "--json"]) == 1
    shown = capsys.readouterr()
    data = json.loads(shown.out)
    assert (data["agrees"], data["cause"], data["where"]) == (False, "its order is RGB there and BGR here", "0")
    assert "write --order RGB" in shown.err and shown.err.count("\n") == 1


def test_drawn_pictures_do(tmp_path: Path) -> None:
    """Without pictures some are drawn, of several shapes."""
    found = ls.trace_check(model(), input=EXPECTED, prepare=transform())
    assert found.agrees and found.pictures == 4


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (
            {},
            UsageError,
            "does not say how its own software prepares pictures: give prepare=, or in a .py file PREPARE",
        ),
        (
            {"prepare": lambda picture: 1 / 0},
            TraceError,
            "the function of prepare= does not prepare these pictures: ZeroDi",
        ),
        ({"prepare": lambda picture: torch.zeros(3)}, TraceError, r"gives \[4, 3\] for 4 pictures; expected"),
        ({"prepare": lambda picture: torch.zeros(1, 32, 40)}, None, "it has 1 channels there and 3 here"),
    ],
)
def test_what_cannot_be_compared_is_refused(given: dict, error: type | None, said: str) -> None:
    """No preparation, one that fails, and one that gives no pictures."""
    if error is None:
        assert said in ls.trace_check(model(), input=EXPECTED, **given).cause
        return
    with pytest.raises(error, match=said):
        ls.trace_check(model(), input=EXPECTED, **given)


def test_a_prepare_that_is_no_function_is_refused(tmp_path: Path) -> None:
    """One sentence, which names the file and what it must be."""
    (tmp_path / "net.py").write_text(CODE.replace("odd = 7", "PREPARE = 7"))
    with pytest.raises(UsageError, match=r'PREPARE in ".*net.py" must be a function that makes a picture.*, not int'):
        ls.trace_check(f"{tmp_path / 'net.py'}:network")
