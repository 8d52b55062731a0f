"""An atlas file behind something: a wrapper passes on what it names, and withholds all else.

What is added to `AtlasFile` later is not there for whoever reads through a wrapper, until the wrapper names it.
"""

from typing import Any, ClassVar, TypeAlias

from layerscope.atlas.read import AtlasFile


class Withheld(AttributeError):
    """A question to an atlas that a wrapper does not pass on."""


class Wrapper:
    """Reads as the file that it wraps, as far as it says so.

    PASSED: questions that are handed on as they are. Others are methods of a wrapper's own, or are withheld.
    """

    PASSED: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, file: "Reader") -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        if name in type(self).PASSED:
            return getattr(self._file, name)
        raise Withheld(f"{type(self).__name__} withholds {name}: what it does not name is not passed on")


# Whatever answers questions about an atlas: a file, or one behind a wrapper.
Reader: TypeAlias = AtlasFile | Wrapper
