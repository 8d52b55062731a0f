"""What a chat or a search engine shows of a link to a page: a sentence or two, and a picture."""

from typing import TYPE_CHECKING, NamedTuple

from layerscope.core.concept_words import CLOSEST, closest_words
from layerscope.core.numbers import counted, in_words
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.shelf import Book

if TYPE_CHECKING:
    from layerscope.viewer.pages.image import ImagePage
    from layerscope.viewer.pages.layer import LayerPage
    from layerscope.viewer.pages.lesson import LessonPage
    from layerscope.viewer.pages.network import NetworkPage
    from layerscope.viewer.pages.unit import UnitPage


class Preview(NamedTuple):
    """said: what stands on the page, in a sentence or two. picture: a unit's tiles, or the number of an image whose
    thumbnail it is; None without one. units: of which a figure can be drawn, in the order on the page."""

    said: str
    picture: SheetKey | int | None = None
    units: tuple[int, ...] = ()


def of_lesson(book: Book, page: "LessonPage") -> Preview:
    """The last chapter's first unit with tiles: what a network sees in the end tells most of it."""
    lesson = page.lesson
    units = [(one.layer, unit.unit) for one in lesson.chapters[::-1] for unit in one.units]
    tiles = (book.sheet(*one, "patches") or book.own_projections(*one) for one in units)
    titles = [one.title.lower() for one in lesson.chapters if one.theme is not None]
    way = f": {', '.join(titles)}" if titles else ""
    said = f"What the layers of {lesson.network} see in {counted(lesson.images, 'image')}{way}."
    return Preview(said, next((one for one in tiles if one is not None), None))


def of_network(book: Book, page: "NetworkPage") -> Preview:
    """The deepest layer's first cover: what a network sees in the end tells most of it."""
    covers = [unit.sheets[0] for layer in page.layers for unit in layer.units if unit.sheets]
    layers = counted(len(page.layers), "layer")
    said = f"What each of {page.units:,} units in {layers} of {page.network} responds to, over {page.scanned:,} images."
    return Preview(said, covers[-1] if covers else None)


def of_layer(book: Book, page: "LayerPage") -> Preview:
    """Its first unit with tiles."""
    shown = tuple(row.unit for section in page.sections for row in section.units if row.shown)
    kind, method, view = page.sheets[0] if page.sheets else ("", "", "")
    first = (
        SheetKey(layer=page.layer.id, unit=shown[0], kind=kind, method=method, view=view) if shown and kind else None
    )
    named = f" {page.named:,} of them have a {CLOSEST}." if page.named else ""
    said = (
        f"{counted(page.layer.record.units, 'unit')} of {page.layer.name} of {book.run.network}, each with the "
        f"{in_words(book.run.k)} image patches that excite it most of {page.images:,} images.{named}"
    )
    return Preview(said, first, shown if first else ())


def of_unit(book: Book, page: "UnitPage") -> Preview:
    """Its patches, or where those are left out its projections."""
    tiles = page.patches or (page.looks[0].sheet if page.looks else None)
    if page.standing and page.standing.kinds:
        name = f" At its peaks: {page.standing.kinds}."
    elif page.guess:
        name = f" {closest_words(page.guess.concept, page.guess.score, begins=True)}."
    else:
        name = f" Fires most for {', '.join(page.most_for)}." if page.most_for else ""
    beside = ", beside what in them it responds to" if page.looks else ""
    what = f"the {in_words(len(page.peaks))} of {page.of_images:,} images that excite it most{beside}"
    said = (
        f"Unit {page.unit} of {page.layer.name} of {page.network}: {what if page.peaks else 'it has no peaks'}.{name}"
    )
    return Preview(said, tiles, (page.unit,) if tiles else ())


def of_image(book: Book, page: "ImagePage") -> Preview:
    """The image itself."""
    label = "" if page.image.label is None else f", class {page.image.label}"
    among = f"among their {in_words(page.k)} highest"
    said = f"Image {page.image.id}{label}: which of {book.run.network}'s units count it {among}, and where in it."
    return Preview(said, page.image.id if page.kept else None)
