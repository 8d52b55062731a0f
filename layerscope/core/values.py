"""The kinds of values that settings take: for each one check, and one clause that says what is expected.

From a shell a value comes as text: `read` says which value the text writes, and `check` is the same as for a value from
Python, so that a mistake is told in the same words. Nothing here is a dataclass: `--help` would wait for them.
"""

# What users give is of any type, and is looked at part by part.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
from collections.abc import Sequence
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
MOST_SHOWN = 80


class Unfit(Exception):
    """A value is not of its kind. got: the value, or the part of it that is wrong; hint: a clause, what to write."""

    def __init__(self, got: object, hint: str = "") -> None:
        super().__init__(got, hint)
        self.got, self.hint = got, hint


def shown(value: object) -> str:
    """A value as a message repeats it: text in quotes, numbers as they are, what is large or strange by its type."""
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        text = text if isinstance(text, str) else os.fsdecode(text)
        return f'"{text}"' if len(text) <= MOST_SHOWN else f'"{text[:MOST_SHOWN]}..."'
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)[:MOST_SHOWN]
    if isinstance(value, (tuple, list)) and value and len(repr(value)) <= MOST_SHOWN:
        return repr(value)
    name = type(value).__name__
    empty = "empty " if isinstance(value, (tuple, list, dict, set)) and not value else ""
    return f"an {empty}{name}" if (empty or name)[0].lower() in "aeiou" else f"a {name}"


class Kind(Generic[T]):
    """What a setting may be.

    expected: the clause behind "must be". words: the words that it may be, if they are few. path: whether it names a
    file or folder. repeated: how a shell gives several: "" not at all, "+" one behind the other, "again" by writing the
    option again. forms: how it is written, in one clause, where a registry of kinds tells that.
    """

    expected: str = ""
    path: bool = False
    repeated: str = ""

    @property
    def forms(self) -> str:
        return ""

    @property
    def words(self) -> tuple[str, ...]:
        return ()

    @property
    def bounds(self) -> str:
        """What it must lie between, for help and reference; empty where that goes without saying."""
        return ""

    def read(self, text: str) -> object:
        """The value that a text writes; the text itself where it writes none."""
        return text

    def read_all(self, texts: Sequence[str]) -> object:
        """The value that several texts write."""
        return tuple(texts)

    def check(self, value: Any) -> T:
        """The value in its plain form. Raises Unfit."""
        raise NotImplementedError

    def python(self) -> str:
        """How Python writes the type of it, for the reference."""
        return "str"


class Flag(Kind[bool]):
    """Yes or no."""

    expected = "True or False"

    def check(self, value: Any) -> bool:
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
            return bool(value)
        raise Unfit(value)

    def python(self) -> str:
        return "bool"


class Whole(Kind[int]):
    """A whole number, least to most."""

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least, self.most = least, most
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        self.expected = f"a whole number {bounds}"

    @property
    def bounds(self) -> str:
        # What nobody comes near needs no word.
        if self.most is not None and self.most < 2**31:
            return f"{self.least} to {self.most}"
        return f"from {self.least}" if self.least > 1 else ""

    def read(self, text: str) -> object:
        return number_in(text)

    def check(self, value: Any) -> int:
        index = getattr(type(value), "__index__", None)
        if index is None or isinstance(value, bool):
            raise Unfit(value)
        number = _plain_whole(value)
        if number < self.least or (self.most is not None and number > self.most):
            raise Unfit(number)
        return number

    def python(self) -> str:
        return "int"


class Number(Kind[float]):
    """A finite number: above zero, or from least to most."""

    def __init__(self, least: float | None = None, most: float | None = None) -> None:
        self.least, self.most = least, most
        self.expected = "a number above zero" if least is None else f"a number from {least:g} to {most:g}"

    @property
    def bounds(self) -> str:
        return "" if self.least is None else f"{self.least:g} to {self.most:g}"

    def read(self, text: str) -> object:
        return number_in(text)

    def check(self, value: Any) -> float:
        number = finite(value)
        if self.least is None and number <= 0:
            raise Unfit(value)
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            raise Unfit(value)
        return number

    def python(self) -> str:
        return "float"


class Bytes(Kind[int]):
    """A size in bytes; as text in powers of ten: "200MB", "1.5 GB"."""

    expected = "a size above zero such as 200MB, or a whole number of bytes"

    def read(self, text: str) -> object:
        written = number_in(text)
        return written if isinstance(written, int) else text

    def check(self, value: Any) -> int:
        if isinstance(value, str):
            return self._of_text(value)
        if isinstance(value, bool) or not hasattr(type(value), "__index__") or int(value) < 1:
            raise Unfit(value)
        return int(value)

    def _of_text(self, text: str) -> int:
        plain = text.strip().lower().removesuffix("b")
        unit = plain[-1:] if plain[-1:] in ("k", "m", "g") else ""
        written = number_in(plain.removesuffix(unit).strip())
        if isinstance(written, str) or not is_finite(written) or int(written * 1000 ** " kmg".index(unit or " ")) < 1:
            raise Unfit(text)
        return int(written * 1000 ** " kmg".index(unit or " "))

    def python(self) -> str:
        return "int (bytes) or str"


class Maybe(Kind[T | None]):
    """A kind, or None for nothing asked."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind = kind
        self.path, self.repeated = kind.path, kind.repeated

    @property
    def words(self) -> tuple[str, ...]:
        return self._kind.words

    @property
    def bounds(self) -> str:
        return self._kind.bounds

    @property
    def forms(self) -> str:
        return self._kind.forms

    @property
    def expected(self) -> str:  # type: ignore[reportIncompatibleVariableOverride]
        return self._kind.expected

    def read(self, text: str) -> object:
        return self._kind.read(text)

    def read_all(self, texts: Sequence[str]) -> object:
        return self._kind.read_all(texts)

    def check(self, value: Any) -> T | None:
        return None if value is None else self._kind.check(value)

    def python(self) -> str:
        return f"{self._kind.python()}, or None"


def number_in(text: str) -> int | float | str:
    """The number that a text writes, or the text."""
    plain = text.strip()
    if not plain.isascii() or "_" in plain:
        return text
    for kind in (int, float):
        try:
            return kind(plain)
        except (ValueError, OverflowError):
            continue
    return text


def _plain_whole(value: Any) -> int:
    try:
        return value.__index__()
    except TypeError:  # an array of several, a tensor of a fraction
        _refuse(value)


def is_finite(number: float) -> bool:
    """False for NaN and the infinities."""
    return number - number == 0


def finite(value: Any) -> float:
    """The value as a float. Raises Unfit for what is no finite number."""
    if isinstance(value, (str, bytes, bool)) or not hasattr(type(value), "__float__"):
        raise Unfit(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        _refuse(value)
    if not is_finite(number):
        raise Unfit(number)
    return number


def _refuse(value: object) -> NoReturn:
    raise Unfit(value) from None
