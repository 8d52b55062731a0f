"""What is handed over as images can be read by number, or it is said what to give instead."""

import io
from typing import Any

from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.core.images import forms

# What is handed over and cannot be read by number, by the name of its type or of one that it is made from.
INSTEAD = {
    "IterableDataset": "it can only be read from start to end: give a map-style Dataset, or a list of its items",
    "DataLoader": "it gives batches: give its .dataset",
    "DataFrame": "give the list of its column of paths, and the classes as a labels file",
    "dict": "give what one of its keys holds",
    "bytes": "give a path, or a list of pictures",
    "str_": "give a path",
}


def require_numbered(images: Any) -> None:
    """Raises UsageError, with what to give instead, for what is not read by number."""
    kinds = [kind.__name__ for kind in type(images).__mro__]
    instead = next((INSTEAD[kind] for kind in kinds if kind in INSTEAD), None)
    if isinstance(images, Image.Image):
        instead = "give a list of pictures: [picture]"
    elif isinstance(images, io.IOBase):
        instead = "give its path"
    elif isinstance(images, (set, frozenset)):
        instead = "it has no order: give sorted(images)"
    elif hasattr(images, "__next__"):
        instead = "it can be read only once: give list(images)"
    if instead is not None:
        raise UsageError(f"images of type {type(images).__name__} cannot be used: {instead}")
    if not hasattr(images, "__getitem__") or not hasattr(images, "__len__"):
        raise UsageError(f"images of type {type(images).__name__} cannot be used; give {forms(written=False)}")
