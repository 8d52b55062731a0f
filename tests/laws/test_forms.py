"""However a network is written, it is the same network; and tracing leaves the user's as it was."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from tests.helpers.networks import FORMS, Case, Plain, Residual, randomise
from tests.helpers.reference import METHODS, probes
from tests.helpers.sweep import swept
from tests.laws.checks import traced

IMAGES = Case("plain", lambda: Plain("module"), 3, 27, 33).images(2, seed=7)


def _net(form: str) -> ls.Network:
    return traced(randomise(Plain(form).double(), seed=5), 3, 27, 33)


@pytest.fixture(scope="module")
def modules_net() -> ls.Network:
    """The network with a ReLU module of its own behind each convolution."""
    return _net("module")


@pytest.mark.parametrize("form", swept([form for form in FORMS if form != "module"], 4))
def test_all_forms_of_relu_are_one_network(form: str, modules_net: ls.Network) -> None:
    """Layer by layer, in order: the same kinds, fields, activations and projections, whatever the names."""
    net = _net(form)
    facts = [
        [(layer.kind, layer.units, layer.map, layer.field, layer.auto) for layer in n.layers]
        for n in (net, modules_net)
    ]
    assert facts[0] == facts[1]
    for layer, other in zip(net.layers, modules_net.layers, strict=True):
        activations = net.activations(IMAGES, layer.name)
        np.testing.assert_array_equal(activations, modules_net.activations(IMAGES, other.name))
        unit, row, col = next(probes(activations[1]))
        place = {"image": [1], "unit": [unit], "row": [row], "col": [col]}
        for method in METHODS:
            signal, expected = (
                n.project(IMAGES, one.name, **place, method=method).full()
                for n, one in ((net, layer), (modules_net, other))
            )
            np.testing.assert_array_equal(signal, expected)


def test_the_calls_of_a_reused_module_have_names_of_their_own() -> None:
    """The second and third call of one module are layers `relu@2` and `relu@3`."""
    net = _net("reused module in place")
    names = [layer.name for layer in net.layers]
    assert [name for name in names if name.startswith("relu")] == ["relu", "relu@2", "relu@3"]
    assert [net[name].units for name in ("relu", "relu@2", "relu@3")] == [6, 8, 5]


def test_a_block_is_known_by_its_path() -> None:
    """A container's path means its output, in the layers' records and in calls alike."""
    net = traced(randomise(Residual().double(), seed=1), 3, 14, 19)
    images = Case("residual", Residual, 3, 14, 19).images(1)
    np.testing.assert_array_equal(net.activations(images, "block1"), net.activations(images, "block1.relu@2"))
    assert net["block1"] == net["block1.relu@2"]


def test_tensors_and_arrays_give_the_same() -> None:
    """The input may be a tensor or an array, and is not changed."""
    net = _net("functional in place")
    given = IMAGES.copy()
    from_array = net.activations(given, "conv2")
    np.testing.assert_array_equal(from_array, net.activations(torch.from_numpy(given), "conv2"))
    assert isinstance(from_array, np.ndarray) and from_array.dtype == np.float64
    np.testing.assert_array_equal(given, IMAGES)


def test_the_model_may_be_float32() -> None:
    """Activations and projections come in the model's dtype."""
    net = traced(randomise(Plain("module"), seed=5), 3, 27, 33)
    images = IMAGES.astype(np.float32)
    activations = net.activations(images, "conv3")
    assert activations.dtype == np.float32
    unit, row, col = next(probes(activations[0].astype(np.float64)))
    projections = net.project(images, "conv3", image=[0], unit=[unit], row=[row], col=[col], method="deconvnet")
    assert projections.signal.dtype == np.float32


def _state(model: nn.Module) -> dict[str, object]:
    return {
        "training": [m.training for m in model.modules()],
        "modules": [(path, id(m)) for path, m in model.named_modules()],
        "memory": [p.data_ptr() for p in (*model.parameters(), *model.buffers())],
        "requires_grad": [p.requires_grad for p in model.parameters()],
        "grad": [p.grad for p in model.parameters()],
        "inplace": [getattr(m, "inplace", None) for m in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()],
        "forward": ["forward" in vars(m) for m in model.modules()],
    }


@pytest.mark.parametrize("training", [True, False])
def test_the_users_model_is_left_as_it_was(training: bool) -> None:
    """Weights, modes, flags and hooks stay; and what a model does in training is not what was traced."""
    residual = Residual().double()
    model = nn.Sequential(randomise(residual, seed=1), nn.Dropout(0.9)).train(training)
    residual.conv.weight.requires_grad_(False)
    residual.bn.eval()
    weights, before = copy.deepcopy(model.state_dict()), _state(model)
    net = traced(model, 3, 14, 19)
    images = Case("residual", Residual, 3, 14, 19).images(2)
    output = net.activations(images, net.layers[-1].name)
    net.project(images, net.layers[-1].name, image=[0], unit=[0], row=[0], col=[0], method="guided")
    assert _state(model) == before
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(output, expected, atol=1e-12)


def test_later_training_does_not_reach_a_traced_network() -> None:
    """The network keeps the weights that it was traced with."""
    model = Plain("module").double()
    net = traced(randomise(model, seed=5), 3, 27, 33)
    before = net.activations(IMAGES, "conv3")
    with torch.no_grad():
        model.conv1.weight.mul_(2)
    np.testing.assert_array_equal(net.activations(IMAGES, "conv3"), before)
