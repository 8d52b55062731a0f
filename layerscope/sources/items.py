"""An item of a Dataset, whatever holds it, becomes a picture and a label.

An item is a picture, a pair (picture, label), or a dict with both, as data sets of the Hugging Face Hub and decoded
WebDataset samples are. A Pillow image, or a uint8 array or tensor, is a picture; of the first and last axis of an
array the shorter one counts the channels (the first of a tensor and the last of an array where they are equal). A
float array or tensor is the network's input as it is, [c, h, w].
"""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.sources.decode import Unusable
from layerscope.sources.image import PictureLike

WANTED = "a Pillow image, a uint8 array or a float array of the network's input shape"
# Under which keys a dict holds its picture and its label; the first that it has counts.
PICTURE_KEYS = ("image", "img", "picture", "pixel_values", "jpg", "jpeg", "png", "webp")
LABEL_KEYS = ("label", "labels", "class", "target", "fine_label", "category", "cls")


def value_and_label(item: Any) -> tuple[Any, Any]:
    """An item's picture and its label, None where it has none; a TensorDataset's items are tuples of one."""
    if isinstance(item, Mapping):
        return _first_of(item, PICTURE_KEYS, item), _first_of(item, LABEL_KEYS, None)
    if not isinstance(item, (tuple, list)) or not item:
        return item, None
    return item[0], item[1] if len(item) > 1 else None


def _first_of(item: Mapping[Any, Any], keys: tuple[str, ...], otherwise: Any) -> Any:
    return next((item[key] for key in keys if key in item), otherwise)


def picture_of(item: Any, id: int) -> PictureLike:
    """The picture of an item as a Pillow image, as uint8[rows, cols, c] or as float32[c, h, w].

    Raises Unusable for None, as Datasets give for what they cannot read, and ImageError for what is no picture.
    """
    value, _ = value_and_label(item)
    if value is None:
        raise Unusable("the Dataset gives None")
    if isinstance(value, Image.Image):
        return value
    tensor = hasattr(value, "detach") and hasattr(value, "cpu")  # told without loading torch
    if tensor:
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()
    if not isinstance(value, np.ndarray):
        raise ImageError(f"item {id} of the Dataset is of type {type(value).__name__}; {_instead(item, value)}")
    if value.dtype == np.uint8 and value.ndim == 2:
        return value[:, :, None]
    if value.dtype == np.uint8 and value.ndim == 3:
        first, last = value.shape[0], value.shape[2]
        return np.moveaxis(value, 0, -1) if first < last or (tensor and first == last) else value
    if np.issubdtype(value.dtype, np.floating) and value.ndim == 3:
        return value.astype(np.float32, copy=False)
    raise ImageError(f"item {id} of the Dataset is {value.dtype}{list(value.shape)}; expected {WANTED}")


def _instead(item: Any, value: Any) -> str:
    """What was expected, and how to come there from what an item is."""
    if isinstance(value, bytes | bytearray):
        return "decode it: PIL.Image.open(io.BytesIO(item))"
    if isinstance(value, io.IOBase):
        return "decode it: PIL.Image.open(item), or give a list of paths"
    if isinstance(value, Mapping):
        return f'its keys are {", ".join(map(str, value))}; call the picture "image" and the class "label"'
    later = item[1:] if isinstance(item, (tuple, list)) else ()
    if any(isinstance(part, (Image.Image, np.ndarray)) or hasattr(part, "detach") for part in later):
        return "the picture must come first: (picture, label)"
    return f"expected {WANTED}"


def label_name(label: Any, names: tuple[str, ...]) -> str | None:
    """A label as a class name: a whole number counts into the names where there are any. None for what is no label."""
    if isinstance(label, str):
        return label if not names or label in names else None
    number = whole_number(label)
    if number is None:
        return None
    if not names:
        return str(number)
    return names[number] if 0 <= number < len(names) else None


def whole_number(label: Any) -> int | None:
    """A label that is one whole number, of Python, NumPy or PyTorch; None for any other."""
    if isinstance(label, (int, np.integer)):
        return int(label)
    if getattr(label, "ndim", None) != 0:
        return None
    found = label.item()
    return int(found) if isinstance(found, int) else None
