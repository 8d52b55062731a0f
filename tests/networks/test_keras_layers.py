"""Every layer of Keras that is made anew gives Keras' own numbers: `predict` of the model that ends there."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers

from layerscope.models.keras.calls import KerasCall
from layerscope.models.keras.plans import AxisPlan, KerasLayer
from layerscope.models.keras.rows import ROWS
from layerscope.models.keras.walk import graph_of, torch_graph

MAPS, ROW = (9, 8, 6), (12,)
L = layers
# Class -> calls of it; those without a plan in some setting are in CALLED.
CASES: dict[str, list[Callable[[], Any]]] = {
    "Conv2D": [
        lambda: L.Conv2D(4, 3, padding="same", activation="relu"),
        lambda: L.Conv2D(4, (2, 3), strides=2, padding="same", use_bias=False),
        lambda: L.Conv2D(6, 3, strides=(2, 3), groups=3),
        lambda: L.Conv2D(4, 3, dilation_rate=2, padding="same", activation="gelu"),
        lambda: L.Conv2D(4, 2, padding="same"),
        lambda: L.Conv2D(4, 1, strides=3, padding="same"),
    ],
    "DepthwiseConv2D": [
        lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        lambda: L.DepthwiseConv2D(3, strides=2, padding="same", activation="relu6"),
    ],
    "SeparableConv2D": [
        lambda: L.SeparableConv2D(5, 3, padding="same", depth_multiplier=2),
        lambda: L.SeparableConv2D(5, 3, strides=2, padding="same", use_bias=False, activation="relu"),
    ],
    "Conv2DTranspose": [
        lambda k=k, s=s, p=p: L.Conv2DTranspose(4, k, strides=s, padding=p)
        for k, s, p in (
            (3, 2, "same"), (2, 2, "valid"), (4, 2, "same"), (3, 1, "same"), (2, 3, "valid"), (5, 3, "same"),
        )
    ]
    + [
        lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1),
        lambda: L.Conv2DTranspose(4, 3, dilation_rate=2, padding="same", activation="relu", use_bias=False),
    ],
    "Dense": [lambda: L.Dense(5), lambda: L.Dense(5, activation="softmax", use_bias=False)],
    "BatchNormalization": [lambda: L.BatchNormalization(), lambda: L.BatchNormalization(scale=False, epsilon=0.1)],
    "LayerNormalization": [lambda: L.LayerNormalization(), lambda: L.LayerNormalization(center=False, epsilon=0.1)],
    "GroupNormalization": [lambda: L.GroupNormalization(3), lambda: L.GroupNormalization(-1, scale=False)],
    "UnitNormalization": [lambda: L.UnitNormalization()],
    "Normalization": [
        lambda: L.Normalization(mean=[0.1, 0.2, 0.3, 0, 0, 1], variance=[1, 2, 3, 4, 1, 0.5]),
        lambda: L.Normalization(mean=0.5, variance=2.0, axis=None),
    ],
    "Rescaling": [
        lambda: L.Rescaling(1 / 127.5, offset=-1),
        lambda: L.Rescaling(2.0),
        lambda: L.Rescaling([1.0, 2, 3, 4, 5, 6], offset=[0.5, 0, 0, 0, 0, 1]),
    ],
    "MaxPooling2D": [
        lambda p=p, k=k, s=s: L.MaxPooling2D(k, strides=s, padding=p)
        for p in ("same", "valid")
        for k, s in ((2, None), (3, 2), (2, 1), ((3, 2), (2, 1)), (3, 1))
    ],
    "AveragePooling2D": [
        lambda p=p, k=k, s=s: L.AveragePooling2D(k, strides=s, padding=p)
        for p in ("same", "valid")
        for k, s in ((2, None), (3, 2), (2, 1), (3, 1))
    ],
    "GlobalMaxPooling2D": [lambda: L.GlobalMaxPooling2D(), lambda: L.GlobalMaxPooling2D(keepdims=True)],
    "GlobalAveragePooling2D": [lambda: L.GlobalAveragePooling2D(), lambda: L.GlobalAveragePooling2D(keepdims=True)],
    "AdaptiveAveragePooling2D": [lambda: L.AdaptiveAveragePooling2D((3, 4))],
    "Activation": [
        lambda name=name: L.Activation(name)
        for name in (
            "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "gelu", "mish", "tanh", "sigmoid",
            "softplus", "softsign", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink",
            "tanh_shrink", "log_sigmoid", "exponential", "softmax", "log_softmax", "swish", "hard_swish",
        )
    ],
    "ReLU": [lambda: L.ReLU(), lambda: L.ReLU(6.0), lambda: L.ReLU(negative_slope=0.2), lambda: L.ReLU(1.5)],
    "LeakyReLU": [lambda: L.LeakyReLU(), lambda: L.LeakyReLU(0.05)],
    "ELU": [lambda: L.ELU(), lambda: L.ELU(0.5)],
    "PReLU": [lambda: L.PReLU(alpha_initializer="glorot_uniform", shared_axes=[1, 2])],
    "Softmax": [lambda: L.Softmax(), lambda: L.Softmax(axis=1)],
    "Flatten": [lambda: L.Flatten()],
    "ZeroPadding2D": [lambda: L.ZeroPadding2D(2), lambda: L.ZeroPadding2D(((1, 0), (2, 3)))],
    "Cropping2D": [lambda: L.Cropping2D(1), lambda: L.Cropping2D(((1, 0), (2, 3)))],
    "UpSampling2D": [
        lambda: L.UpSampling2D(), lambda: L.UpSampling2D((2, 3), interpolation="bilinear"),
        lambda: L.UpSampling2D(3, interpolation="bicubic"),
    ],
    "Resizing": [
        lambda: L.Resizing(12, 5), lambda: L.Resizing(4, 16, interpolation="nearest"),
        lambda: L.Resizing(9, 8), lambda: L.Resizing(13, 13, interpolation="bicubic"),
    ],
    "Dropout": [lambda: L.Dropout(0.5)],
}  # fmt: skip
JOINED = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
CALLED = {
    "softplus": lambda: L.Activation(lambda x: keras.ops.softplus(x) * 2),
    "a ReLU with a threshold": lambda: L.ReLU(threshold=0.3),
    "a slope for each place": lambda: L.PReLU(alpha_initializer="glorot_uniform"),
    "batch norm of rows": lambda: L.BatchNormalization(axis=1),
    "layer norm of maps": lambda: L.LayerNormalization(axis=[1, 2, 3]),
    "a crop of the middle": lambda: L.CenterCrop(5, 4),
    "squareplus": lambda: L.Activation("squareplus"),
    "columns and rows exchanged": lambda: L.Permute((2, 1, 3)),
    "another shape": lambda: L.Reshape((3, 4, 36)),
    "a product with itself": lambda: L.EinsumDense("abcd,de->abce", output_shape=(None, None, 5), bias_axes="e"),
}


def drawn(model: Any) -> None:
    """Weights of all kinds that are neither zero nor one, deviations and slopes above zero."""
    random = np.random.default_rng(3)
    for weight in model.weights:
        low = 0.5 if "var" in weight.name or "alpha" in weight.name else -0.7
        if weight.dtype.startswith("float"):
            weight.assign(random.uniform(low, 1.2, weight.shape))


def compared(model: Any, pictures: np.ndarray) -> Any:
    """The torch module of a model; what it gives is Keras' own, in float64 too where nothing of Keras is called."""
    drawn(model)
    expected = model.predict(pictures, verbose=0)
    twin = torch_graph(graph_of(model), AxisPlan(last=True)).eval()
    given = torch.from_numpy(pictures)
    given = given.permute(0, 3, 1, 2) if given.dim() == 4 else given
    with torch.no_grad():
        batches = [given] if any(isinstance(one, KerasCall) for one in twin.modules()) else [given, given.double()]
        for batch in batches:
            found = twin.to(batch.dtype)(batch)
            found = found.permute(0, 2, 3, 1) if found.dim() == 4 else found
            assert found.dtype is batch.dtype
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    return twin


def pictures_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 2, (2, *shape)).astype(np.float32)


def ended_with(layer: Any, shape: tuple[int, ...]) -> Any:
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_keras_own_numbers(name: str) -> None:
    """On maps whose rows, columns and channels differ in number, in every setting that changes what is computed."""
    for make in CASES[name]:
        twin = compared(ended_with(make(), MAPS), pictures_of(MAPS))
        (child,) = twin.children()
        assert isinstance(child, KerasLayer)
        assert type(make()).__name__ == name


@pytest.mark.parametrize("name", ["Dense", "BatchNormalization", "LayerNormalization", "UnitNormalization", "ReLU"])
def test_numbers_in_a_row_too(name: str) -> None:
    """What acts on the last axis acts on the one axis of a dense layer's outputs."""
    for make in CASES[name]:
        compared(ended_with(make(), ROW), pictures_of(ROW))


@pytest.mark.parametrize("name", JOINED)
def test_branches_meet_as_in_keras(name: str) -> None:
    """Sums, products and their kin of three maps (differences: of two); a concatenation along each axis."""
    for options in [{"axis": axis} for axis in (-1, 1, 2)] if name == "Concatenate" else [{}]:
        inputs = keras.Input(MAPS)
        ways = [L.Conv2D(6, 1, name=f"way{index}")(inputs) for index in range(2 if name == "Subtract" else 3)]
        compared(keras.Model(inputs, getattr(L, name)(**options)(ways)), pictures_of(MAPS))


def test_gates_give_keras_own_numbers() -> None:
    """Squeeze and excitation as applications write it: a mean, a reshape to one place, two convolutions, a product."""
    inputs = keras.Input(MAPS)
    gate = L.Reshape((1, 1, 6))(L.GlobalAveragePooling2D()(inputs))
    gate = L.Conv2D(6, 1, activation="sigmoid")(L.Conv2D(2, 1, activation="swish")(gate))
    largest = L.Reshape((-1,))(L.GlobalMaxPooling2D(keepdims=True)(inputs * gate))
    twin = compared(keras.Model(inputs, largest), pictures_of(MAPS))
    assert not any(isinstance(child, KerasCall) for child in twin.children())


@pytest.mark.parametrize("name", CALLED)
def test_what_has_no_plan_is_called_as_it_is(name: str) -> None:
    """Keras' own layer then computes it, on maps in its own order of axes."""
    twin = compared(ended_with(CALLED[name](), MAPS), pictures_of(MAPS))
    assert [type(child) for child in twin.children()] == [KerasCall]


def test_operations_give_keras_own_numbers() -> None:
    """Operators and keras.ops, with constants on either side, spread over channels, and functions with axes."""
    ops, factors = keras.ops, np.linspace(0.5, 2, 6).astype(np.float32)
    inputs = keras.Input(MAPS)
    value = (2.0 - inputs * factors) / 3.0 + ops.relu(inputs) * ops.sigmoid(inputs)
    value = ops.maximum(value, inputs) - ops.silu(value)
    value = value / (1 + ops.mean(value, axis=(1, 2), keepdims=True) ** 2)
    compared(keras.Model(inputs, ops.concatenate([value, ops.flip(inputs, -1)], axis=-1)), pictures_of(MAPS))


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith("Random") or "Dropout" in name])
def test_what_acts_while_training_alone_does_nothing(name: str) -> None:
    """Keras' own predict gives the input back."""
    made = {"RandomBrightness": 0.2, "RandomContrast": 0.2, "RandomRotation": 0.2, "RandomZoom": 0.2}
    pictures = np.random.default_rng(1).uniform(0, 255, (2, 9, 8, 3)).astype(np.float32)
    layer = made_random(name, made.get(name, 0.5))
    inputs = keras.Input((9, 8, 3))
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(model.predict(pictures, verbose=0), pictures)


def made_random(name: str, factor: float) -> Any:
    given: dict[str, Any] = {
        "RandomFlip": {}, "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2}, "RandomGrayscale": {},
        "RandomGaussianBlur": {}, "RandomElasticTransform": {}, "RandomErasing": {}, "RandomPerspective": {},
        "RandomColorJitter": {"value_range": (0, 255), "contrast_factor": 0.2}, "RandomInvert": {},
        "RandomPosterization": {"factor": 4},
    }  # fmt: skip
    return getattr(L, name)(**given[name]) if name in given else getattr(L, name)(factor)
