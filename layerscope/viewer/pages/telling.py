"""A page's facts and its preview, whoever wrote it, and the facts as JSON."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from layerscope.core.errors import AtlasError, LayerscopeError
from layerscope.viewer.pages import PAGES, Page, Query
from layerscope.viewer.pages.previews import Preview
from layerscope.viewer.shelf import Book, Shelf


class GuestFailed(LayerscopeError):
    """A page of another package has a bug."""


def facts_of(page: Page, of: Book | Shelf, query: Query, **parts: Any) -> Any:
    """What stands on a page. of: the book, or the shelf for the page of all. Raises what the page's facts do.

    Whatever else goes wrong in a page of another package is GuestFailed, which names the package.
    """
    return _made(page, lambda: page.facts(of, query, **parts))


def preview_of(page: Page, book: Book | None, facts: Any) -> Preview:
    """What a chat shows of a link to a page: what its row says, or its sentence. Raises as `facts_of`."""
    preview = page.preview
    if preview is None or book is None:
        return Preview(f"{page.sentence[:1].upper()}{page.sentence[1:]}.")
    return _made(page, lambda: preview(book, facts))


def _made(page: Page, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except LayerscopeError:
        raise
    except Exception as failure:
        if page.name in PAGES.own:
            raise
        home = next((found.home for found in PAGES.found() if found.name == page.name), "another package")
        message = f"{type(failure).__name__}: {failure}".splitlines()[0]
        raise GuestFailed(f'the page "{page.name}" of {home} failed: {message}') from failure


def as_json(facts: Any) -> str:
    """A page's facts as they are, not rounded."""
    try:
        return json.dumps(facts, default=_plain, allow_nan=False)
    except ValueError as error:
        raise AtlasError("the atlas is damaged: it holds a number that is not finite, which JSON cannot say") from error


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a kind of records; none of anything else."""
    return tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()


def _plain(value: Any) -> Any:
    # One level at a time: `asdict` copies every value of a page first, which takes longer than writing them.
    if names := _names(type(value)):
        return {name: getattr(value, name) for name in names}
    return value.tolist() if hasattr(value, "tolist") else str(value)
