"""The guest's kind of network keeps the laws, is told among the others, and computes what its file says."""

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.errors import TraceError, UsageError
from layerscope.core.networks import NETWORKS, forms
from layerscope.testing import networks as laws
from tests.helpers.guests import installed


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_the_guests_networks_keep_the_laws(law):
    """Every law, on the row that the entry point gives and its own sample."""
    with installed():
        row = NETWORKS["stripes"]
        (network,) = row.samples
        law(row, network)


def test_its_form_is_told_with_the_others():
    """In help and refusals, while the package is installed and only then."""
    with installed():
        assert forms().endswith("path/model.onnx or stripes:COUNT")
        with pytest.raises(UsageError, match="or stripes:COUNT"):
            ls.trace("stripe")
    assert "stripes" not in forms()
    with pytest.raises(UsageError, match='"stripes:8" names no network'):
        ls.trace("stripes:8")


def test_a_grating_answers_to_its_own_direction():
    """Of four directions the one of the picture's stripes excites most: the cosine of period 4 along its axis."""
    with installed():
        net = ls.trace("stripes:4")
    wave = np.cos(np.arange(64) * 2 * np.pi / 4)
    upright, lying = np.tile(wave, (64, 1)), np.tile(wave[:, None], (1, 64))
    for picture, unit in ((upright, 0), (lying, 2)):
        x = np.broadcast_to(picture, (1, 3, 64, 64)).astype(np.float32)
        assert net.activations(x, "1")[0, :, 20:44, 20:44].max((1, 2)).argmax() == unit


@pytest.mark.parametrize(
    ("load", "said"),
    [
        ("lambda *a, **b: 1 / 0", "fails: ZeroDivisionError: division by zero"),
        ("lambda *a, **b: 7", "gives a int; expected a Loaded with"),
    ],
)
def test_a_guest_that_fails_is_told_in_one_sentence(monkeypatch, load, said):
    """Whatever its load raises or gives, it is a TraceError with the network's name."""
    with installed():
        row = NETWORKS["stripes"]
        monkeypatch.setitem(vars(row), "load", eval(load))
        with pytest.raises(TraceError, match=f'"stripes:8" cannot be loaded: the network kind "stripes" {said}'):
            ls.trace("stripes:8")
