"""On a GPU convolutions and products keep all digits while the program computes, and what was set comes back."""

import pytest
import torch

from layerscope.graph.exactly import SWITCHES, exactly


def precisions() -> list[object]:
    return [getattr(owner, name) for owner, name, _ in SWITCHES]


def test_all_digits_inside_and_what_was_set_behind_it() -> None:
    """Also where something fails inside. No GPU is needed to set it."""
    before = precisions()
    with pytest.raises(ZeroDivisionError), exactly(torch.device("cuda")):
        assert precisions() == [full for _, _, full in SWITCHES] != before
        assert not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert precisions() == before
    assert torch.is_grad_enabled()


def test_elsewhere_nothing_is_set() -> None:
    """A processor knows no TF32."""
    before = precisions()
    with exactly(torch.device("cpu")):
        assert precisions() == before
        assert not torch.is_grad_enabled()
