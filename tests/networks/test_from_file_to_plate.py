"""What a new user has, to an atlas, a plate and pages, by the commands that a new user types.

Checkpoints of timm, Hugging Face and ultralytics, Keras files, and ONNX files of PyTorch, Keras and skorch. The peaks
of every atlas, and a projection, are held to the package's own forward and to autograd through it.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import contextlib
import io
import sqlite3
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import safetensors.torch
import skorch
import timm
import torch
import transformers
from PIL import Image
from torch import Tensor, nn

import layerscope as ls
from layerscope.cli import main
from layerscope.known.pictures import Picture, write_pictures

COUNT, UNITS, SIDE = 40, 6, 64
Maps = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Given:
    """A file as a user has it. words: NET and its options. layer: the one looked at. own: that layer's maps by the
    package itself, of pictures [n, c, h, w]. rules: what its plate says of rules that no paper states."""

    words: tuple[str, ...]
    layer: str
    own: Maps
    rules: str = ""


class Small(nn.Module):
    """A classifier as a notebook has it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.edges, self.parts = nn.Conv2d(3, 8, 5, padding=2), nn.Conv2d(8, 12, 3)
        self.act, self.head = nn.ReLU(), nn.Linear(12, classes)

    def forward(self, X: Tensor) -> Tensor:  # noqa: N803  skorch's name for it
        maps = nn.functional.max_pool2d(torch.relu(self.edges(X)), 2)
        return self.head(self.act(self.parts(maps)).amax((2, 3))).softmax(-1)


def hooked(model: nn.Module, name: str) -> Maps:
    """What a part of a module gives."""
    model = model.float().eval().requires_grad_(False)

    def maps(pictures: Tensor) -> Tensor:
        seen: list[Tensor] = []
        handle = model.get_submodule(name).register_forward_hook(lambda part, given, output: seen.append(output))
        model(pictures)
        handle.remove()
        return seen[0]

    return maps


def _timm(name: str, layer: str, ending: str, rules: str = "") -> Callable[[Path, Any], Given]:
    def made(folder: Path, data: Any) -> Given:
        model = timm.create_model(name, num_classes=5)
        path = folder / f"mine.{ending}"
        if ending == "safetensors":
            safetensors.torch.save_file(model.state_dict(), path)
        else:  # as timm's own training writes it
            torch.save({"epoch": 3, "arch": name, "state_dict": model.state_dict()}, path)
        words = (f"timm:{name}", "--weights", str(path))
        return Given(words=words, layer=layer, own=hooked(model, layer), rules=rules)

    return made


def _hf(folder: Path, data: Any) -> Given:
    config = transformers.ConvNextConfig(
        image_size=SIDE, hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, num_labels=3
    )
    model = transformers.AutoModelForImageClassification.from_config(config)
    model.save_pretrained(folder / "mine")
    transformers.ConvNextImageProcessor(size={"shortest_edge": SIDE}).save_pretrained(folder / "mine")
    layer = "convnext.encoder.stages.1"
    return Given(words=(f"hf:{folder / 'mine'}",), layer=layer, own=hooked(model, layer), rules="gelu (rectified")


def _yolo(folder: Path, data: Any) -> Given:
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolov8n.yaml", nc=3, verbose=False)
    saved = {"epoch": -1, "model": model.half(), "ema": None, "train_args": {"imgsz": 96}}
    torch.save(saved, folder / "best.pt")
    own = hooked(model, "model.4")
    return Given(words=(str(folder / "best.pt"), "--trust"), layer="model.4", own=own, rules="silu (rectified")


def _keras_model(data: Any) -> Any:
    """Trained for a moment, with its preparation inside."""
    pictures, labels, count = data
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(8, 5, padding="same", activation="relu", name="edges"), keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(12, 3, name="parts"), keras.layers.BatchNormalization(),
            keras.layers.ReLU(name="act"), keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(count, activation="softmax"),
        ]
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(pictures, labels, epochs=3, verbose=0)
    return model


def _keras_maps(model: Any, layer: str) -> Maps:
    part = keras.Model(model.inputs, model.get_layer(layer).output)
    return lambda pictures: part(pictures.permute(0, 2, 3, 1), training=False).permute(0, 3, 1, 2)


def _keras(ending: str) -> Callable[[Path, Any], Given]:
    def made(folder: Path, data: Any) -> Given:
        model = _keras_model(data)
        model.save(folder / f"mine.{ending}")
        return Given(words=(f"keras:{folder / f'mine.{ending}'}",), layer="act", own=_keras_maps(model, "act"))

    return made


def _onnx_of_keras(folder: Path, data: Any) -> Given:
    model, path = _keras_model(data), folder / "keras.onnx"
    model.export(path, format="onnx", verbose=False)
    return Given(words=(str(path),), layer="relu_2", own=_keras_maps(model, "act"))


def _onnx_of_torch(folder: Path, data: Any) -> Given:
    model, path = timm.create_model("resnet18", num_classes=5).eval(), folder / "torch.onnx"
    free = ({0: torch.export.Dim("n")},)
    torch.onnx.export(model, (torch.zeros(2, 3, SIDE, SIDE),), path, dynamo=True, dynamic_shapes=free, verbose=False)
    return Given(words=(str(path),), layer="layer2", own=hooked(model, "layer2"))


def _onnx_of_skorch(folder: Path, data: Any) -> Given:
    pictures, labels, count = data
    net = skorch.NeuralNetClassifier(Small, module__classes=count, max_epochs=3, train_split=None, verbose=0)
    net.fit((pictures.transpose(0, 3, 1, 2) / 255).astype(np.float32), labels)
    module, path = net.module_.eval(), folder / "skorch.onnx"
    torch.onnx.export(module, (torch.zeros(1, 3, SIDE, SIDE),), path, dynamo=False)
    return Given(words=(str(path),), layer="act", own=hooked(module, "act"))


GIVEN: dict[str, Callable[[Path, Any], Given]] = {
    "timm.safetensors": _timm("mobilenetv3_small_050", "blocks.1", "safetensors", "gate (as a constant factor)"),
    "timm.pth": _timm("resnet18", "layer2", "pth"),
    "hugging-face": _hf,
    "ultralytics": _yolo,
    "keras": _keras("keras"),
    "keras.h5": _keras("h5"),
    "onnx-of-pytorch": _onnx_of_torch,
    "onnx-of-keras": _onnx_of_keras,
    "onnx-of-skorch": _onnx_of_skorch,
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Picture]]:
    folder = tmp_path_factory.mktemp("drawn")
    return folder, write_pictures(folder, COUNT)


def printed(*words: str) -> str:
    """What a command that ends well prints."""
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status = main(list(words))
    assert status == 0, complained.getvalue()
    return said.getvalue()


@pytest.mark.parametrize("kind", GIVEN)
def test_a_file_becomes_an_atlas_a_plate_and_pages(
    kind: str, drawn: tuple[Path, list[Picture]], tmp_path: Path
) -> None:
    """layers, trace-check, build, figure and export as they are typed; what the atlas holds is the package's own."""
    folder, pictures = drawn
    names = sorted({picture.label for picture in pictures})
    seen = np.stack([picture.pixels for picture in pictures]).astype(np.float32)[:, 16 : 16 + SIDE, 16 : 16 + SIDE]
    torch.manual_seed(0)
    given = GIVEN[kind](tmp_path, (seen, np.array([names.index(one.label) for one in pictures]), len(names)))
    photos, atlas, plate = str(folder), str(tmp_path / "mine.atlas"), tmp_path / "plate.png"
    assert given.layer in printed("layers", *given.words)
    printed("trace-check", *given.words, "--images", photos)
    options = ("--layers", given.layer, "--method", "deconvnet,guided,gradient", "--units", str(UNITS), "--keep-signal")
    printed("build", *given.words, "--images", photos, "-o", atlas, *options)
    printed("figure", atlas, given.layer, "-o", str(plate))
    printed("export", atlas, str(tmp_path / "pages"))
    with Image.open(plate) as picture:
        assert np.asarray(picture.convert("L")).std() > 5
    assert given.layer in (tmp_path / "pages" / "network.html").read_text()
    with ls.open(atlas) as held:
        caption = ls.figure(held, given.layer).caption
        assert given.rules in caption and ("no paper" in caption) == bool(given.rules)
        holds_the_packages_own(held, given, photos)


def holds_the_packages_own(atlas: ls.Atlas, given: Given, photos: str) -> None:
    """Every unit's peaks are its strongest images' values; the gradient's projection is autograd's."""
    pixels = torch.from_numpy(np.ascontiguousarray(ls.images(photos).load(range(COUNT), atlas.run.input).pixels))
    with torch.no_grad():
        maps = given.own(pixels)
    layer, file = atlas[given.layer], atlas.file
    assert layer.units == maps.shape[1] and layer.map == tuple(maps.shape[2:])
    maxima = maps.amax((2, 3)).numpy()
    largest = float(np.abs(maxima).max())
    for unit in range(layer.units):
        values = [peak.value for peak in layer[unit].peaks]
        best = np.sort(maxima[:, unit])[::-1]
        best = best[best > 0] if file.layer(given.layer).record.rectified else best
        np.testing.assert_allclose(values, best[: atlas.run.k], rtol=1e-4, atol=1e-5 * largest)
    unit, box, signal = kept_signal(file.path)
    peak = layer[unit].peaks[0]
    picture = pixels[peak.image : peak.image + 1].clone().requires_grad_()
    at = given.own(picture)[0, unit, peak.row, peak.col]
    (slope,) = torch.autograd.grad(at, picture)
    expected = (at.detach() * slope)[0].numpy()
    top, left, rows, cols = *box, *signal.shape[1:]
    wide = np.pad(expected, ((0, 0), (rows, rows), (cols, cols)))  # a box may cross the border
    wide[:, top + rows : top + 2 * rows, left + cols : left + 2 * cols] -= signal
    assert np.abs(expected).max() > 0
    assert np.abs(wide).max() < 2e-3 * np.abs(expected).max()


def kept_signal(path: Path) -> tuple[int, tuple[int, int], np.ndarray]:
    """A unit's first projection by the gradient, as the atlas's tables have it: unit, top and left, [c, h, w]."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        unit, top, left, shape, scale, pixels = connection.execute(
            "SELECT unit, top, left, shape, scale, pixels FROM signal WHERE method = 'gradient' AND rank = 0 "
            "ORDER BY unit LIMIT 1"
        ).fetchone()
    sizes = [int(size) for size in shape.strip("[]").split(",")]
    values = np.frombuffer(zlib.decompress(pixels), "<f2").astype(np.float64).reshape(sizes) * scale
    return unit, (top, left), values
