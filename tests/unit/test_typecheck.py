"""Signatures of the package are checked while the tests run, at a function's first call and at every later one."""

import gc
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float64, TypeCheckError, UInt8

from layerscope.core.geometry import Window
from layerscope.world.colours import lab
from tests import typecheck
from tests.typecheck import checked

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

refused = pytest.raises((BeartypeCallHintViolation, TypeCheckError))


def test_the_package_is_checked_before_and_after_the_first_right_call():
    """Neither the call for which the check is built escapes it, nor those that follow."""
    window = Window(size=3, step=1, start=-1)
    for _ in range(2):
        with refused:
            window.span("1")  # pyright: ignore[reportArgumentType]
        assert window.span(1) == (0, 3)


def test_the_packages_shapes_are_checked():
    """A picture of four channels is none of the three that a signature names."""
    lab(np.zeros((2, 3), np.uint8))
    with refused:
        lab(np.zeros((2, 4), np.uint8))


def test_sizes_of_one_name_are_one_size():
    """Among the arguments of a call, and between them and its result; another call may have another size."""

    @checked
    def mean(a: Float64[np.ndarray, " n"], b: Float64[np.ndarray, " n"], drop: int = 0) -> Float64[np.ndarray, " n"]:
        return (a + b)[drop:] / 2

    for size in (3, 5):
        assert mean(np.zeros(size), np.ones(size)).tolist() == [0.5] * size
    with refused:
        mean(np.zeros(3), np.zeros(5))
    with refused:
        mean(np.zeros(3), np.zeros(3), drop=1)


def test_a_wrong_result_is_refused():
    """What a function returns is held to its signature as what it is given."""

    @checked
    def half(number: int) -> int:
        return number / 2  # pyright: ignore[reportReturnType]

    with refused:
        half(3)


def test_what_is_made_anew_each_time_is_checked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each calls its own and refuses what the first refuses, by one check; another signature has another."""
    built = []
    monkeypatch.setattr(
        typecheck, "_types", lambda function, by=typecheck._types: built.append(function) or by(function)
    )

    def adding(amount: Any, of: type) -> "Callable[..., object]":
        @checked
        def add(number: of, *, twice: bool = False) -> of:  # pyright: ignore[reportInvalidTypeForm]
            return number + amount * (2 if twice else 1)

        return add

    functions = [adding(amount, int) for amount in (1, 10, 100)]
    assert [add(5) for add in functions] == [6, 15, 105]
    assert [add(5, twice=True) for add in functions] == [7, 25, 205]
    assert len(built) == 1
    for add in functions:
        for wrong in (lambda add=add: add("5"), lambda add=add: add(5, twice=2)):
            with refused:
                wrong()
    with refused:
        adding(0.5, int)(5)
    text = adding("!", str)
    assert text("a", twice=True) == "a!!" and len(built) == 2
    with refused:
        text(5)


def test_what_is_made_anew_is_not_kept() -> None:
    """What a function closes over goes with it, though its check stays for the next."""

    class Held:
        """Something that would be held."""

    def asking(held: Held) -> "Callable[[int], bool]":
        @checked
        def ask(number: int) -> bool:
            return held is not None and number > 0

        return ask

    held = Held()
    seen = weakref.ref(held)
    assert asking(held)(1)
    del held
    gc.collect()
    assert seen() is None


def test_a_whole_number_passes_for_a_float():
    """As for every type checker: 2 is a float's value, "2" is none."""

    @checked
    def same(number: float) -> float:
        return number

    assert same(2) == 2
    with refused:
        same("2")


def test_the_rest_of_a_signature_is_checked_where_a_name_cannot_be_looked_up():
    """What is imported for annotations alone passes for anything, and nothing else does."""

    @checked
    def times(number: "Decimal", count: int) -> "list[Decimal]":
        return [number] * int(count)

    assert times(1, 2) == [1, 1]  # pyright: ignore[reportArgumentType]
    with refused:
        times(1, "2")  # pyright: ignore[reportArgumentType]


def test_methods_of_every_form_and_fields_are_checked():
    """Class methods, static ones, properties and what a dataclass is made of."""

    @checked
    @dataclass(frozen=True, slots=True)
    class Patch:
        """A patch."""

        pixels: UInt8[np.ndarray, "h w 3"]

        @classmethod
        @checked
        def blank(cls, side: int) -> "Patch":
            return cls(np.zeros((int(side), int(side), 3), np.uint8))

        @staticmethod
        @checked
        def area(side: int) -> int:
            return int(side) ** 2

        @property
        @checked
        def side(self) -> str:
            return len(self.pixels)  # pyright: ignore[reportReturnType]

    assert Patch.blank(2).pixels.shape == (2, 2, 3)
    assert Patch.area(3) == 9
    for wrong in (
        lambda: Patch(np.zeros((2, 2), np.uint8)),
        lambda: Patch.blank("2"),
        lambda: Patch.area("3"),
        lambda: Patch.blank(2).side,
    ):
        with refused:
            wrong()
