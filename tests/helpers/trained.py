"""Trained networks and photographs for the tests that need them: from folders that the environment names, else skipped.

LAYERSCOPE_CHECKPOINTS: a folder with NAME.safetensors of torchvision's networks
LAYERSCOPE_PHOTOGRAPHS: a folder of photographs, one of each class, whose names sort as the classes do
LAYERSCOPE_KEPT: where their atlases are kept for the next run; without it they are built anew
"""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torchvision import models


def folder(name: str) -> Path:
    """The folder that a variable names; the test is skipped where it names none."""
    if not os.environ.get(name):
        pytest.skip(f"{name} names no folder")
    return Path(os.environ[name])


def checkpoint(name: str) -> Path:
    """The file of a trained network."""
    return folder("LAYERSCOPE_CHECKPOINTS") / f"{name}.safetensors"


def trained(name: str) -> nn.Module:
    """The plain module with its trained weights, in float64."""
    model = models.get_model(name, weights=None)
    model.load_state_dict({key: value.float() for key, value in load_file(checkpoint(name)).items()})
    return model.double().eval()


def prepared(name: str, path: Path) -> torch.Tensor:
    """A photograph as torchvision prepares it for a network of its own: float64[3, 224, 224]."""
    from PIL import Image
    from torchvision.transforms import v2

    own = models.get_model_weights(name)["DEFAULT"].transforms()
    steps = v2.Compose(
        [
            v2.Resize(own.resize_size[0]), v2.CenterCrop(own.crop_size[0]), v2.PILToTensor(),
            v2.ToDtype(torch.float64, scale=True), v2.Normalize(own.mean, own.std),
        ]
    )  # fmt: skip
    with Image.open(path) as image:
        return steps(image.convert("RGB"))
