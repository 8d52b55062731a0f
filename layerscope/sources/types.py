"""What may be handed over as images, as types: for signatures, and for programs that call them.

They say to a type checker what `core/images.py` says in words. While a program runs that table alone decides, so these
are imported for annotations only.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol, TypeAlias, runtime_checkable

from layerscope.sources.source import Source


@runtime_checkable
class MapDataset(Protocol):
    """A map-style Dataset, as torchvision's are: so many items, each had by its number. A list of pictures is one too.

    An item is a picture (of Pillow, uint8 pixels, or float32 [c, h, w], the network's input as it is), a pair
    (picture, label), or a dict with both. Neither an iterable Dataset nor a DataLoader is one: they have no numbers.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


# A folder, a glob, a picture or a .tar file, several of these, a text of an installed kind, or what is open already.
ImageFiles: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]] | Source
Images: TypeAlias = ImageFiles | MapDataset
