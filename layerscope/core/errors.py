"""What can go wrong that a user can mend: one tree of errors, each message one plain sentence.

    LayerscopeError
    ├── UsageError             an argument, option or path that cannot be used
    ├── TraceError             a model that cannot be turned into a graph
    │   ├── UnknownOp          an operation without a row in the table
    │   └── UnalignedBranches  branches that meet with different steps
    ├── ImageError             images that cannot be read or used
    ├── AtlasError             an atlas file that cannot be opened or continued
    │   ├── NotAnAtlas
    │   ├── UnknownVersion
    │   └── WrongModel         the network or the images are not the ones of the atlas
    └── UnsupportedMethod      a projection that this network or layer cannot have

A message says what, where, what was expected and what to do. Whatever is not in this tree is a bug.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType


class LayerscopeError(Exception):
    """The root of every error that a user can mend."""


class UsageError(LayerscopeError):
    """An argument, option or path cannot be used as given."""


class TraceError(LayerscopeError):
    """A model cannot be turned into a graph of known operations."""


class UnknownOp(TraceError):
    """A wanted layer lies behind an operation that has no row in the table."""


class UnalignedBranches(TraceError):
    """Branches meet whose positions step over the picture at different rates."""


class ImageError(LayerscopeError):
    """An image, or a whole source of images, cannot be read or used."""


class AtlasError(LayerscopeError):
    """An atlas file cannot be opened, continued or written."""


class NotAnAtlas(AtlasError):
    """The file is something else, or is truncated."""


class UnknownVersion(AtlasError):
    """The atlas was written in another version of the file format."""


class WrongModel(AtlasError):
    """The network or the images differ from those that made the atlas."""


class UnsupportedMethod(LayerscopeError):
    """This projection cannot be had for this network or layer."""


def nearest(name: str, names: Iterable[str], prefix: Mapping[str, str] = MappingProxyType({})) -> str:
    """A clause that suggests the names closest to a mistyped one; empty when none is close.

    prefix: what is to be written before a name that needs it; such a name may be the very one that was given.
    """
    listed = list(names)
    close = [name] if name in listed else close_names(name, listed)
    return f"; did you mean {' or '.join(prefix.get(one, '') + one for one in close)}?" if close else ""


def close_names(name: str, names: Iterable[str]) -> list[str]:
    """The names closest to a mistyped one, at most three, the closest first."""
    import difflib

    return difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
