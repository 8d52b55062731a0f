"""What goes back to a browser besides pages: plain errors, redirects, and "you have it already"."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.near import Suggestion
from layerscope.viewer.render import asset_marks, render
from layerscope.viewer.shelf import Book

CACHED = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}


def base_of(request: HTTPConnection) -> str:
    """The path below which this server's pages lie, as it stands in addresses."""
    return quote(request.scope.get("root_path", ""))


def links_of(book: Book | None, base: str = "") -> ServerLinks:
    """The addresses of an atlas, or those that are of none. base: see `base_of`."""
    slug, mark = ("", "") if book is None else (book.slug, book.mark)
    return ServerLinks(slug, mark, asset_marks(), base)


def leads_to(path: str, query: str = "") -> RedirectResponse:
    """To another page of this server. path: not quoted. query: without its "?".

    The address names no host: a proxy before us may have another, and speak https. A path that began with two slashes
    would name one, so it begins with one.
    """
    found = "/" + quote(path.lstrip("/\\"), safe="/") + (f"?{query}" if query else "")
    return RedirectResponse(found, status_code=303)


def error_page(
    status: int,
    words: str,
    *,
    base: str = "",
    headers: Mapping[str, str] | None = None,
    book: Book | None = None,
    near: Sequence[Suggestion] = (),
    live: bool = False,
) -> HTMLResponse:
    """A page that says in words, without a full stop, what went wrong and what to do.

    book: of whose head it stands below. near: what the address may have meant. live: the head leads to live pages.
    """
    about = {"status": status, "words": words, "near": near, "page": None, "book": book, "live": live}
    text = render("error.html", **about, link=links_of(book, base))
    return HTMLResponse(text, status, headers={**FRESH, **(headers or {})})


def unchanged(request: Request, mark: str) -> Response | None:
    """A 304 where the browser has the state of this mark already."""
    for line in request.headers.getlist("if-none-match"):
        if any(one.strip().removeprefix("W/") in ("*", f'"{mark}"') for one in line.split(",")):
            return Response(status_code=304, headers={"ETag": f'"{mark}"', **FRESH})
    return None


def marked(answer: Response, mark: str | None) -> Response:
    """The answer with the mark of the state that it shows; None for a state that may change at any time."""
    if mark is not None:
        answer.headers["ETag"] = f'"{mark}"'
    return answer
