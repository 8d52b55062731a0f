"""A Keras network, trained and saved, to an atlas of what Keras itself computes; what cannot be had, in a sentence."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers as L
from PIL import Image

import layerscope as ls
from layerscope.cli import main
from layerscope.core.errors import LayerscopeError, TraceError, UsageError
from layerscope.core.keras_applications import APPLICATIONS
from layerscope.core.networks import NETWORKS
from layerscope.models import load
from layerscope.models.keras.activations import relu_plan
from layerscope.models.keras.calls import KerasModel
from layerscope.models.keras.rows import ROWS
from layerscope.testing import networks as laws

SIDE, CLASSES = 24, ("round", "square", "cross")
RGB = tuple[np.ndarray, np.ndarray]


def drawn(random: np.random.Generator, kind: int) -> np.ndarray:
    """A figure of one colour on a ground of another, uint8[rows, cols, 3]."""
    ground, ink = random.integers(0, 256, (2, 3))
    rows, cols = np.mgrid[:SIDE, :SIDE]
    top, left = random.integers(6, SIDE - 6, 2)
    down, right = np.abs(rows - top), np.abs(cols - left)
    inside = (down**2 + right**2 < 25, np.maximum(down, right) < 5, np.minimum(down, right) < 2)[kind]
    noise = random.normal(0, 8, (SIDE, SIDE, 3))
    return np.clip(np.where(inside[..., None], ink, ground) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RGB]:
    """Ninety pictures in folders of three classes, and the same as Keras gets them."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("pictures")
    held, labels = [], []
    for index in range(90):
        kind = index % 3
        held.append(drawn(random, kind))
        labels.append(kind)
        path = folder / CLASSES[kind] / f"{index:03}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(held[-1]).save(path)
    return folder, (np.stack(held).astype(np.float32), np.array(labels))


@pytest.fixture(scope="module")
def trained(pictures: tuple[Path, RGB]) -> Any:
    """A network as a notebook has it, with augmentation and Rescaling inside, after some seconds of training."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)), L.RandomFlip("horizontal"), L.Rescaling(1 / 255),
            L.Conv2D(8, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(),
            L.Conv2D(12, 3, activation="relu", name="second"),
            L.Dropout(0.2), L.GlobalAveragePooling2D(), L.Dense(3, activation="softmax", name="head"),
        ],
        name="figures",
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*pictures[1], epochs=4, batch_size=30, verbose=0)
    return model


def saved(model: Any, path: Path) -> Path:
    model.save(path)
    return path


def traced(net: Any, **options: Any) -> ls.Network:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ls.trace(net, **options)


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_an_atlas_of_a_saved_network_holds_keras_own_activations(ending: str, trained, pictures, tmp_path) -> None:
    """Of every unit of every layer, the strongest images and the values there are those of Keras' predict."""
    folder, (held, _) = pictures
    path = saved(trained, tmp_path / f"figures.{ending}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ls.build(f"keras:{path}", folder, out=tmp_path / "a.atlas", layers=["re_lu*", "second"], progress=False).close()
    order = [image for kind in sorted(CLASSES) for image in range(CLASSES.index(kind), 90, 3)]
    with ls.open(tmp_path / "a.atlas") as atlas:
        assert [layer.name for layer in atlas if layer.auto] == [trained.layers[4].name, "second"]
        for layer in atlas:
            part = keras.Model(trained.inputs, trained.get_layer(layer.name).output)
            maxima = part.predict(held[order], verbose=0).max((1, 2))
            for unit in range(layer.units):
                values = [peak.value for peak in layer[unit].peaks]
                best = np.sort(maxima[:, unit])[::-1]
                np.testing.assert_allclose(values, best[best > 0][: len(values)], rtol=1e-4, atol=1e-5)
                assert len(values) == min(9, int((best > 0).sum()))
                if values:
                    assert layer[unit].projection(0, "deconvnet", view="signal").std() > 0


def test_a_network_that_is_held_is_read_as_its_file_is(trained, tmp_path) -> None:
    """The same layers, input and weights, by ls.trace(model), keras:FILE and FILE alone; the model stays as it was."""
    before = [weight.numpy().copy() for weight in trained.weights]
    path = saved(trained, tmp_path / "figures.keras")
    held, *files = traced(trained), traced(f"keras:{path}"), traced(path)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 3, SIDE, SIDE)).astype(np.float32)
    for other in files:
        assert other.input == held.input and [one.name for one in other.layers] == [one.name for one in held.layers]
        np.testing.assert_array_equal(other.activations(pictures, "second"), held.activations(pictures, "second"))
    for weight, value in zip(trained.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_layers_have_keras_names_and_nested_models_nested_ones() -> None:
    """A layer is named as model.summary() shows it, in a nested model behind that model's name."""
    part = keras.Sequential([L.Conv2D(4, 3, name="filters"), L.BatchNormalization(name="norm"), L.ReLU(name="act")])
    part.name = "stem"
    inputs = keras.Input((20, 20, 3), name="picture")
    outputs = L.Conv2D(5, 1, activation="relu", name="type")(part(inputs))
    net = traced(keras.Model(inputs, [outputs, L.GlobalMaxPooling2D(name="most")(outputs)]))
    assert [one.name for one in net.layers if one.auto] == ["stem.act", "type_"]
    assert {"stem.filters", "stem.norm", "stem.act", "most"} <= {one.name for one in net.layers}


class Squeezed(L.Layer):
    """A block as people write it: layers made in its constructor, and arithmetic around them."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.inner = L.Conv2D(units, 3, padding="same", name="inner")
        self.outer = L.Conv2D(units, 3, padding="same", name="outer")
        self.drop = L.Dropout(0.5, name="drop")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return keras.ops.relu(inputs + self.drop(self.outer(keras.ops.relu(self.inner(inputs))), training=training))


class Own(keras.Model):
    """A subclassed model."""

    def __init__(self) -> None:
        super().__init__()
        self.first = L.Conv2D(6, 3, activation="relu", name="first")
        self.blocks = [Squeezed(6, name=f"block{index}") for index in range(2)]

    def call(self, inputs: Any, training: bool = False) -> Any:
        value = self.first(inputs)
        for block in self.blocks:
            value = block(value, training=training)
        return keras.ops.mean(value, axis=(1, 2))


def test_own_layers_and_subclassed_models_are_opened() -> None:
    """What their code calls is seen, by the names of their parts; classes of their own that repeat are blocks."""
    model = Own()
    pictures = np.random.default_rng(0).normal(0, 1, (2, 16, 16, 3)).astype(np.float32)
    expected = model.first(pictures)
    for block in model.blocks:
        expected = block(expected, training=False)
    model(pictures)
    nodes = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    net = traced(model)
    assert [len(layer._inbound_nodes) for layer in model._flatten_layers()] == nodes
    assert [one.name for one in net.layers if one.auto] == ["first", "block0", "block1"]
    found = net.activations(pictures.transpose(0, 3, 1, 2), "block1").transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_function_in_a_file_may_give_a_keras_model(tmp_path: Path) -> None:
    """Keras is put on torch for it, and its INPUT overrules."""
    head = "import keras\nimport layerscope as ls\nfrom keras import layers as L\n"
    net = "def net():\n    return keras.Sequential([keras.Input((None, None, 1)), L.Conv2D(4, 3, activation='relu')])\n"
    (tmp_path / "net.py").write_text(f"{head}INPUT = ls.Input(channels=1, height=30, width=20)\n{net}")
    assert traced(f"{tmp_path / 'net.py'}:net").layers[-1].map == (28, 18)
    (tmp_path / "net.py").write_text(head + net)
    free = traced(f"{tmp_path / 'net.py'}:net")
    assert free.input.shape == (1, 224, 224) and "pictures of any size" in " ".join(free.remarks)


def test_keras_own_forward_stands_beside_ours(trained, pictures, tmp_path: Path) -> None:
    """trace-check goes from the files on by load_img and predict; what is prepared otherwise is told."""
    path = saved(trained, tmp_path / "figures.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ls.trace_check(f"keras:{path}", pictures[0])
        other = ls.trace_check(f"keras:{path}", input=ls.Input(height=SIDE, width=SIDE, std=(1 / 255,) * 3))
        means = ls.trace_check(keras.Model(trained.inputs, trained.layers[-2].output), pictures[0])
    assert found.agrees and found.layers > 5 and found.worst < 1e-4
    assert means.agrees and means.outputs == 1 and means.worst < 1e-4
    assert not other.agrees and "crop is squash there and center here" in other.said


MODES = {"caffe": ("ResNet50", "resnet"), "tf": ("MobileNetV2", "mobilenet_v2"), "torch": ("DenseNet121", "densenet")}


@pytest.mark.parametrize("mode", MODES)
def test_pictures_are_prepared_as_preprocess_input_does(mode: str, pictures, tmp_path: Path) -> None:
    """For a mode that is named, and a file that holds the application: what reaches the first layer is Keras' own."""
    name, home = MODES[mode]
    inputs = keras.Input((32, 32, 3))
    inner = keras.Sequential([keras.Input((32, 32, 3)), L.Conv2D(3, 1, use_bias=False, name="seen")])
    inner.name = getattr(keras.applications, name).__name__.lower()
    inner.layers[0].set_weights([np.eye(3, dtype=np.float32).reshape(1, 1, 3, 3)])
    path = saved(keras.Model(inputs, inner(inputs)), tmp_path / "net.keras")
    files = sorted(pictures[0].rglob("*.png"))[:3]
    shown = np.stack([
        keras.utils.img_to_array(keras.utils.load_img(file, target_size=(32, 32), interpolation="bilinear"))
        for file in files
    ])  # fmt: skip
    expected = getattr(keras.applications, home).preprocess_input(shown.copy())
    for spec in (f"keras:{path}", f"keras:{path}::{mode}", f"keras:{path}::{name}"):
        net = traced(spec)
        prepared = ls.images([str(file) for file in files]).load(range(3), net.input).pixels
        seen = net.activations(prepared, net.layers[-1].name).transpose(0, 2, 3, 1)
        np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-3 * np.abs(expected).max())


def test_applications_are_prepared_as_keras_says() -> None:
    """Of every application the mode is the one that its own preprocess_input has."""
    homes = {"VGG": "vgg16", "ResNet": "resnet", "DenseNet": "densenet", "EfficientNetV2": "efficientnet_v2"}
    homes |= {"EfficientNetB": "efficientnet", "ConvNeXt": "convnext", "InceptionV": "inception_v3"}
    homes |= {
        "InceptionR": "inception_resnet_v2",
        "Xception": "xception",
        "NASNet": "nasnet",
        "MobileNetV3": "mobilenet_v3",
    }
    special = {"MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2"}
    pixel = np.array([[[[255.0, 0.0, 0.0]]]])
    given = {"caffe": (-103.939, -116.779, 131.32), "tf": (1, -1, -1), "raw": (255, 0, 0)}
    given["torch"] = (2.2489, -2.0357, -1.8044)
    for name, mode in APPLICATIONS.items():
        home = special.get(name) or next(home for head, home in homes.items() if name.startswith(head))
        home = "resnet_v2" if home == "resnet" and name.endswith("V2") else home
        found = getattr(keras.applications, home).preprocess_input(pixel.copy())
        np.testing.assert_allclose(np.asarray(found).ravel(), given[mode], atol=1e-3, err_msg=name)
    public = {name for name in dir(keras.applications) if name[0].isupper()}
    assert set(APPLICATIONS) == public


def test_an_application_by_name(tmp_path: Path) -> None:
    """With random weights, the same each time; with a file's, those; and its shape, classes and mode are Keras' own."""
    first, again = (load("keras:MobileNetV2/none") for _ in range(2))
    assert first.input is not None and first.input.shape == (3, 224, 224) and first.input.mean == (0.5, 0.5, 0.5)
    assert len(first.classes) == 1000 and first.classes[0] == "tench"
    assert isinstance(first.model, KerasModel) and isinstance(again.model, KerasModel)
    state, other = first.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state) and "Conv1.kernel" in state
    model = keras.applications.MobileNetV2(weights=None)
    model.save_weights(tmp_path / "own.weights.h5")
    filled = load("keras:MobileNetV2", weights=tmp_path / "own.weights.h5").model.state_dict()
    kernel = torch.as_tensor(model.get_layer("Conv1").kernel.numpy()).permute(3, 2, 0, 1)
    assert torch.equal(filled["Conv1.kernel"], kernel)


@pytest.mark.parametrize("law", [law for law in laws.LAWS if law is not laws.is_read_rightly])
def test_the_kinds_keep_the_laws(law: Any, trained, tmp_path: Path) -> None:
    """Those of every kind of network, for a file; an application is held to all but its reading."""
    law(NETWORKS["keras"], f"keras:{saved(trained, tmp_path / 'figures.keras')}")


def test_a_file_is_read_rightly(trained, tmp_path: Path) -> None:
    laws.is_read_rightly(NETWORKS["keras"], f"keras:{saved(trained, tmp_path / 'figures.keras')}")


def refused(error: type[LayerscopeError], net: Any, *words: str) -> None:
    with pytest.raises(error) as raised, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ls.trace(net)
    said = str(raised.value)
    assert "\n" not in said and len(said) < 600, said
    for word in words:
        assert word in said, said


def test_what_stands_in_a_file_and_cannot_be_had(tmp_path: Path) -> None:
    """Each in one sentence that names what is missing and how it can be had."""
    inputs = keras.Input((16, 16, 3))
    own = saved(keras.Model(inputs, Squeezed(3)(inputs)), tmp_path / "own.keras")
    refused(TraceError, f"keras:{own}", "needs code that is not in it, for Squeezed", "net.py:FUNCTION")
    old = saved(keras.Model(inputs, Squeezed(3)(inputs)), tmp_path / "own.h5")
    refused(TraceError, f"keras:{old}", "Squeezed", "net.py:FUNCTION")
    free = saved(keras.Model(inputs, L.Lambda(lambda x: x * 2, name="twice")(inputs)), tmp_path / "free.keras")
    refused(TraceError, f"keras:{free}", "Lambda layers (twice)", "safe_mode=False")
    weights = keras.Sequential([inputs, L.Conv2D(2, 3)])
    weights.save_weights(tmp_path / "net.weights.h5")
    refused(TraceError, f"keras:{tmp_path / 'net.weights.h5'}", "weights and no architecture", "model.save(")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"x")
    refused(TraceError, f"keras:{tmp_path / 'saved'}", "SavedModel", "tf2onnx")
    (tmp_path / "frozen.pb").write_bytes(b"x")
    refused(TraceError, f"keras:{tmp_path / 'frozen.pb'}", "graph of TensorFlow", "tf2onnx")
    (tmp_path / "net.keras").write_bytes(b"no archive")
    refused(TraceError, f"keras:{tmp_path / 'net.keras'}", "no Keras file")
    whole = own.read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    refused(TraceError, tmp_path / "cut.keras", "cut.keras")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "x")
    refused(TraceError, f"keras:{tmp_path / 'other.keras'}", "without config.json")
    refused(UsageError, f"keras:{tmp_path / 'owm.keras'}", "there is no file", "own.keras")
    refused(UsageError, "keras:ResNet51", 'no convolutional network "ResNet51"', "ResNet50")
    refused(UsageError, f"keras:{own}::cafe", '"::cafe" names no preprocessing', "caffe")
    refused(UsageError, "keras:VGG16/imagenet", "only /none")


def test_what_is_no_network_of_one_picture(tmp_path: Path) -> None:
    """Several inputs, rows of numbers, a layer alone, a model that was never called, both orders of axes."""
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    refused(TraceError, keras.Model([left, right], L.Add()([left, right])), "takes 2 inputs (left, right)")
    text = keras.Input((20,), dtype="int32")
    refused(TraceError, keras.Model(text, L.LSTM(4)(L.Embedding(9, 3)(text))), "networks of pictures")
    flat, solid = keras.Input((9, 3)), keras.Input((8, 8, 8, 1))
    refused(TraceError, keras.Model(flat, L.Conv1D(2, 3)(flat)), "networks of pictures")
    refused(TraceError, keras.Model(solid, L.Conv3D(2, 3)(solid)), "networks of pictures")
    refused(UsageError, L.Conv2D(2, 3), "a Keras layer (Conv2D) is no network")
    refused(TraceError, Own(), "call it once on a batch")
    other = L.Conv2D(2, 3, data_format="channels_first")(L.Conv2D(3, 3)(left))
    refused(TraceError, keras.Model(left, other), "both orders of axes")


def test_channels_first_is_read_too() -> None:
    """A model of torch's own order of axes gives Keras' numbers, and has its input's shape."""
    inputs = keras.Input((3, 20, 16))
    options: dict[str, Any] = {"data_format": "channels_first"}
    value = L.Conv2D(4, 3, padding="same", activation="relu", name="first", **options)(inputs)
    value = L.BatchNormalization(axis=1)(value)
    value = L.MaxPooling2D(3, strides=2, padding="same", name="pool", **options)(value)
    model = keras.Model(inputs, L.GlobalAveragePooling2D(**options)(L.Concatenate(axis=1)([value, value])))
    net = traced(model)
    assert net.input.shape == (3, 20, 16)
    pictures = np.random.default_rng(0).normal(0, 1, (2, 3, 20, 16)).astype(np.float32)
    expected = keras.Model(inputs, model.get_layer("pool").output).predict(pictures, verbose=0)
    np.testing.assert_allclose(net.activations(pictures, "pool"), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(load_output(model, pictures), model.predict(pictures, verbose=0), rtol=1e-4, atol=1e-5)


def load_output(model: Any, pictures: np.ndarray) -> np.ndarray:
    twin = load(model).model
    assert isinstance(twin, KerasModel)
    with torch.no_grad():
        return twin(torch.from_numpy(pictures)).numpy()


def test_networks_of_half_precision_are_computed_in_float32() -> None:
    """A policy of mixed or half precision is told; the numbers are those of the same weights in float32."""
    for policy in ("mixed_float16", "bfloat16"):
        inputs = keras.Input((16, 16, 3))
        outputs = L.Conv2D(4, 3, dtype=policy, activation="relu", name="maps")(inputs)
        loaded = load(keras.Model(inputs, L.GlobalAveragePooling2D(dtype="float32")(outputs)))
        assert any(f"computes the network in {policy}" in remark for remark in loaded.remarks)
        assert isinstance(loaded.model, KerasModel)
        assert {value.dtype for value in loaded.model.state_dict().values()} == {torch.float32}


def test_a_network_that_was_read_wrongly_is_refused(monkeypatch) -> None:
    """Keras' own outputs beside ours, when it is loaded: a wrong default shows."""
    inputs = keras.Input((16, 16, 3))
    model = keras.Model(inputs, L.LeakyReLU()(L.Conv2D(4, 3)(inputs)))
    monkeypatch.setitem(ROWS, "LeakyReLU", lambda layer, axes, rank: relu_plan(L.ReLU(), axes, rank))
    refused(TraceError, model, "was not read rightly", "model.summary()")


def test_recurrence_behind_maps_leaves_what_is_before_it() -> None:
    """A network of convolutions and a recurrent head opens; the layers before the head are Keras' own."""
    inputs = keras.Input((16, 16, 3))
    value = L.Conv2D(4, 3, activation="relu", name="maps")(inputs)
    model = keras.Model(inputs, L.LSTM(3, name="head")(L.Reshape((14, 56))(value)))
    net = traced(model)
    assert next(one.name for one in net.layers if one.auto) == "maps"
    pictures = np.random.default_rng(0).normal(0, 1, (2, 3, 16, 16)).astype(np.float32)
    expected = keras.Model(inputs, value).predict(pictures.transpose(0, 2, 3, 1), verbose=0)
    np.testing.assert_allclose(net.activations(pictures, "maps").transpose(0, 2, 3, 1), expected, rtol=1e-4, atol=1e-5)


def test_the_command_line_says_what_was_assumed(trained, tmp_path: Path, capsys) -> None:
    """Layers of a file from the shell, with the remark on how pictures become its input."""
    path = saved(trained, tmp_path / "figures.keras")
    assert main(["layers", f"keras:{path}", "--auto"]) == 0
    printed = capsys.readouterr()
    assert re.search(r"^\* +second\b", printed.out, re.MULTILINE)
    assert "begins by rescaling" in printed.err and "load_img takes --interpolation nearest" in printed.err
