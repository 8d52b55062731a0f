"""The kinds of values that are several: lists of words, layers' names, units, numbers, a shape."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layerscope.core.values import Kind, T, Unfit, Whole, finite, is_finite, number_in, shown


class Several(Kind[tuple[T, ...]]):
    """Some of a kind, each taken once, in the order given; a shell writes them with commas or repeated.

    noun: what they are, with an article. empty: whether there may be none.
    """

    repeated = "again"

    def __init__(self, one: Kind[T], noun: str, *, empty: bool = False) -> None:
        self._one, self._noun, self._empty = one, noun, empty

    @property
    def words(self) -> tuple[str, ...]:
        return self._one.words

    @property
    def expected(self) -> str:  # type: ignore[reportIncompatibleVariableOverride]
        return f"{self._noun}, each {self._one.expected}"

    def read(self, text: str) -> object:
        return tuple(self._one.read(part.strip()) for part in text.split(","))

    def read_all(self, texts: Sequence[str]) -> object:
        return tuple(self._one.read(part.strip()) for text in texts for part in text.split(","))

    def check(self, value: Any) -> tuple[T, ...]:
        if isinstance(value, (str, bytes)):
            raise Unfit(value, f"; write ({shown(value)},)" if isinstance(value, str) and value else "")
        parts = _parts(value)
        if not (parts or self._empty):
            raise Unfit(value)
        return tuple(dict.fromkeys(self._one.check(part) for part in parts))

    def python(self) -> str:
        return f"a sequence of {self._one.python()}"


class Names(Kind[str | tuple[str, ...]]):
    """Names and patterns of layers, one or more; a shell may repeat the option. Commas are parted by the network."""

    expected = 'names, globs or "auto", as text or a list of texts'
    repeated = "again"

    def check(self, value: Any) -> str | tuple[str, ...]:
        if isinstance(value, str):
            if not value.strip(", "):
                raise Unfit(value)
            return value
        parts = _parts(value)
        for part in parts:
            if not isinstance(part, str) or not part.strip(", "):
                name = getattr(part, "name", None)
                hint = f'; write "{name if isinstance(name, str) else part}"'
                raise Unfit(part, hint if isinstance(name, str) or isinstance(part, int) else "")
        if not parts:
            raise Unfit(value)
        return tuple(parts)

    def python(self) -> str:
        return "str, or a sequence of them"


class UnitNumbers(Kind[tuple[int, ...]]):
    """Units in the order given; a shell writes "1,2,5-9", ranges with both ends."""

    expected = "unit numbers, in a shell with ranges such as 1,2,5-9"

    def read(self, text: str) -> object:
        found: list[int] = []
        for part in text.split(","):
            first, dash, last = (piece.strip() for piece in part.partition("-"))
            if not (first.isdecimal() and first.isascii()) or (dash and not (last.isdecimal() and last.isascii())):
                return text
            numbers = range(int(first), int(last or first) + 1)
            if not numbers or len(numbers) > 1_000_000:
                return text
            found += numbers
        return tuple(found)

    def check(self, value: Any) -> tuple[int, ...]:
        if isinstance(value, (str, bytes)):
            raise Unfit(value)
        parts, unit = _parts(value), Whole(0)
        if not parts:
            raise Unfit(value)
        return tuple(unit.check(part) for part in parts)

    def python(self) -> str:
        return "a sequence of int"


class LayersUnits(Kind[dict[str, tuple[int, ...]]]):
    """Units of layers, by layer; a shell writes LAYER:LIST and may repeat the option."""

    expected = "a layer and some of its units, such as layer4:17,23"
    repeated = "again"

    def read_all(self, texts: Sequence[str]) -> object:
        found: dict[str, tuple[int, ...]] = {}
        for text in texts:
            layer, colon, units = text.rpartition(":")
            numbers = UnitNumbers().read(units)
            if not (colon and layer.strip()) or isinstance(numbers, str):
                return text
            found[layer.strip()] = (*found.get(layer.strip(), ()), *numbers)  # type: ignore[misc]
        return found

    def check(self, value: Any) -> dict[str, tuple[int, ...]]:
        given = self.read_all([value]) if isinstance(value, str) else value
        if not isinstance(given, Mapping) or not given:
            raise Unfit(value)  # type: ignore[reportUnknownArgumentType]
        found: dict[str, tuple[int, ...]] = {}
        for layer, units in given.items():  # type: ignore[reportUnknownVariableType]
            if not isinstance(layer, str) or not layer.strip():
                raise Unfit(layer)  # type: ignore[reportUnknownArgumentType]
            found[layer] = tuple(dict.fromkeys(UnitNumbers().check(units)))
        return found

    def python(self) -> str:
        return 'dict of layers and their units, or "LAYER:LIST"'


class Numbers(Kind[tuple[float, ...]]):
    """Finite numbers; a shell writes them with commas between them. above_zero: whether each must be."""

    def __init__(self, *, above_zero: bool = False) -> None:
        self._above_zero = above_zero
        self.expected = f"numbers{' above zero' if above_zero else ''}, one for each channel, such as 0.485,0.456,0.406"

    def read(self, text: str) -> object:
        found = tuple(number_in(part) for part in text.split(","))
        return text if any(isinstance(one, str) for one in found) else found

    def check(self, value: Any) -> tuple[float, ...]:
        if isinstance(value, (str, bytes)):
            raise Unfit(value)
        parts = tuple(map(finite, _parts(value)))
        for part in parts:
            if self._above_zero and part <= 0:
                raise Unfit(part)
        return parts

    def python(self) -> str:
        return "a sequence of float"


class Shape(Kind[tuple[int, int, int]]):
    """Three whole numbers with a text between them in a shell: channels, height and width, or three channels."""

    def __init__(self, least: int, between: str, expected: str) -> None:
        self._least, self._between, self.expected = least, between, expected

    def read(self, text: str) -> object:
        parts = [part.strip() for part in text.lower().split(self._between)]
        whole = [number_in(part) for part in parts]
        return tuple(whole) if len(whole) == 3 and all(isinstance(part, int) for part in whole) else text

    def check(self, value: Any) -> tuple[int, int, int]:
        parts = () if isinstance(value, (str, bytes)) else _parts(value)
        if len(parts) != 3:
            raise Unfit(value)
        one = Whole(self._least)
        try:
            first, second, third = (one.check(part) for part in parts)
        except Unfit:
            raise Unfit(value) from None
        return first, second, third

    def python(self) -> str:
        return "three int"


def _parts(value: Any) -> tuple[Any, ...]:
    """What a sequence or array holds; a mapping and what cannot be gone through are refused."""
    if isinstance(value, dict) or not isinstance(value, Iterable):
        raise Unfit(value)  # type: ignore[reportUnknownArgumentType]
    try:
        return tuple(value)  # type: ignore[reportUnknownVariableType]
    except TypeError:  # an array without axes
        raise Unfit(value) from None  # type: ignore[reportUnknownArgumentType]


class Bindings(Kind[dict[str, object]]):
    """Values by name: numbers, true or false, or none; a shell writes NAME=VALUE and may repeat the option."""

    expected = "NAME=VALUE, with none, true, false or a number for the value"
    repeated = "again"

    def read_all(self, texts: Sequence[str]) -> object:
        found: dict[str, object] = {}
        for text in texts:
            name, equals, written = text.partition("=")
            words: dict[str, object] = {"none": None, "true": True, "false": False}
            value = words.get(written.strip().lower(), number_in(written))
            if not equals or isinstance(value, str):
                return text
            found[name.strip()] = value
        return found

    def check(self, value: Any) -> dict[str, object]:
        if not isinstance(value, Mapping) or not value:
            raise Unfit(value)  # type: ignore[reportUnknownArgumentType]
        given: dict[Any, Any] = dict(value)  # type: ignore[reportUnknownArgumentType]
        for name, bound in given.items():
            if not isinstance(name, str) or not name.isidentifier():
                raise Unfit(name)
            if not (bound is None or (isinstance(bound, (bool, int, float)) and is_finite(bound))):
                raise Unfit(bound)
        return given

    def python(self) -> str:
        return "dict"
