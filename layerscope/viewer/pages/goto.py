"""What numbers and the names of layers mean: a layer, a unit of one, a unit of every layer, an image."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.viewer.pages.query import whole_number
from layerscope.viewer.shelf import Book

UNIT = r"(?:unit |u ?)?(\d{1,9})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A page that may be meant: of a layer, of a unit of it, or of an image."""

    layer: AtlasLayerRecord | None = None
    unit: int | None = None
    image: int | None = None


def targets(book: Book, text: str) -> tuple[Target, ...]:
    """The pages that a text names: "layer4", "layer4 17", "4/17", "17" (of every layer, and the image), "i 12".

    Layers first, then units, then images. None where it names nothing. Raises UsageError for a number that is too
    large.
    """
    text = " ".join(text.split())
    image = re.fullmatch(r"i(?:mage)? ?(\d{1,12})", text, re.IGNORECASE | re.ASCII)
    if image:
        return (_image(book, int(image[1])),)
    layers = tuple(Target(layer=layer) for layer in layers_called(book, text))
    number = re.fullmatch(UNIT, text, re.IGNORECASE | re.ASCII)
    if number:
        return (*layers, *_everywhere(book, int(number[1]), also_image=text.isdecimal()))
    return (*layers, *_units(book, text))


def _image(book: Book, image: int) -> Target:
    count = book.file.image_count()
    if image >= count:
        raise UsageError(f"there is no image {image}: the images of this atlas are 0 to {count - 1}")
    return Target(image=image)


def _everywhere(book: Book, number: int, *, also_image: bool) -> tuple[Target, ...]:
    """The unit of this number of every layer that has it, and the image."""
    units = (Target(layer=layer, unit=number) for layer in book.layers if number < layer.record.units)
    images = (Target(image=number),) if also_image and number < book.file.image_count() else ()
    return (*units, *images)


def _units(book: Book, text: str) -> tuple[Target, ...]:
    """A layer and a number, with a space, a colon, a slash or "u" between."""
    parts = re.fullmatch(rf"(.+?)(?: |:|/){UNIT}", text, re.IGNORECASE | re.ASCII)
    if not parts:
        return ()
    unit = int(parts[2])
    layers = layers_called(book, parts[1]) or _by_place(book, parts[1])
    held = [layer for layer in layers if unit < layer.record.units]
    if layers and not held:
        raise UsageError(f'layer "{layers[0].name}" has units 0 to {layers[0].record.units - 1}, there is no {unit}')
    return tuple(Target(layer=layer, unit=unit) for layer in held)


def layers_called(book: Book, text: str) -> tuple[AtlasLayerRecord, ...]:
    """The layers of this name, path or alias; else those of which one begins with it, holds it, or, for a number, holds
    that number."""
    every = [(layer, (layer.name, layer.record.path, *layer.record.aliases)) for layer in book.layers]
    for is_meant in _ways(text):
        found = tuple(layer for layer, names in every if any(is_meant(name) for name in names))
        if found:
            return found
    return ()


def _ways(text: str) -> tuple[Callable[[str], bool], ...]:
    """How a name may be meant, the surest first."""
    folded, whole = text.casefold(), re.compile(rf"(?<!\d){re.escape(text)}(?!\d)")
    if not text:
        return ()
    if text.isdecimal():
        return (lambda name: name == text, lambda name: bool(whole.search(name)))
    return (
        lambda name: name == text,
        lambda name: name.casefold().startswith(folded),
        lambda name: folded in name.casefold(),
    )


def _by_place(book: Book, text: str) -> tuple[AtlasLayerRecord, ...]:
    """The layer of this place in the order of execution, from 1."""
    place = whole_number(text)
    return book.layers[place - 1 : place] if place else ()
