"""A page's query: words that a URL may carry. Every value is checked where it is used; what is wrong is said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layerscope.core.errors import UsageError, nearest


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
