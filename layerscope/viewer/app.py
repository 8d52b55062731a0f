"""The server: addresses to pages and pictures of the atlases on a shelf. Everything is read, nothing ever changed."""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from layerscope.core.errors import AtlasError, LayerscopeError, UsageError, close_names, nearest
from layerscope.core.names import without_paths
from layerscope.core.version import __version__
from layerscope.viewer import data
from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.answers import (
    CACHED,
    FRESH,
    base_of,
    error_page,
    leads_to,
    links_of,
    marked,
    unchanged,
)  # fmt: skip
from layerscope.viewer.drawing import Drawings
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.guard import Door, Guard
from layerscope.viewer.live_pages import LivePages
from layerscope.viewer.live_socket import socket_route
from layerscope.viewer.near import Suggestion, suggestions
from layerscope.viewer.pages import PAGES, Page, Query, all_pages
from layerscope.viewer.pages.telling import GuestFailed, as_json, facts_of
from layerscope.viewer.render import ASSETS, asset_marks, assets, look, render
from layerscope.viewer.sharing import DRAWN, objects_of, sharing_of
from layerscope.viewer.shelf import Book, Shelf
from layerscope.viewer.threads import Threads

# How the parts of a page's address are matched; all others are words.
PATTERNS = {"unit": "{unit:int}", "image": "{image:int}"}


class Missing(LayerscopeError):
    """An address that names nothing: a 404 with a sentence, and where to go instead."""


def create_app(shelf: Shelf, *, engine: LiveEngine | None = None) -> Starlette:
    """The whole viewer as an ASGI application, without guards (see `guarded`).

    engine: a network that made the shelf's first atlas; with it there are live pages.
    """
    network = None if engine is None else LivePages(shelf, engine)
    maker = Maker(shelf, network)
    routes: list[BaseRoute] = []
    if network is not None:
        routes += [socket_route(network.slug, network.engine), *network.routes(maker.threads)]
    routes.append(Route("/static/{name:path}", _asset))
    routes += [Route(route_of(page), maker.page(page)) for page in all_pages() if network or not page.live]
    routes += [Route(f"/{{atlas}}/data/{{mark}}/{route}", maker.data(find)) for route, find in data.ROUTES.items()]
    routes += [Route(f"{route_of(PAGES.known(name))}/figure.{{kind}}", maker.figure()) for name in DRAWN]
    handlers = {HTTPException: maker.failed, LayerscopeError: maker.refused, Exception: _bug}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    # Its own redirects name host and scheme, which a proxy may have others of: `Maker.failed` leads there by path.
    app.router.redirect_slashes = False
    return app


def route_of(page: Page) -> str:
    """A page's address as a pattern: units and images are numbers."""
    if page.scope == "shelf":
        return "/"
    return "/{atlas}/" + page.address({part: PATTERNS.get(part, f"{{{part}}}") for part in page.parts})


def guarded(shelf: Shelf, door: Door, *, engine: LiveEngine | None = None) -> Guard:
    """The viewer behind its gate: what a server serves."""
    return Guard(create_app(shelf, engine=engine), door, post_paths=post_paths(shelf) if engine else ())


def post_paths(shelf: Shelf) -> tuple[str, ...]:
    """Where pictures of one's own may be sent."""
    return (f"/{shelf.slugs[0]}/look",)


class Maker:
    """Makes answers from a shelf, a few at once, each in a thread of its own."""

    def __init__(self, shelf: Shelf, network: LivePages | None) -> None:
        self.shelf, self.network = shelf, network
        self.threads = Threads()
        # A figure takes so long that a few would keep pages waiting.
        self.drawings, self.drawing_threads = Drawings(), Threads(1)

    def page(self, page: Page) -> Callable[..., Any]:
        """A page as HTML, or with ?format=json as the values that stand on it."""

        def made(request: Request) -> Response:
            book = self._book_of(page, request)
            mark = self._mark(None if "shelf" in page.asks else book, base_of(request)) if not page.live else None
            have = unchanged(request, mark) if mark else None
            return have or marked(self._answer(page, request, book), mark)

        return self.threads.run(made)

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

        return self.threads.run(made)

    def figure(self) -> Callable[..., Any]:
        """A figure of the units on a page; it stays as it is while the atlas does."""

        def made(request: Request) -> Response:
            book, query = self._book(request), Query.of(request.query_params.multi_items())
            mark = self._mark(book, base_of(request))
            have = unchanged(request, mark) if mark else None
            if have is not None:
                return have
            parts = {name: part for name, part in request.path_params.items() if name != "atlas"}
            found = self.drawings.find(book, query, parts.pop("kind"), **parts)
            return marked(Response(found.content, media_type=found.media, headers=FRESH), mark)

        return self.drawing_threads.run(made)

    def _book_of(self, page: Page, request: Request) -> Book | None:
        """The atlas of a page; None for the page of all."""
        if page.scope == "shelf":
            return None
        if page.live and self.network is not None and request.path_params["atlas"] in self.shelf.slugs:
            return self.network.book(request.path_params["atlas"])
        return self._book(request)

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
        return "-".join(
            [*(one.mark for one in books), look(), "live" if self.network else "read", *base.split("/")[1:]]
        )

    def _answer(self, page: Page, request: Request, book: Book | None) -> Response:
        query, link = Query.of(request.query_params.multi_items()), links_of(book, base_of(request))
        if page.leads is not None and (address := page.leads(self.shelf if book is None else book, query, link)):
            return RedirectResponse(address, 303, headers=FRESH)
        facts = self._facts(page, request, query, book, link)
        headers = {**FRESH, **page.headers}
        if query.one("format") == "json":
            return Response(as_json(facts), media_type="application/json", headers=headers)
        values = {"book": book, "shelf": self.shelf, "live": self.network is not None, "link": link}
        values |= {"upload": "" if self.network is None else self.network.upload(link)}
        values |= {"links_of": partial(links_of, base=base_of(request))}
        of = objects_of(page, book, request.path_params)
        values |= {"sharing": sharing_of(page, of, facts, book, link, query)}
        return HTMLResponse(render(page.source, page=facts, **values), headers=headers)

    def _facts(self, page: Page, request: Request, query: Query, book: Book | None, link: ServerLinks) -> Any:
        parts = {name: value for name, value in request.path_params.items() if name != "atlas"}
        offered: dict[str, Any] = {"shelf": self.shelf, "link": link}
        if self.network is not None:
            offered |= {"engine": self.network.engine, "gallery": self.network.gallery}
        try:
            asked = {name: offered[name] for name in page.asks}
            return facts_of(page, self.shelf if book is None else book, query, **parts, **asked)
        except UsageError as error:
            raise Missing(str(error)) from error

    async def refused(self, request: Request, error: Exception) -> Response:
        """What is missing is a 404; an atlas that was removed, cut or is only begun is a 503: it may come back."""
        paths = [self.shelf.path(slug) for slug in self.shelf.slugs]
        words = without_paths(str(error), [(str(path), path.name) for path in paths])
        status = 500 if isinstance(error, GuestFailed) else 503 if isinstance(error, AtlasError) else 404
        return await self._said(request, status, words)

    async def failed(self, request: Request, error: Exception) -> Response:
        """No route, or another method: what HTTP has a status for."""
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and (other := _other_slash(request)) is not None:
            return leads_to(other, request.scope["query_string"].decode("latin-1"))
        words = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
        return await self._said(request, error.status_code, words, error.headers)

    async def _said(
        self, request: Request, status: int, words: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """An error in words. What is missing in an atlas keeps its place: the head, and what may have been meant."""
        base = base_of(request)
        if status == 404:
            with suppress(LayerscopeError):
                return await to_thread.run_sync(self._lost, request, words, base)
        return error_page(status, words, base=base, headers=headers)

    def _lost(self, request: Request, words: str, base: str) -> Response:
        slug, *parts = _parts(request)
        if slug not in self.shelf.slugs:
            near = tuple(Suggestion(one, f"{base}/{one}/") for one in close_names(slug[:60], self.shelf.slugs))
            return error_page(404, words, base=base, near=near)
        book = self.shelf.book(slug)
        near = suggestions(book, links_of(book, base), parts)
        return error_page(404, words, base=base, book=book, near=near, live=self.network is not None)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in assets():
        raise Missing("there is no such file in the viewer")
    mark = asset_marks()[name]
    cached = CACHED if request.query_params.get("v") == mark else FRESH
    answer = Response(assets()[name], media_type=ASSETS[name.rpartition(".")[2]], headers=cached)
    return unchanged(request, mark) or marked(answer, mark)


def _parts(request: Request) -> list[str]:
    """What stands between the slashes of an address, below the server's base; one part at least."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path.strip("/").split("/")


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
