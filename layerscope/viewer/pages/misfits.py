"""The page of misfits: images that do not fit their labels, the least fitting first, with their small pictures."""

from dataclasses import dataclass

from layerscope.facts.misfits import SeenMisfit, seen_misfits
from layerscope.viewer.pages.query import Query
from layerscope.viewer.shelf import Book

MOST = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class MisfitsPage:
    """judged: images whose label could be judged; listed: how many are on the list, of which `images` are the first.

    planted, found: how many got a wrong label in a trial, and the share of these that stood on such a list, 0..1; None
    where there were too few to try. elsewhere: of `images`, those that the atlas does not hold.
    """

    judged: int
    listed: int
    planted: int
    found: float | None
    images: tuple[SeenMisfit, ...]
    elsewhere: int


def facts(book: Book, query: Query) -> MisfitsPage:
    """The list as the atlas keeps it, empty where nobody looked."""
    every, images = book.file.misfits(), seen_misfits(book.file, MOST)
    return MisfitsPage(
        judged=every.judged if every else 0,
        listed=len(every.images) if every else 0,
        planted=every.planted if every else 0,
        found=every.found if every else None,
        images=images,
        elsewhere=sum(one.image is None for one in images),
    )


def has(book: Book) -> bool:
    """Whether any image is on the list."""
    found = book.file.misfits()
    return found is not None and bool(found.images)
