"""Every application of Keras, saved and opened from its file: each layer gives what Keras' own layer gives."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import gc
import types
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch

import layerscope as ls
from layerscope.core.keras_applications import APPLICATIONS
from layerscope.models import load
from layerscope.models.keras.calls import KerasCall, KerasModel

SIDE = 96
FEW = ("MobileNetV3Small",)
swept = [pytest.param(name, marks=() if name in FEW else pytest.mark.wide) for name in APPLICATIONS]


def made(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The network with random weights, and statistics that are not zero and one."""
    from keras.src.applications import nasnet

    # Keras makes no NASNet on torch, but opens one that was saved elsewhere.
    members = {**vars(nasnet.backend), "backend": lambda: "tensorflow"}
    monkeypatch.setattr(nasnet, "backend", types.SimpleNamespace(**members))
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, input_shape=(SIDE, SIDE, 3))
    random = np.random.default_rng(0)
    spread = {"moving_mean": (-0.1, 0.1), "moving_variance": (0.5, 1.5), "gamma": (0.5, 1.5), "beta": (-0.2, 0.2)}
    for weight in model.weights:
        low, high = spread.get(weight.path.rpartition("/")[2], (0, 0))
        if high:
            weight.assign(random.uniform(low, high, weight.shape))
    return model


@pytest.mark.parametrize("name", swept)
def test_every_layer_of_an_application_is_keras_own(name: str, monkeypatch, tmp_path: Path) -> None:
    """Opened from `.keras`: the same layers by name, each within 1e-4 of Keras' for the same inputs; none is called.

    Layer by layer, since dozens of gates in a row make much of the rounding of float32: by the end of an EfficientNetV2
    with random weights Keras' own numbers are a tenth of the largest from those of float64.
    """
    model = made(name, monkeypatch)
    model.save(tmp_path / "net.keras")
    outputs = {one.name: one.output for one in model.operations if not isinstance(one, keras.layers.InputLayer)}
    scale = 255 if APPLICATIONS[name] == "raw" else 1
    picture = np.random.default_rng(1).uniform(0, scale, (1, SIDE, SIDE, 3)).astype(np.float32)
    with torch.no_grad():
        every = keras.Model(model.inputs, outputs)
        expected = {layer: value.numpy() for layer, value in every(picture, training=False).items()}
    del model, every
    gc.collect()
    twin = load(f"keras:{tmp_path / 'net.keras'}::{APPLICATIONS[name]}").model
    assert isinstance(twin, KerasModel)
    found = run(twin, picture, expected)
    assert set(found) == set(expected)
    worst = {layer: apart(found[layer], expected[layer]) for layer in expected}
    assert max(worst.values()) < 1e-4, max(worst.items(), key=lambda item: item[1])
    called = [layer for layer, part in twin.named_modules() if isinstance(part, KerasCall)]
    print(f"{name}: {len(worst)} layers, worst {max(worst.values()):.1e}, called {len(called)}")
    assert not called


def blocks(name: str, *stages: int, end: str) -> list[str]:
    """`name` with the numbers of the stages, from 2, and of their blocks, from 1."""
    return [name.format(stage, block) + end for stage, count in enumerate(stages, 2) for block in range(1, count + 1)]


# By hand, from the papers' tables and the names in Keras' code: stem, blocks, what stands between and behind them.
AUTO = {
    "ResNet50": ["conv1_relu", *blocks("conv{}_block{}", 3, 4, 6, 3, end="_out")],
    "ResNet50V2": ["conv1_conv", *blocks("conv{}_block{}", 3, 4, 6, 3, end="_out")],
    "MobileNetV2": [
        "Conv1_relu", "expanded_conv_project_BN",
        *(f"block_{n}_{'project_BN' if n in (1, 3, 6, 10, 13, 16) else 'add'}" for n in range(1, 17)), "out_relu",
    ],
    "EfficientNetB0": [
        "stem_activation",
        *(f"block{stage}{block}_{'project_bn' if block == 'a' else 'add'}"
          for stage, count in enumerate((1, 2, 2, 3, 3, 4, 1), 1) for block in "abcd"[:count]),
        "top_activation",
    ],
    "DenseNet121": [
        "conv1_relu", "conv2_block6_concat", "pool2_conv", "conv3_block12_concat", "pool3_conv", "conv4_block24_concat",
        "pool4_conv", "conv5_block16_concat",
    ],
    "InceptionV3": ["activation", *(f"activation_{n}" for n in range(1, 5)), *(f"mixed{n}" for n in range(11))],
    "Xception": [
        "block1_conv1_act", "block1_conv2_act", *(f"block{n}" for n in range(2, 14)), "block14_sepconv2_act",
    ],
    "VGG16": [
        *(f"block{block}_conv{n}" for block, count in enumerate((2, 2, 3, 3, 3), 1) for n in range(1, count + 1)),
        "fc1", "fc2",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == "MobileNetV2" else pytest.mark.wide) for n in AUTO])
def test_auto_is_what_the_papers_call_the_layers(name: str) -> None:
    """Keras numbers layers through a whole session: names are those of a fresh one."""
    keras.utils.clear_session()
    model = getattr(keras.applications, name)(weights=None, input_shape=(SIDE, SIDE, 3))
    assert [layer.name for layer in ls.trace(model).layers if layer.auto] == AUTO[name]


def run(twin: KerasModel, picture: np.ndarray, expected: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What each of a network's own children gives for what Keras gave before it, in Keras' order of axes."""
    found: dict[str, np.ndarray] = {}

    def seen(layer: str) -> Any:
        def hook(module: Any, given: Any, output: torch.Tensor) -> torch.Tensor:
            found[layer] = (output.permute(0, 2, 3, 1) if output.dim() == 4 else output).numpy()
            keras_own = torch.from_numpy(expected[layer])
            return keras_own.permute(0, 3, 1, 2) if keras_own.dim() == 4 else keras_own

        return hook

    hooks = [part.register_forward_hook(seen(layer)) for layer, part in twin.named_children()]
    with torch.no_grad():
        twin(torch.from_numpy(picture.transpose(0, 3, 1, 2).copy()))
    for hook in hooks:
        hook.remove()
    return found


def apart(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))
