"""A page's query: words that a URL may carry. Every value is checked where it is used; what is wrong is said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layerscope.core.errors import UsageError, nearest

MOST_DIGITS = 9


def whole_number(text: str) -> int | None:
    """The number that these digits write; None for anything else, and for more digits than an atlas has numbers for."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


def page_of(asked: str, found: int, step: int) -> int:
    """Where a page of a list begins: a multiple of its step, within what there is."""
    return min(whole_number(asked) or 0, max(found - 1, 0)) // step * step


@dataclass(frozen=True, slots=True)
class Query:
    """Names with their values, in order."""

    items: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, items: Iterable[tuple[str, str]]) -> "Query":
        return cls(tuple(items))

    def one(self, name: str, default: str = "") -> str:
        """The last value of a name."""
        return next((value for key, value in reversed(self.items) if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.items if key == name]

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of these words. Raises UsageError for another."""
        found = self.one(name) or default
        if found not in choices:
            raise UsageError(
                f'{name} "{found[:40]}" is not known: choose {", ".join(choices)}{nearest(found, choices)}'
            )
        return found
