"""The server: addresses to pages and pictures of the atlases on a shelf. Everything is read, nothing ever changed."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from layerscope.core.errors import AtlasError, LayerscopeError, UsageError, nearest
from layerscope.core.version import __version__
from layerscope.viewer import data
from layerscope.viewer.answers import (
    CACHED,
    FRESH,
    base_of,
    error_page,
    leads_to,
    links_of,
    marked,
    unchanged,
    without_paths,
)  # fmt: skip
from layerscope.viewer.engine import Engine
from layerscope.viewer.guard import Door, Guard
from layerscope.viewer.live_socket import live_routes
from layerscope.viewer.pages import PAGES, Page, Query
from layerscope.viewer.pages.goto import targets
from layerscope.viewer.render import ASSETS, asset_marks, assets, look, render
from layerscope.viewer.shelf import Book, Shelf

# Pages are made in threads. More of them than processors make nothing faster, and each holds a page's memory.
AT_ONCE = 8


class Missing(LayerscopeError):
    """An address that names nothing: a 404 with a sentence, and where to go instead."""


def create_app(shelf: Shelf, *, engine: Engine | None = None) -> Starlette:
    """The whole viewer as an ASGI application, without guards (see `guarded`).

    engine: a network that made the shelf's first atlas; with it there are live pages.
    """
    maker = Maker(shelf, live=engine is not None)
    routes: list[BaseRoute] = [] if engine is None else live_routes(shelf, engine)
    routes.append(Route("/static/{name:path}", _asset))
    routes += [Route(page.route, maker.page(page)) for page in PAGES.values()]
    routes += [Route(f"/{{atlas}}/data/{{mark}}/{route}", maker.data(find)) for route, find in data.ROUTES.items()]
    handlers = {HTTPException: _failed, LayerscopeError: maker.sorry, Exception: _bug}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    # Its own redirects name host and scheme, which a proxy may have others of: `_failed` leads there by path.
    app.router.redirect_slashes = False
    return app


def guarded(shelf: Shelf, door: Door, *, engine: Engine | None = None) -> Guard:
    """The viewer behind its gate: what a server serves."""
    return Guard(create_app(shelf, engine=engine), door, post_paths=post_paths(shelf) if engine else ())


def post_paths(shelf: Shelf) -> tuple[str, ...]:
    """Where pictures of one's own may be sent."""
    return (f"/{shelf.slugs[0]}/look",)


class Maker:
    """Makes answers from a shelf, a few at once, each in a thread of its own."""

    def __init__(self, shelf: Shelf, *, live: bool) -> None:
        self.shelf, self.live = shelf, live
        self._places = CapacityLimiter(AT_ONCE)

    def page(self, page: Page) -> Callable[..., Any]:
        """A page as HTML, or with ?format=json as the values that stand on it."""

        def made(request: Request) -> Response:
            book = self._book(request) if "atlas" in request.path_params else None
            mark = self._mark(None if page.shelf else book, base_of(request))
            have = unchanged(request, mark) if mark else None
            return have or marked(self._told(page, request, book), mark)

        return self._in_a_thread(made)

    def data(self, find: data.Find) -> Callable[..., Any]:
        """A picture, a style sheet or a script; under the atlas's present mark it may be kept for ever."""

        def made(request: Request) -> Response:
            book = self._book(request)
            have = unchanged(request, book.mark) if book.finished else None
            if have is not None:
                return have
            found = find(book, request.path_params, links_of(book, base_of(request)))
            if found is None:
                raise Missing("there is nothing of this kind in this atlas")
            # A mark of an older state of the file gets what is there today, but not for ever.
            cached = CACHED if request.path_params["mark"] == book.mark and book.finished else FRESH
            answer = Response(found.content, media_type=found.media, headers=cached)
            return marked(answer, book.mark if book.finished else None)

        return self._in_a_thread(made)

    def _in_a_thread(self, made: Callable[[Request], Response]) -> Callable[..., Any]:
        async def answer(request: Request) -> Response:
            return await to_thread.run_sync(made, request, limiter=self._places)

        return answer

    def _book(self, request: Request) -> Book:
        slug = request.path_params["atlas"]
        if slug not in self.shelf.slugs:
            hint = nearest(slug[:60], self.shelf.slugs) or f"; there are {', '.join(self.shelf.slugs)}"
            raise Missing(f'there is no atlas "{slug[:60]}" here{hint}')
        return self.shelf.book(slug)

    def _mark(self, book: Book | None, base: str) -> str | None:
        """What changes when a page does; None while an atlas is being built or is gone."""
        books = [book] if book is not None else list(self.shelf)
        if (book is None and len(books) < len(self.shelf.slugs)) or not all(one.finished for one in books):
            return None
        return "-".join([*(one.mark for one in books), look(), "live" if self.live else "read", *base.split("/")[1:]])

    def _told(self, page: Page, request: Request, book: Book | None) -> Response:
        query, base = Query.of(request.query_params.multi_items()), base_of(request)
        if page is PAGES["network"] and book is not None and (meant := _meant(book, query.one("go"), base)):
            return RedirectResponse(meant, 303, headers=FRESH)
        parts = {name: value for name, value in request.path_params.items() if name != "atlas"}
        parts |= {"shelf": self.shelf} if page.shelf else {}
        try:
            facts = page.facts(self.shelf if book is None else book, query, **parts)
        except UsageError as error:
            raise Missing(str(error)) from error
        if query.one("format") == "json":
            return Response(_json(facts), media_type="application/json", headers=FRESH)
        values = {"book": book, "shelf": self.shelf, "live": self.live}
        values |= {"link": links_of(book, base), "links_of": partial(links_of, base=base)}
        return HTMLResponse(render(page.template, page=facts, **values), headers=FRESH)

    async def sorry(self, request: Request, error: Exception) -> Response:
        """What is missing is a 404; an atlas that was removed, cut or is only begun is a 503: it may come back."""
        paths = [self.shelf.path(slug) for slug in self.shelf.slugs]
        words = without_paths(str(error), [(str(path), path.name) for path in paths])
        return error_page(503 if isinstance(error, AtlasError) else 404, words, base=base_of(request))


def _meant(book: Book, text: str, base: str) -> str | None:
    """The address of what "go to" means; None where it means nothing, or several things: the page then says which."""
    try:
        found = targets(book, text.strip()[:200]) if text.strip() else ()
    except UsageError:
        return None
    if len(found) != 1:
        return None
    (one,), link = found, links_of(book, base)
    if one.layer is None:
        return None if one.image is None else link.image(one.image)
    return link.layer(one.layer) if one.unit is None else link.unit(one.layer, one.unit)


def _json(facts: Any) -> str:
    """A page's facts as they are, not rounded."""
    try:
        return json.dumps(asdict(facts), default=_plain, allow_nan=False)
    except ValueError as error:
        raise AtlasError("this atlas is damaged: it holds numbers that are not finite") from error


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in assets():
        raise Missing("there is no such file in the viewer")
    mark = asset_marks()[name]
    cached = CACHED if request.query_params.get("v") == mark else FRESH
    answer = Response(assets()[name], media_type=ASSETS[name.rpartition(".")[2]], headers=cached)
    return unchanged(request, mark) or marked(answer, mark)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and (other := _other_slash(request)) is not None:
        return leads_to(other, request.scope["query_string"].decode("latin-1"))
    words = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
    return error_page(error.status_code, words, base=base_of(request), headers=error.headers)


def _other_slash(request: Request) -> str | None:
    """The path of a page that there is with a slash more or less at its end; None where there is none."""
    path = request.scope["path"]
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    asked = {**request.scope, "path": other}
    return other if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes) else None


async def _bug(request: Request, error: Exception) -> Response:
    """A bug is told on stderr, where the server then shows its lines; the browser learns only that there is one."""
    where = repr(request.url.path)
    print(f"layerscope {__version__}: a bug; please report it with these lines and {where}", file=sys.stderr)
    words = "a bug of layerscope kept this page from being made; where it was started it says more"
    return error_page(500, words, base=base_of(request))
