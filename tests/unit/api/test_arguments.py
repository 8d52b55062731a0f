"""What is handed over by mistake is one sentence that says what to write, before anything begins."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.api.arguments import batch_of, indices
from layerscope.core.errors import UsageError
from layerscope.core.settings import INPUT as INPUT_SETTING

INPUT = ls.Input(channels=3, height=12, width=14)


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


@pytest.fixture(scope="module")
def net() -> ls.Network:
    """A small network."""
    return ls.trace(model(), INPUT)


NO_MODELS: dict[str, tuple[Any, str]] = {
    "a state dict": (model().state_dict(), "a dictionary of weights.*load_state_dict"),
    "a class": (nn.Sequential, r"the class Sequential.*Sequential\(\.\.\.\)"),
    "a function": (lambda x: x, "a function.*torch.nn.Module whose forward"),
    "a method": (model().forward, "the method forward of a Sequential: give the module itself"),
    "nothing": (None, "is None"),
    "a list of modules": ([nn.ReLU()], "is a list"),
    "a tensor": (torch.zeros(2), "is a Tensor"),
}


@pytest.mark.parametrize("kind", NO_MODELS)
def test_what_is_no_module_is_refused_by_what_it_is(kind: str) -> None:
    """What was given, and what to give."""
    given, said = NO_MODELS[kind]
    with pytest.raises(UsageError, match=f"the network given is .*{said}|{said}"):
        ls.trace(given, INPUT)


NO_INPUTS: dict[str, tuple[Any, str]] = {
    "a shape": ((3, 64, 48), r"not a tuple: input=ls\.Input\(channels=3, height=64, width=48\)"),
    "a batch": (torch.zeros(1, 1, 28, 20), r"not a Tensor: input=ls\.Input\(channels=1, height=28, width=20\)"),
    "an array": (np.zeros((3, 8, 9)), r"not a ndarray: input=ls\.Input\(channels=3, height=8, width=9\)"),
    "a word": ("photos", r"not a str: input=ls\.Input\("),
    "a number": (224, r"not a int: input=ls\.Input\("),
    "a dictionary": ({"height": 3}, r"not a dict: input=ls\.Input\("),
}


@pytest.mark.parametrize("kind", NO_INPUTS)
def test_what_is_no_input_is_refused_with_what_to_write(kind: str) -> None:
    """The shape that was given stands in the Input to write."""
    given, said = NO_INPUTS[kind]
    with pytest.raises(UsageError, match=said):
        INPUT_SETTING.check(given)


NO_BATCHES: dict[str, tuple[Any, str]] = {
    "one picture": (torch.zeros(3, 12, 14), r"got \[3, 12, 14\]; one picture is a batch of one: x\[None\]"),
    "another order": (np.zeros((1, 12, 14, 3)), r"expects \[n, 3, 12, 14\], got \[1, 12, 14, 3\]"),
    "a word": ("photo.png", "a tensor or an array, got a str"),
    "nothing": (None, "a tensor or an array, got a NoneType"),
    "uneven lists": ([[1], [2, 3]], "a tensor or an array, got a list"),
    "complex numbers": (torch.zeros(1, 3, 12, 14, dtype=torch.complex64), "of numbers, got complex64"),
}


@pytest.mark.parametrize("kind", NO_BATCHES)
def test_what_is_no_batch_is_refused(kind: str) -> None:
    """What was expected, and what was given."""
    given, said = NO_BATCHES[kind]
    with pytest.raises(UsageError, match=said):
        batch_of(given, "Sequential", INPUT.shape)


@pytest.mark.parametrize("given", ["0", 0.5, [0.0], None, [[0]], [True], [[0], [1, 2]]])
def test_places_are_whole_numbers(given: Any) -> None:
    """A fraction is never cut to the number below it."""
    with pytest.raises(UsageError, match="unit must be whole numbers, one per projection"):
        indices("unit", given, 4, "conv1")
    assert indices("unit", 3, 4, "conv1").tolist() == [3] and indices("unit", (), 4, "conv1").tolist() == []


@pytest.mark.parametrize("call", ["activations", "project"])
def test_a_single_picture_is_refused_by_both_calls(call: str, net: ls.Network) -> None:
    """A batch of one is written with one more axis."""
    more = {} if call == "activations" else {"image": [0], "unit": [0], "row": [0], "col": [0]}
    with pytest.raises(UsageError, match=r"x\[None\]"):
        getattr(net, call)(torch.zeros(3, 12, 14), "0", **more)


def test_batches_are_taken_in_any_form_of_numbers(net: ls.Network) -> None:
    """Whole numbers and tensors that want gradients are the same batch."""
    x = np.arange(3 * 12 * 14).reshape(1, 3, 12, 14) % 7
    expected = net.activations(x.astype(np.float32), "1")
    for given in (x.astype(np.uint8), torch.tensor(x, dtype=torch.float64, requires_grad=True)):
        np.testing.assert_array_equal(net.activations(given, "1"), expected)


def test_activations_in_bfloat16_come_as_float32() -> None:
    """NumPy has no bfloat16; every value of it is one of float32."""
    half = model().bfloat16()
    x = torch.randn(2, 3, 12, 14).bfloat16()
    got = ls.trace(half, INPUT).activations(x, "1")
    assert got.dtype == np.float32
    with torch.no_grad():
        np.testing.assert_allclose(got, half(x).float().numpy(), rtol=2**-7, atol=2**-9)


def test_a_hook_that_was_left_out_is_a_remark() -> None:
    """Whoever holds the network can read what was left out of it."""
    hooked = model()
    hooked[1].register_forward_hook(lambda *_: None)
    (remark,) = ls.trace(hooked, INPUT).remarks
    assert remark.startswith("a hook of another tool was left out, at 1: ") and "test_arguments.py" in remark


def test_a_network_shows_itself(net: ls.Network) -> None:
    """At a prompt in one short line, in a notebook as a table with a row for each layer."""
    assert repr(net) == "<Network Sequential: 2 layers, 1 of them auto, input (3, 12, 14)>"
    assert net._repr_html_().count("<tr>") == 1 + len(net.layers)
