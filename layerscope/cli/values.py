"""The texts of options as values; what makes no sense is said in one clause (argparse names the option)."""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from layerscope.core.errors import nearest


def whole(least: int) -> Callable[[str], int]:
    """A converter for whole numbers from `least` on."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise ArgumentTypeError(f'expected a whole number of at least {least}, got "{text}"')
        return value

    return convert


def port(text: str) -> int:
    """The number of a port, 0 to 65535."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < 65536):
        raise ArgumentTypeError(f'expected a port, 0 to 65535, got "{text}"')
    return int(text)


def size(text: str) -> int:
    """Bytes, in powers of ten: "200MB", "1.5 GB", "300 kB"; a bare number is bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(|[kmg]?b|[kmg])", text.strip().lower())
    if found is None or not float(found[1]):
        raise ArgumentTypeError(f'expected a size such as 200MB, got "{text}"')
    return int(float(found[1]) * 1000 ** " kmg".index(found[2].removesuffix("b") or " "))


def above_zero(text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentTypeError(f'expected a number above zero, got "{text}"')
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them: "0.485,0.456,0.406"."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f'expected numbers with commas between them, got "{text}"') from None


def shape(text: str) -> tuple[int, int, int]:
    """Channels, height and width: "3x224x224"."""
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ArgumentTypeError(f'expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got "{text}"')
    channels, height, width = map(int, parts)
    return channels, height, width


def three_channels(text: str) -> tuple[int, int, int]:
    """Three channel numbers with commas between them: "3,2,1"."""
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise ArgumentTypeError(f'expected three channel numbers such as 3,2,1, got "{text}"')
    red, green, blue = map(int, parts)
    return red, green, blue


def unit_numbers(text: str) -> tuple[int, ...]:
    """Units in the order given, ranges with both ends: "1,2,5-9"."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise ArgumentTypeError(f'expected unit numbers and ranges such as 1,2,5-9, got "{text}"')
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


@dataclass(frozen=True)
class Among:
    """A converter for some of the choices, with commas between them."""

    choices: Sequence[str]

    def __call__(self, text: str) -> tuple[str, ...]:
        found = tuple(part.strip() for part in text.split(","))
        for name in found:
            if name not in self.choices:
                raise ArgumentTypeError(
                    f'expected {", ".join(self.choices)}, got "{name}"{nearest(name, self.choices)}'
                )
        return found
