"""Settings make sense or are refused; a fingerprint tells in words what differs."""

import re

import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.errors import UsageError
from layerscope.graph import Program
from layerscope.pipeline.settings import Settings, differences, fingerprint, versions, weights_hash
from tests.helpers.atlases import picture

REFUSED = {
    "k= must be a whole number from 1 to 128, got 0": {"k": 0},
    "k= must be a whole number from 1 to 128, got 129": {"k": 129},
    'methods= must be a list of methods, each one of deconvnet, guided, gradient, got "saliency"': {
        "methods": ("guided", "saliency")
    },
    "methods= must be a list of methods, each one of deconvnet, guided, gradient, got an empty tuple": {"methods": ()},
    "units= must be a whole number of at least 1, got 0": {"units": 0},
    "tile= must be a whole number from 8 to 512, got 7": {"tile": 7},
    'codec= must be one of jpeg, webp, webp-lossless, png, got "jpg"; did you mean jpeg or png?': {"codec": "jpg"},
    "seed= must be a whole number from 0 to 9223372036854775807, got -1": {"seed": -1},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_settings_that_make_no_sense_are_refused(sentence: str) -> None:
    """Each with the value and what it may be."""
    with pytest.raises(UsageError, match=f"^{re.escape(sentence)}$"):
        Settings(**REFUSED[sentence])


@pytest.fixture(scope="module")
def net() -> ls.Network:
    """A network of two layers."""
    torch.manual_seed(0)
    return ls.trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)), ls.Input(height=12, width=12))


@pytest.fixture(scope="module")
def source() -> object:
    """Four pictures."""
    return ls.images([picture(i) for i in range(4)])


def test_the_same_things_have_the_same_fingerprint(net, source) -> None:
    """Nothing differs from itself, and what may grow from run to run is no part of it."""
    one = fingerprint(net.program, net.input, Settings(), source)
    again = fingerprint(net.program, net.input, Settings(methods=("gradient",), dense=True), source)
    assert differences(one, again) == []


def test_each_setting_is_named_with_both_values(net, source) -> None:
    """Numbers and words are told as they were and as they are."""
    one = fingerprint(net.program, net.input, Settings(), source)
    other = fingerprint(net.program, net.input, Settings(k=3, pictures=False, codec="webp"), source)
    assert differences(one, other) == [
        "settings.k was 9, is 3",
        "settings.pictures was True, is False",
        "settings.codec was 'jpeg', is 'webp'",
    ]


def test_images_and_input_are_named(net, source) -> None:
    """Of hashes only the name of the thing can be said."""
    one = fingerprint(net.program, net.input, Settings(), source)
    fewer = ls.images([picture(i) for i in range(3)])
    said = differences(one, fingerprint(net.program, net.input, Settings(), fewer))
    assert said == ["the images are not the same", "the labels are not the same"]
    wider = ls.Input(height=12, width=12, resize=40)
    assert differences(one, fingerprint(net.program, wider, Settings(), source)) == ["input.resize was None, is 40"]


def test_a_single_bit_of_a_weight_is_noticed(net, source) -> None:
    """The weights' bytes count, their names too, their layout in memory does not."""
    weights = {name: weight.clone() for name, weight in net.program.weights.items()}
    assert weights_hash(Program(net.program.graph, weights)) == weights_hash(net.program)
    weights["0.bias"].view(torch.int32)[1] ^= 1
    assert weights_hash(Program(net.program.graph, weights)) != weights_hash(net.program)
    one, other = (
        fingerprint(program, net.input, Settings(), source)
        for program in (net.program, Program(net.program.graph, weights))
    )
    assert differences(one, other) == ["the weights are not the same"]


def test_another_network_is_noticed(net, source) -> None:
    """A stride makes another graph, be the weights the same."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 2, 3))
    other = ls.trace(model, ls.Input(height=12, width=12))
    found = [fingerprint(one.program, net.input, Settings(), source) for one in (net, other)]
    assert differences(*found) == ["the network is not the same"]


def test_versions_are_noted() -> None:
    """What made a run: the program's own version among them."""
    assert versions()["layerscope"] == ls.__version__ and versions()["torch"] == torch.__version__
