"""Signatures of the package are checked while the tests run, at a function's first call and at every later one."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from layerscope.core.geometry import Window
from layerscope.world.colours import lab
from tests.typecheck import checked


def test_a_wrong_type_is_refused_before_and_after_the_first_right_call():
    """Neither the call for which the check is built escapes it, nor those that follow."""
    window = Window(size=3, step=1, start=-1)
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="index"):
            window.span("1")  # pyright: ignore[reportArgumentType]
        assert window.span(1) == (0, 3)


def test_a_wrong_shape_is_refused():
    """A picture of four channels is none of the three that a signature names."""
    lab(np.zeros((2, 3), np.uint8))
    with pytest.raises(TypeCheckError, match=r"\*shape 3"):
        lab(np.zeros((2, 4), np.uint8))


def test_a_wrong_result_is_refused():
    """What a function returns is held to its signature as what it is given."""

    def half(number: int) -> int:
        return number / 2  # pyright: ignore[reportReturnType]

    with pytest.raises(Exception, match="float"):
        checked(half)(3)


def test_a_whole_number_passes_for_a_float():
    """As for every type checker: 2 is a float's value, "2" is none."""

    def same(number: float) -> float:
        return number

    assert checked(same)(2) == 2
    with pytest.raises(Exception, match="float"):
        checked(same)("2")
