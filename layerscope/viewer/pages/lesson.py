"""The lesson: an atlas's first page, chapter by chapter from lines to whole things, questions before answers."""

from dataclasses import dataclass
from urllib.parse import urlencode

from layerscope.lesson.lesson import Lesson, lesson_of
from layerscope.viewer.addresses import Links
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonPage:
    """What stands on it. images: in words. input: height and width of what the network gets, px. layers: all of the
    atlas; units: of all these."""

    images: str
    input: tuple[int, int]
    layers: int
    units: int
    lesson: Lesson


def facts(book: Book, query: Query) -> LessonPage:
    """What the layers of an atlas see."""
    run = book.run
    return LessonPage(
        images=run.images,
        input=(run.input.height, run.input.width),
        layers=len(book.layers),
        units=sum(layer.record.units for layer in book.layers),
        lesson=book.made("lesson", lambda: lesson_of(book.file)),
    )


def leads(book: Book, query: Query, link: Links) -> str | None:
    """Where ?go=WORDS leads, which was asked of this address before there was a page that searches."""
    text = query.one("go").strip()[:200]
    return f"{link.page('search')}?{urlencode({'q': text})}" if text else None
