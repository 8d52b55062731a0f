"""The atlas's images in small, to pick one from: a page of them at a time, and the few around one that is shown."""

from bisect import bisect_left
from dataclasses import dataclass

from layerscope.core.errors import UsageError
from layerscope.viewer.pages.query import Query, whole_number
from layerscope.viewer.shelf import Book

# So many on a page of a server, in an export, which has one such page alone, and around an image that is shown.
ON_A_PAGE, IN_AN_EXPORT, AROUND = 120, 400, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """An image that can be picked. label: its class, or None."""

    image: int
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesPage:
    """All that stands on the page.

    shown: the images on it. first: the place of the first of them among the `pictured` images of which the atlas keeps
    a picture; count: of all images. evenly: those on it are spread over all. previous, next: the first places of the
    pages before and behind, None where there is none.
    """

    network: str
    images: str
    shown: tuple[Thumbnail, ...]
    first: int
    pictured: int
    count: int
    evenly: bool
    previous: int | None
    next: int | None


def has(book: Book) -> bool:
    """Whether the atlas keeps pictures: that of the first peak which there is, looked for among a few units."""
    for layer in book.layers:
        for unit in range(min(layer.record.units, 16)):
            for peak in book.file.peaks(layer.id, unit)[:1]:
                return book.file.has_picture(peak.image)
    return False


def facts(book: Book, query: Query) -> ImagesPage:
    """A page of images, from place `from` on, or with show=spread some that are spread over all.

    Raises UsageError for a place that is none.
    """
    every = book.pictured
    first, evenly = _first(query, len(every)), query.choice("show", ("page", "spread"), "page") == "spread"
    spread = max(1, -(-len(every) // IN_AN_EXPORT))
    chosen = every[::spread] if evenly else every[first : first + ON_A_PAGE]
    return ImagesPage(
        network=book.run.network,
        images=book.run.images,
        shown=_thumbnails(book, chosen),
        first=first,
        pictured=len(every),
        count=book.file.image_count(),
        evenly=evenly and len(chosen) < len(every),
        previous=max(0, first - ON_A_PAGE) if first and not evenly else None,
        next=first + ON_A_PAGE if first + ON_A_PAGE < len(every) and not evenly else None,
    )


def neighbours(book: Book, image: int | None) -> tuple[int | None, int | None]:
    """The images before and behind one, of those with a picture."""
    if image is None:
        return None, None
    every = book.pictured
    place = bisect_left(every, image)
    behind = place + 1 if place < len(every) and every[place] == image else place
    return every[place - 1] if place else None, every[behind] if behind < len(every) else None


def around(book: Book, image: int | None = None) -> tuple[Thumbnail, ...]:
    """A few images to pick from: those around one, or some that are spread over all."""
    every = book.pictured
    if image is None:
        step = max(1, len(every) // AROUND)
        return _thumbnails(book, every[::step][:AROUND])
    first = max(0, min(bisect_left(every, image) - AROUND // 2, len(every) - AROUND))
    return _thumbnails(book, every[first : first + AROUND])


def _first(query: Query, count: int) -> int:
    said = query.one("from") or "0"
    place = whole_number(said)
    if place is None or place >= max(count, 1):
        raise UsageError(f'there are images from place 0 to {max(count - 1, 0)}, and no place "{said[:40]}"')
    return place


def _thumbnails(book: Book, images: tuple[int, ...]) -> tuple[Thumbnail, ...]:
    return tuple(Thumbnail(image=image, label=book.file.image(image).label) for image in images)
