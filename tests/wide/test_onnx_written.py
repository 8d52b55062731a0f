"""Published networks written as ONNX answer as they do here: torchvision's, and timm's own small ones."""

import pytest
import timm
import torch

import layerscope as ls
from tests.helpers.networks import randomise
from tests.helpers.onnx_answers import answers_alike
from tests.wide.test_onnx import NAMES, SIDE, network

pytestmark = pytest.mark.wide

SMALL = (
    "test_byobnet", "test_convnext", "test_convnext2", "test_efficientnet", "test_efficientnet_gn", "test_resnet",
    "mobilenetv3_small_050",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_torchvision_s_networks_answer_alike(name: str) -> None:
    """Every layer at 1e-4 of its largest."""
    assert answers_alike(ls.trace(network(name), ls.Input(height=SIDE, width=SIDE)))


@pytest.mark.parametrize("name", SMALL)
def test_timm_s_networks_answer_alike(name: str) -> None:
    """Every layer at 1e-4 of its largest, with random weights."""
    example = torch.randn(2, 3, SIDE, SIDE, dtype=torch.float64)
    model = randomise(timm.create_model(name, pretrained=False).double(), 0, example)
    assert answers_alike(ls.trace(model.float(), ls.Input(height=SIDE, width=SIDE)))
