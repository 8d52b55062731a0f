"""torchvision's networks through both of torch's exporters and back: onnxruntime's numbers, their own names."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models

from layerscope.models import load
from tests.helpers.onnx_files import farthest, numbers

pytestmark = pytest.mark.wide

NAMES = (
    "squeezenet1_1", "resnet18", "mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5",
    "densenet121", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "vgg11_bn", "resnext50_32x4d",
)  # fmt: skip
SIDE = 64


def network(name: str) -> nn.Module:
    """With random weights, and statistics as of a trained one."""
    torch.manual_seed(0)
    made = models.get_model(name, weights=None).eval()
    for part in made.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, 0, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return made


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_torchvision_comes_back(name: str, newer: bool, tmp_path: Path) -> None:
    """Exported for one picture it runs on two, as in onnxruntime; every convolution has its own name."""
    made, path = network(name), tmp_path / "net.onnx"
    side = 224 if name.startswith("vgg") else SIDE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opset = {} if newer else {"opset_version": 13}
        torch.onnx.export(made, (torch.zeros(1, 3, side, side),), str(path), dynamo=newer, verbose=False, **opset)
    loaded = load(str(path))
    assert loaded.own is not None and loaded.own.run is not None
    x = torch.from_numpy(numbers(2, 3, side, side))
    (expected,) = loaded.own.run(x)
    with torch.no_grad():
        assert farthest(loaded.model(x).numpy(), expected.numpy()) < 1e-5
    assert convolutions(loaded.model) == convolutions(made)


def convolutions(model: nn.Module) -> set[str]:
    return {name for name, part in model.named_modules() if isinstance(part, nn.Conv2d)}
