"""What a network expects: its own word, field by field overruled by options, and never a guess."""

import pytest

from layerscope.cli.networks import given, overruled
from layerscope.cli.parser import parse
from layerscope.core.errors import UsageError
from layerscope.core.records import Input

OWN = Input(height=224, width=224, mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2), resize=256)


def options(line: str) -> dict:
    return given(parse(["layers", "net", *line.split()]))


def test_without_options_a_network_is_taken_at_its_word():
    """Nothing given, nothing changed."""
    assert overruled(OWN, options(""), "net") == OWN


def test_an_option_changes_its_own_field_only():
    """All others stay as the network says."""
    changed = overruled(OWN, options("--order BGR --resize 300"), "net")
    assert changed == Input(height=224, width=224, mean=OWN.mean, std=OWN.std, resize=300, order="BGR")
    assert overruled(OWN, options("--input 3x96x64"), "net").shape == (3, 96, 64)


def test_a_network_that_says_nothing_needs_its_size():
    """The sentence shows the option and the line to write; with the size, the rest has plain defaults."""
    with pytest.raises(UsageError, match="--input 3x224x224"):
        overruled(None, options("--mean 0.5,0.5,0.5"), "net.py:f")
    line = "--input 4x8x9 --show 2,1,0 --crop squash --interpolation nearest --std 1,2,3,4"
    assert overruled(None, options(line), "net.py:f") == Input(
        channels=4, height=8, width=9, show=(2, 1, 0), crop="squash", interpolation="nearest", std=(1, 2, 3, 4)
    )


def test_values_that_contradict_the_network_are_refused():
    """A mean of one number for three channels is no mean."""
    with pytest.raises(UsageError, match="one number per channel"):
        overruled(OWN, options("--mean 0.5"), "net")
