"""What "go to" means by a few words: a layer, a unit of one, the units that a name leads to, an image."""

import re
from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError, nearest
from layerscope.facts.finding import CLASS, CONCEPT, LABEL, NOTE, WORD, Finding, find, names_known
from layerscope.viewer.addresses import Links
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A page that was meant: of an image, or of a layer, or of a unit of it. words: why it is one."""

    words: str
    layer: AtlasLayerRecord | None = None
    unit: int | None = None
    image: int | None = None


def leads(book: Book, query: Query, link: Links) -> str | None:
    """The address of what ?go=WORDS means; None where it means nothing, or several things: the page then says which."""
    text = query.one("go").strip()[:200]
    try:
        found = targets(book, text) if text else ()
    except UsageError:
        return None
    if len(found) != 1:
        return None
    (one,) = found
    if one.layer is None:
        return None if one.image is None else link.page("image", one.image)
    return link.page("layer", one.layer) if one.unit is None else link.page("unit", one.layer, one.unit)


def target(book: Book, text: str) -> Target:
    """The one page that is meant most: the first of `targets`. Raises UsageError where there is none."""
    return targets(book, text)[0]


def targets(book: Book, text: str) -> tuple[Target, ...]:
    """The pages that a text may mean, the likeliest first: "layer4", "layer4 17", "i 12", or a name.

    At most MOST. Raises UsageError, which says what can be written, where there is none.
    """
    text = " ".join(text.split())
    found = _image(book, text) or _layer(book, text) or _unit(book, text) or _named(book, text)
    if not found:
        every = {layer.name for layer in book.layers} | _names(book)
        raise UsageError(
            f'nothing here is called "{text[:60]}": write a layer, a layer and a unit, '
            f'{"a concept, " if book.dissected else ""}a label, a class, or "i" and the number of an image'
            f"{nearest(text[:60], every)}"
        )
    return found[:MOST]


def _image(book: Book, text: str) -> tuple[Target, ...]:
    found = re.fullmatch(r"i(?:mage)? ?(\d{1,12})", text, re.IGNORECASE | re.ASCII)
    if not found:
        return ()
    image = book.file.image(int(found[1]))
    return (Target(words=f"image {image.id}", image=image.id),)


def _layer(book: Book, text: str) -> tuple[Target, ...]:
    """A layer by any of its names; or those whose names begin with the text, or hold it."""
    records = [(layer, (layer.name, layer.record.path, *layer.record.aliases)) for layer in book.layers]
    exact = [layer for layer, names in records if text in names]
    folded = text.casefold()
    starts = [layer for layer, names in records if any(name.casefold().startswith(folded) for name in names)]
    found = exact or (starts if folded else [])
    return tuple(Target(words=layer.name, layer=layer) for layer in found)


def _unit(book: Book, text: str) -> tuple[Target, ...]:
    """A layer and a number, with a space, a colon, or "u" between. Raises UsageError for a number beyond the layer."""
    parts = re.fullmatch(r"(.+?)(?: |:|/)(?:unit |u ?)?(\d{1,9})", text, re.ASCII)
    if not parts:
        return ()
    unit = int(parts[2])
    layers = [one.layer for one in _layer(book, parts[1]) if one.layer is not None]
    held = [layer for layer in layers if unit < layer.record.units]
    if layers and not held:
        raise UsageError(f'layer "{layers[0].name}" has units 0 to {layers[0].record.units - 1}, there is no {unit}')
    return tuple(Target(words=f"{layer.name}, unit {unit}", layer=layer, unit=unit) for layer in held)


def _names(book: Book) -> set[str]:
    return {name for kind, names in names_known(book.file).items() if kind != NOTE for name in names}


def _named(book: Book, text: str) -> tuple[Target, ...]:
    """The units that a concept, a label, a word, a class or a note leads to, the likeliest first, each once."""
    first: dict[tuple[int, int], Target] = {}
    for one in find(book.file, text):
        words = f"{one.layer.name}, unit {one.unit}: {_words(one)}"
        first.setdefault((one.layer.id, one.unit), Target(words=words, layer=one.layer, unit=one.unit))
    return tuple(first.values())


def _words(one: Finding) -> str:
    """By what a unit was found."""
    score = 0.0 if one.score is None else one.score
    return {
        CONCEPT: f"guess {one.said}, score {score:.2f}",
        LABEL: f"label {one.name}, AUC {score:.2f}",
        WORD: f"word {one.name}, AUC {score:.2f}",
        CLASS: f"class {one.name}, {score:.1f} times the mean",
        NOTE: one.name,
    }[one.kind]
