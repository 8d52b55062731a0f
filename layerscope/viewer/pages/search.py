"""What a few words find in a whole atlas: layers, units, names and images, as tiles in groups."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import closest_words
from layerscope.core.errors import UsageError, close_names
from layerscope.core.numbers import counted
from layerscope.core.records import ImageRecord
from layerscope.facts.by_name import IndexedName
from layerscope.facts.finding import CLASS, CONCEPT, LABEL, PEAKS, WORD, Finding, find, holds
from layerscope.facts.layer import guesses
from layerscope.facts.standing import at_peaks
from layerscope.viewer.addresses import Links, SheetKey
from layerscope.viewer.pages.goto import Target, targets
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.representatives import representatives
from layerscope.viewer.shelf import Book

OneT = TypeVar("OneT")
LONGEST_TEXT = 200
# Of each group so many are shown.
MOST_LAYERS, MOST_UNITS, MOST_NAMES, MOST_IMAGES = 24, 60, 24, 24
# So many images are looked for at most.
COUNTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTile:
    """Something that was found: an image, a name that leads to units, a layer, or a unit of it.

    words: what it is. why: by what it was found, or what is known of it; "" where nothing is. sheet: patches that show
    it; photo: where none are kept, the image that excites its unit most. kept: the atlas has a small picture of the
    image.
    """

    words: str
    why: str = ""
    layer: AtlasLayerRecord | None = None
    unit: int | None = None
    image: int | None = None
    name: str = ""
    sheet: SheetKey | None = None
    photo: int | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGroup:
    """Answers of one kind, the likeliest first. found: how many there are, of which these are the first; None where
    nobody counted them."""

    title: str
    found: int | None
    answers: tuple[FoundTile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """text: what was searched for, "" for nothing yet. error: why nothing was found. near: what is called nearly so."""

    text: str
    groups: tuple[AnswerGroup, ...] = ()
    error: str = ""
    near: tuple[str, ...] = ()


def facts(book: Book, query: Query) -> SearchPage:
    """With ?q=WORDS what they find."""
    text = text_of(query)
    error = ""
    try:
        groups = answers(book, text) if text else ()
    except UsageError as refused:
        groups, error = (), str(refused)
    if not text or groups:
        return SearchPage(text=text, groups=groups)
    return SearchPage(text=text, error=error or nothing(book, text), near=near(book, text))


def leads(book: Book, query: Query, link: Links) -> str | None:
    """The address of the one page that the words mean; None where they mean nothing, or several things."""
    text = text_of(query)
    if not text or query.one("format"):
        return None
    try:
        found = [one for group in answers(book, text) for one in group.answers if not one.name]
    except UsageError:
        return None
    if len(found) != 1:
        return None
    (one,) = found
    if one.layer is None:
        return link.page("image", one.image)
    return link.page("layer", one.layer) if one.unit is None else link.page("unit", one.layer, one.unit)


def text_of(query: Query) -> str:
    """What is searched for, in single spaces."""
    return " ".join(query.one("q").split())[:LONGEST_TEXT]


def answers(book: Book, text: str) -> tuple[AnswerGroup, ...]:
    """What a text finds, in groups that are not empty. Raises UsageError for a number that is too large."""
    return book.answered(text, lambda: _answers(book, text))


def _answers(book: Book, text: str) -> tuple[AnswerGroup, ...]:
    try:
        named, refused = targets(book, text), None
    except UsageError as error:
        named, refused = (), error
    if len(named) == 1 and _is_whole(named[0], text):
        # A layer's own name means the layer, whatever else holds it.
        groups = (_layers(book, named), _images(book, named, ()))
    else:
        images = book.file.images_named(text, COUNTED)
        groups = (
            _layers(book, named),
            _names(book, text),
            _units(book, named, find(book.file, text)),
            _images(book, named, images),
        )
    found = tuple(group for group in groups if group is not None)
    if refused is not None and not found:
        raise refused
    return found


def _is_whole(one: Target, text: str) -> bool:
    """Whether a text says nothing else than this target."""
    names = () if one.layer is None else (one.layer.name, one.layer.record.path, *one.layer.record.aliases)
    return one.image is not None or text in names


def _layers(book: Book, named: Iterable[Target]) -> AnswerGroup | None:
    found = [one.layer for one in named if one.layer is not None and one.unit is None]
    return _group("Layers", found, MOST_LAYERS, lambda layer: layer_answer(book, layer))


def layer_answer(book: Book, layer: AtlasLayerRecord) -> FoundTile:
    """A layer with the patches of a unit that stands for it."""
    sheets = [sheet for one in representatives(book, layer, 1) for sheet in one.sheets if sheet.kind == "patches"]
    why = counted(layer.record.units, "unit")
    return FoundTile(words=layer.name, why=why, layer=layer, sheet=next(iter(sheets), None))


def _names(book: Book, text: str) -> AnswerGroup | None:
    """The names that hold the text; not the one that it is, whose units are found anyway."""
    folded = text.casefold()
    found = [one for one in book.names if holds(one.names, folded) and folded not in map(str.casefold, one.names)]
    return _group("Names", found, MOST_NAMES, lambda one: name_answer(book, one))


def name_answer(book: Book, one: IndexedName) -> FoundTile:
    """A name with the patches of its best unit that has any."""
    sheet, photo = picture_of(book, one)
    kind = f"{one.kind}, {one.group}" if one.group else one.kind
    return FoundTile(
        words=one.words,
        why=f"{kind} · {counted(one.images, 'image') if one.images is not None else counted(len(one.units), 'unit')}",
        name=one.words if one.kind == CONCEPT else one.name,
        sheet=sheet,
        photo=photo,
    )


def picture_of(book: Book, one: IndexedName) -> tuple[SheetKey | None, int | None]:
    """The patches of a name's first unit that has any; else an image of the class; else the image that excites its
    first unit most."""
    sheets = (book.sheet(unit.layer, unit.unit, "patches") for unit in one.units)
    sheet = next((sheet for sheet in sheets if sheet is not None), None)
    if sheet is None and one.kind == CLASS and one.name in book.of_classes:
        return None, book.of_classes[one.name]
    photos = (book.photos(unit.layer).get(unit.unit) for unit in one.units) if sheet is None else ()
    return sheet, next((photo for photo in photos if photo is not None), None)


def _units(book: Book, named: Iterable[Target], findings: Iterable[Finding]) -> AnswerGroup | None:
    """Units by number, then by name, each once."""
    found: dict[tuple[int, int], tuple[AtlasLayerRecord, int, str | None]] = {}
    for target in named:
        if target.layer is not None and target.unit is not None:
            found[target.layer.id, target.unit] = target.layer, target.unit, None
    for one in findings:
        found.setdefault((one.layer.id, one.unit), (one.layer, one.unit, why_of(one)))
    return _group("Units", list(found.values()), MOST_UNITS, lambda one: _unit(book, *one))


def _unit(book: Book, layer: AtlasLayerRecord, unit: int, why: str | None) -> FoundTile:
    if why is None:
        why = _called(book, layer, unit)
    sheet = book.sheet(layer, unit, "patches")
    photo = book.photos(layer).get(unit)
    return FoundTile(words=f"{layer.name} {unit}", why=why, layer=layer, unit=unit, sheet=sheet, photo=photo)


def _called(book: Book, layer: AtlasLayerRecord, unit: int) -> str:
    """What a unit is called that was found by its number."""
    peaks = at_peaks(book.file, layer).get(unit)
    if peaks:
        return f"at its peaks: {peaks}"
    best = guesses(book.file.concepts(layer.id)).get(unit)
    return closest_words(best.concept) if best else ""


def why_of(one: Finding) -> str:
    """By what a unit was found."""
    score = 0.0 if one.score is None else one.score
    return {
        CONCEPT: f"at its peaks: {one.at_peaks}" if one.at_peaks else closest_words(one.name, score),
        LABEL: f"label {one.name}, AUC {score:.2f}",
        WORD: f"word {one.name}, AUC {score:.2f}",
        CLASS: f"class {one.name}, {score:.1f} times the mean",
        PEAKS: f"{counted(round(score), 'peak')} of class {one.name}",
    }.get(one.kind, one.name)


def _images(book: Book, named: Iterable[Target], records: Sequence[ImageRecord]) -> AnswerGroup | None:
    """Images by number, then by class or file."""
    numbers = [one.image for one in named if one.image is not None]
    found = {image: book.file.image(image) for image in numbers} | {one.id: one for one in records}
    more = len(records) >= COUNTED
    return _group("Images", list(found.values()), MOST_IMAGES, lambda one: _image(book, one), counts=not more)


def _image(book: Book, image: ImageRecord) -> FoundTile:
    why = " · ".join(part for part in (image.label, file_name(image.source)) if part)
    return FoundTile(words=f"image {image.id}", why=why, image=image.id, kept=book.file.has_picture(image.id))


def file_name(source: str) -> str:
    """The last part of where an image lies."""
    return source.replace("\\", "/").rpartition("/")[2]


def _group(
    title: str, found: Sequence[OneT], most: int, told: Callable[[OneT], FoundTile], *, counts: bool = True
) -> AnswerGroup | None:
    if not found:
        return None
    shown = tuple(told(one) for one in found[:most])
    return AnswerGroup(title=title, found=len(found) if counts else None, answers=shown)


def nothing(book: Book, text: str) -> str:
    """A sentence that says that a text finds nothing, and what can be written."""
    return (
        f'nothing here is called "{text[:60]}": write a layer, a layer and a unit, a number, '
        f"{'a concept, ' if book.dissected else ''}a label, a class, or a part of an image's name"
    )


def near(book: Book, text: str) -> tuple[str, ...]:
    """Names of layers, concepts, labels, words and classes that are called nearly so."""
    every = [layer.name for layer in book.layers] + [name for one in book.names for name in one.names]
    return tuple(close_names(text[:60], dict.fromkeys(every)))
