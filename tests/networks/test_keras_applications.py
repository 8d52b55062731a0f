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
