"""The kinds of values that are words: of a closed set, of a registry, texts, paths, and what other rooms look at."""

# What users give is of any type, and is looked at part by part.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
from collections.abc import Sequence
from typing import Any, TypeVar

from layerscope.core.values import Kind, Unfit

WordT = TypeVar("WordT", bound=str)


class Word(Kind[WordT]):
    """One word of a closed set."""

    def __init__(self, words: Sequence[WordT]) -> None:
        self._words = tuple(words)
        self.expected = f"one of {', '.join(self._words)}"

    @property
    def words(self) -> tuple[WordT, ...]:
        return self._words

    def check(self, value: Any) -> WordT:
        for word in self._words:
            if isinstance(value, str) and word == value:
                return word
        raise Unfit(value, _nearest(value, self._words))

    def python(self) -> str:
        return " or ".join(f'"{word}"' for word in self._words)


class RowName(Kind[str]):
    """The name of a row in a registry, ours or a guest's; the registry is loaded when it is asked.

    address: "module:NAME" of the registry.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def words(self) -> tuple[str, ...]:
        return self._registry().names

    @property
    def expected(self) -> str:  # type: ignore[reportIncompatibleVariableOverride]
        return f"one of {', '.join(self.words)}"

    def check(self, value: Any) -> str:
        """Raises UsageError too, where a row is there and cannot be used: it lacks what it needs."""
        if not isinstance(value, str) or value not in self._registry():
            raise Unfit(value, _nearest(value, self.words))
        return self._registry()[value].name

    def python(self) -> str:
        return f'"{self.words[0]}" or another of these words'

    def _registry(self) -> Any:
        return _held_at(self._address)


class Text(Kind[str]):
    """Any text; empty only where that means something."""

    def __init__(self, expected: str, *, empty: bool = False) -> None:
        self.expected, self._empty = expected, empty

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not (value or self._empty):
            raise Unfit(value)
        return value


class Place(Kind[str]):
    """The path of a file or folder, which another look at the disk judges; as text, as it was written."""

    path = True

    def __init__(self, expected: str = "a path") -> None:
        self.expected = expected

    def check(self, value: Any) -> str:
        path = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
        if not isinstance(path, str) or not path.strip() or "\0" in path:
            raise Unfit(value)
        return path

    def python(self) -> str:
        return "str or Path"


class Anything(Kind[Any]):
    """What another room looks at: a network, images. Only what is empty is refused.

    forms: "module:function" that tells how it is written; it is called when help is, for guests add forms.
    """

    def __init__(
        self, expected: str, *, path: bool = False, repeated: str = "", python: str = "Any", forms: str = ""
    ) -> None:
        self.expected, self.path, self.repeated, self._python = expected, path, repeated, python
        self._forms = forms

    @property
    def forms(self) -> str:
        return _held_at(self._forms)("`") if self._forms else ""

    def read_all(self, texts: Sequence[str]) -> object:
        return texts[0] if len(texts) == 1 else list(texts)

    def check(self, value: Any) -> Any:
        empty = isinstance(value, (str, tuple, list, dict)) and not value
        if value is None or isinstance(value, (bool, int, float)) or empty:
            raise Unfit(value)
        return value

    def python(self) -> str:
        return self._python


class SiteAddress(Kind[str]):
    """The address of a folder of pages on the web, with a slash at its end: host and path, and nothing behind them."""

    expected = "an address such as https://lab.example.org/atlas/"

    def check(self, value: Any) -> str:
        from urllib.parse import urlsplit

        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or set(value) & set(" \"'<>\\"):
            raise Unfit(value)
        try:
            parts = urlsplit(value)
            wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None
            wrong = wrong or any(sign in value for sign in "?#") or parts.port == 0
        except ValueError:
            wrong = True
        if wrong:
            raise Unfit(value)
        return value if value.endswith("/") else f"{value}/"


class Reporter(Kind[Any]):
    """True for bars on stderr, False or None for silence, or an object that is told of progress."""

    expected = "True, False, or an object with start, step and say"

    def check(self, value: Any) -> Any:
        reports = all(callable(getattr(value, name, None)) for name in ("start", "step", "say"))
        if isinstance(value, type) or not (value is None or isinstance(value, bool) or reports):
            raise Unfit(value)
        return value

    def python(self) -> str:
        return "bool, or an object with `start`, `step` and `say`"


class Expectation(Kind[Any]):
    """An Input, or None where the network says itself what it expects."""

    def check(self, value: Any) -> Any:
        """Raises UsageError for all else, with the Input to write for a shape that was given."""
        from layerscope.core.errors import UsageError
        from layerscope.core.records import Input

        if value is None or isinstance(value, Input):
            return value
        shape = getattr(value, "shape", value)
        shape = tuple(shape[-3:]) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
        numbers = all(isinstance(number, int) and not isinstance(number, bool) for number in shape)
        said = shape if numbers and len(shape) == 3 else (3, 224, 224)
        raise UsageError(
            f"input must say what the network expects, as a layerscope.Input and not a {type(value).__name__}: "
            f"input=ls.Input(channels={said[0]}, height={said[1]}, width={said[2]})"
        )

    def python(self) -> str:
        return "Input, or None"


class Held(Kind[Any]):
    """What only Python can give, and another room judges with a sentence of its own."""

    def __init__(self, python: str) -> None:
        self._python = python

    def check(self, value: Any) -> Any:
        return value

    def python(self) -> str:
        return self._python


def _held_at(address: str) -> Any:
    """What a module holds: "module:NAME"; loaded now."""
    from importlib import import_module

    module, _, name = address.partition(":")
    return getattr(import_module(module), name)


def _nearest(value: object, words: Sequence[str]) -> str:
    if not isinstance(value, str):
        return ""
    from layerscope.core.errors import nearest

    return nearest(value, words)
