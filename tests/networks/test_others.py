"""Checkpoints of ultralytics and Lightning, and networks that other packages make, through a function in a file."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import layerscope as ls
from layerscope.core.errors import UsageError
from layerscope.models import load
from layerscope.sources import prepare

MADE = """
import layerscope as ls

INPUT = ls.Input(height=64, width=64)
GRAY = {}

def unet():
    import segmentation_models_pytorch as smp
    return smp.Unet("resnet18", encoder_weights=None)

def xray():
    import torchxrayvision as xrv
    return xrv.models.DenseNet(num_classes=4, in_channels=3)

def medical():
    from monai.networks.nets import BasicUNet
    return BasicUNet(spatial_dims=2, in_channels=3, out_channels=2, features=(8, 8, 8, 8, 8, 8))
"""
LIT = """
import lightning
from torch import nn
import layerscope as ls

INPUT = ls.Input(height=32, width=32)

class Lit(lightning.LightningModule):
    def __init__(self, width, classes, rate=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)
        )

    def forward(self, x):
        return self.net(x)
"""


@pytest.fixture(scope="module")
def yolo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints as ultralytics writes them, with random weights of half precision."""
    from ultralytics.nn.tasks import ClassificationModel, DetectionModel

    folder, files = tmp_path_factory.mktemp("yolo"), {}
    for name, made in (
        ("detect", lambda: DetectionModel("yolov8n.yaml", nc=3, verbose=False)),
        ("classify", lambda: ClassificationModel("yolov8n-cls.yaml", nc=3, verbose=False)),
    ):
        torch.manual_seed(0)
        files[name] = folder / f"{name}.pt"
        torch.save({"epoch": -1, "model": made().half(), "ema": None, "train_args": {"imgsz": 96}}, files[name])
    return files


def test_a_yolo_is_opened_on_trust(yolo: dict[str, Path]) -> None:
    """Its own size, in float32; without trust it is not opened; of a detector it is said how pictures lie."""
    with pytest.raises(UsageError, match=r"holds a pickled network .ultralytics.nn.tasks.DetectionModel.*add --trust"):
        load(str(yolo["detect"]))
    found = load(str(yolo["detect"]), trust=True)
    assert found.input == ls.Input(height=96, width=96, crop="letterbox") and "letterbox" in found.remarks[-1]
    assert {tensor.dtype for tensor in found.model.state_dict().values() if tensor.is_floating_point()} == {
        torch.float32
    }
    assert load(str(yolo["classify"]), trust=True).classes == ("0", "1", "2")


def test_a_yolo_is_read_rightly(yolo: dict[str, Path], photos: Path) -> None:
    """Its layers can be had to the last convolution, its transforms agree with ours, and its own run with the graph."""
    net = ls.trace(str(yolo["detect"]), trust=True)
    assert {"model.0.conv", "model.22.cv2.2.2", "model.22.cv3.0.2"} <= {layer.name for layer in net.layers}
    assert net.replay is not None and not net.replay.fault and net.input.crop == "letterbox"
    assert ls.trace_check(str(yolo["classify"]), photos, trust=True).agrees
    square = photos.parent / "square.png"
    Image.open(photos / "a.png").resize((96, 96)).save(square)
    assert ls.trace_check(str(yolo["detect"]), square, trust=True).agrees


@pytest.mark.parametrize("size", [(120, 160), (141, 101), (33, 97), (96, 96), (2, 300), (50, 400)])
@pytest.mark.parametrize(("ours", "theirs"), [("nearest", "INTER_NEAREST_EXACT"), ("bilinear", "INTER_LINEAR")])
def test_a_letterbox_is_ultralytics(size: tuple[int, int], ours: Any, theirs: str) -> None:
    """With the same interpolation the same bytes; the two bilinears are a level apart where nothing gets smaller."""
    import cv2
    from ultralytics.data.augment import LetterBox

    random = np.random.default_rng(size)
    picture = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    for rows, cols in ((96, 96), (64, 128), (420, 420)):
        box = LetterBox((rows, cols), auto=False, interpolation=getattr(cv2, theirs))
        pixels, _ = prepare(
            Image.fromarray(picture), ls.Input(height=rows, width=cols, crop="letterbox", interpolation=ours)
        )
        found = np.rint(pixels.transpose(1, 2, 0) * 255).astype(int)
        apart = np.abs(found - box(image=picture).astype(int))
        if ours == "nearest":
            assert apart.max() == 0
        elif rows / size[0] >= 1 and cols / size[1] >= 1:
            assert apart.max() <= 1
        else:  # the gray, and with it every place and size, is the same
            np.testing.assert_array_equal((found == 114).all((0, 2)), (box(image=picture) == 114).all((0, 2)))
            np.testing.assert_array_equal((found == 114).all((1, 2)), (box(image=picture) == 114).all((1, 2)))


def test_a_lightning_checkpoint_gives_its_arguments(tmp_path: Path) -> None:
    """The class is made with the hyperparameters of the checkpoint, and holds its weights."""
    import lightning

    (tmp_path / "lit.py").write_text(LIT)
    sys.path.insert(0, str(tmp_path))
    try:
        from lit import Lit  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    torch.manual_seed(0)
    made = Lit(6, classes=3)
    trainer = lightning.Trainer(
        logger=False, accelerator="cpu", enable_progress_bar=False, default_root_dir=tmp_path, max_steps=0
    )
    trainer.strategy.connect(made)
    trainer.save_checkpoint(tmp_path / "w.ckpt")
    found = load(f"{tmp_path / 'lit.py'}:Lit", weights=tmp_path / "w.ckpt")
    assert torch.equal(found.model.net[0].weight, made.net[0].weight) and not found.unloaded
    with pytest.raises(
        UsageError, match=r"checkpoint of Lightning.*given the arguments in it \(width, classes, rate\)"
    ):
        load(str(tmp_path / "w.ckpt"))


@pytest.mark.parametrize("name", ["unet", "xray", "medical"])
def test_others_come_through_a_function(name: str, tmp_path: Path) -> None:
    """segmentation_models_pytorch, torchxrayvision, MONAI: read rightly as far as their operations have rows."""
    (tmp_path / "net.py").write_text(MADE)
    net = ls.trace(f"{tmp_path / 'net.py'}:{name}")
    assert net.layers and net.replay is not None and not net.replay.fault
