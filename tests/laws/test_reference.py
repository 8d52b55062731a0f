"""The references agree with each other and with what can be known without either."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers import loops
from tests.helpers.loops import AveragePool, Convolve, MaxPool, Rectifier, Sliding
from tests.helpers.networks import CASES, FORMS, Case, Plain, randomise
from tests.helpers.reference import METHODS, RECTIFIERS, Reference, probes


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _as_loops(module: nn.Module) -> loops.Step:
    if isinstance(module, nn.Conv2d):
        assert module.bias is not None and isinstance(module.padding, tuple)
        sliding = Sliding(
            _pair(module.kernel_size), _pair(module.stride), _pair(module.padding), _pair(module.dilation)
        )
        return Convolve(module.weight.detach().numpy(), module.bias.detach().numpy(), sliding, module.groups)
    if isinstance(module, nn.LeakyReLU):
        return Rectifier(slope=module.negative_slope)
    if isinstance(module, nn.ReLU6):
        return Rectifier(ceiling=6.0)
    if isinstance(module, nn.ReLU):
        return Rectifier()
    assert isinstance(module, nn.MaxPool2d | nn.AvgPool2d)
    sliding = Sliding(_pair(module.kernel_size), _pair(module.stride), _pair(module.padding))
    return MaxPool(sliding) if isinstance(module, nn.MaxPool2d) else AveragePool(sliding, module.count_include_pad)


CHAINS = {
    "overlapping pools": lambda: nn.Sequential(
        *(nn.Conv2d(2, 5, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)),
        *(nn.Conv2d(5, 6, 2), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Conv2d(6, 8, 2), nn.ReLU()),
    ),
    "leaky, dilated, grouped": lambda: nn.Sequential(
        *(nn.Conv2d(2, 4, 2, dilation=2, groups=2), nn.LeakyReLU(0.1, inplace=True)),
        *(nn.Conv2d(4, 4, (3, 1), (2, 1), (1, 0), groups=4), nn.LeakyReLU(0.3), nn.Conv2d(4, 3, 2), nn.ReLU()),
    ),
    "relu6, averages": lambda: nn.Sequential(
        *(nn.Conv2d(2, 4, 3), nn.ReLU6(), nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
        *(nn.Conv2d(4, 4, 2, padding=1), nn.ReLU6(inplace=True), nn.AvgPool2d(2, 1, 1), nn.Conv2d(4, 2, 1)),
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_autograd_reference_equals_loops(chain: str) -> None:
    """From every layer of a plain chain, by every method, both references carry back the same signal."""
    model = randomise(CHAINS[chain]().double(), seed=3)
    image = 4 * np.random.default_rng(5).standard_normal((2, 8, 9))
    reference = Reference(model, image)
    steps = [_as_loops(module) for module in model.children()]
    signals = 0
    for depth in range(1, len(steps) + 1):
        name = str(depth - 1)
        np.testing.assert_allclose(reference.activation(name), loops.activations(steps[:depth], image)[-1], atol=1e-12)
        unit, row, col = next(probes(reference.activation(name), seed=depth))
        for method in METHODS:
            place = {"unit": unit, "row": row, "col": col, "method": method}
            slow = loops.project(steps[:depth], image, **place)
            np.testing.assert_allclose(reference.project(name, **place), slow, atol=1e-12 * max(1, np.abs(slow).max()))
            signals += np.abs(slow).max() > 0
    assert signals > 2 * len(steps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gradient_equals_finite_differences(case: Case) -> None:
    """The gradient method gives the activation times its true derivative with respect to each px."""
    model, image = case.model(), case.images(1, seed=8)[0]
    reference = Reference(model, image)
    name = list(reference.kept)[-1]
    values = reference.activation(name)
    unit, row, col = next(p for p in probes(values) if values.reshape(*values.shape[:1], -1).max() > 0)
    place = (unit, row, col)[: values.ndim]
    signal = reference.project(name, unit=unit, row=row, col=col, method="gradient")
    assert np.abs(signal).max() > 0
    step = 1e-6 * np.random.default_rng(9).standard_normal(image.shape)
    ahead, behind = (Reference(model, image + sign * step, [name]).activation(name)[place] for sign in (1, -1))
    assert values[place] * (ahead - behind) / 2 == pytest.approx((signal * step).sum(), rel=1e-4)


def test_methods_differ_and_agree_where_they_must() -> None:
    """Behind one ReLU the three methods differ; from a linear network they are one and the same."""
    image = np.random.default_rng(1).standard_normal((3, 27, 33))
    plain = Reference(randomise(Plain("functional").double(), seed=2), image)
    unit, row, col = next(probes(plain.activation("conv3")))
    signals = [plain.project("conv3", unit=unit, row=row, col=col, method=m) for m in METHODS]
    for one, other in zip(signals, signals[1:] + signals[:1], strict=True):
        assert np.abs(one - other).max() > 1e-3 * np.abs(one).max()
    linear = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AvgPool2d(3, 2), nn.Conv2d(4, 2, 3))
    straight = Reference(randomise(linear.double(), seed=2), image)
    unit, row, col = next(probes(straight.activation("3")))
    first, *others = [straight.project("3", unit=unit, row=row, col=col, method=m) for m in METHODS]
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_relu_is_intercepted(form: str) -> None:
    """However a ReLU is written, the reference gives the same projections, and a kept layer is not overwritten."""
    image = np.random.default_rng(4).standard_normal((3, 27, 33))
    written, plain = (Reference(randomise(Plain(f).double(), seed=6), image) for f in (form, "module"))
    for layer in ("conv1", "conv2", "conv3"):
        np.testing.assert_array_equal(written.activation(layer), plain.activation(layer))
        assert written.activation(layer).min() < 0
        unit, row, col = next(probes(plain.activation(layer)))
        for method in METHODS:
            place = {"unit": unit, "row": row, "col": col, "method": method}
            np.testing.assert_array_equal(written.project(layer, **place), plain.project(layer, **place))


def test_a_relu_that_escapes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that the reference does not know would make all methods the gradient: it refuses instead."""
    monkeypatch.delitem(RECTIFIERS, torch.relu)
    with pytest.raises(AssertionError, match="ReluBackward0 was not intercepted"):
        Reference(Plain("torch.relu").double(), np.zeros((3, 27, 33)))


def test_the_chosen_layers_own_relu_is_not_applied_again() -> None:
    """From a saturated ReLU6, whose derivative is 0, the gradient method still starts from the value itself."""
    doubling = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(doubling.weight, 2.0)
    model = nn.Sequential(doubling, nn.ReLU6()).double()
    image = np.array([[[5.0, 1.0]]])
    reference = Reference(model, image)
    for method in METHODS:
        np.testing.assert_array_equal(reference.project("1", unit=0, method=method), [[[12.0, 0.0]]])


def test_calls_without_a_module_are_found_by_their_values() -> None:
    """A functional call's layer is the call that returned its activations; what nobody returned is an error."""
    image = np.random.default_rng(4).standard_normal((3, 27, 33))
    model = randomise(Plain("functional").double(), seed=6)
    reference = Reference(model, image)
    rectified = np.maximum(reference.activation("conv2"), 0)
    unit, row, col = next(probes(rectified))
    place = {"unit": unit, "row": row, "col": col, "method": "guided"}
    np.testing.assert_array_equal(reference.project_like(rectified, **place), reference.project("conv2", **place))
    with pytest.raises(AssertionError, match="no call"):
        reference.project_like(rectified + 1, **place)


def test_the_reference_leaves_the_model_alone() -> None:
    """No hook, mode, flag or weight of the user's model changes."""
    model = randomise(Plain("reused module in place").double(), seed=6).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Reference(model, np.ones((3, 27, 33)))
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_probes_are_positive_and_reach_the_corners() -> None:
    """Probes name positive activations only, in the centre, on the borders and in the corners."""
    values = np.random.default_rng(0).standard_normal((16, 5, 7))
    found = list(probes(values))
    assert all(values[probe] > 0 for probe in found)
    assert {(row, col) for _, row, col in found} == {(r, c) for r in (0, 2, 4) for c in (0, 3, 6)}
    assert list(probes(-np.abs(values))) == []
    assert list(probes(np.array([-1.0, 2.0]))) == [(1, 0, 0)]
