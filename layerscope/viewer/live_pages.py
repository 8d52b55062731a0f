"""The pages that need the network: the live page, and a picture of one's own, or of the atlas, at every layer."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from layerscope.atlas.codecs import decode, encode
from layerscope.core.codecs import CODECS, FOR_BROWSERS
from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.core.live import Portrait
from layerscope.sources.received import UPLOADED
from layerscope.viewer.addresses import ServerLinks
from layerscope.viewer.answers import base_of, links_of
from layerscope.viewer.engine import Engine
from layerscope.viewer.frames import PICTURE_BYTES
from layerscope.viewer.gallery import Gallery
from layerscope.viewer.pages import live as live_page
from layerscope.viewer.pages import look as look_page
from layerscope.viewer.pages.query import Query
from layerscope.viewer.render import render
from layerscope.viewer.shelf import Book, Shelf

FRESH = {"Cache-Control": "no-cache"}
# The browser may ask for the camera here and nowhere else.
CAMERA = {**FRESH, "Permissions-Policy": "camera=(self)"}
IMAGE_KEY = "image-"
GONE = "this picture is kept here no longer: pictures of your own live as long as the server, the newest 16 of them"


def page_routes(shelf: Shelf, slug: str, engine: Engine) -> list[BaseRoute]:
    """The addresses of these pages. slug: of the atlas that the network made."""
    looks = Looks(shelf, slug, engine)
    return [
        Route("/{atlas}/live", _threaded(looks.live)),
        Route("/{atlas}/look", looks.receive, methods=["POST"]),
        Route("/{atlas}/look", _threaded(looks.image)),
        Route("/{atlas}/look/{key}", _threaded(looks.page)),
        Route("/{atlas}/look/{key}/picture.png", _threaded(looks.picture)),
        Route("/{atlas}/look/{key}/{layer:int}/{unit:int}/{method}.png", _threaded(looks.tile)),
    ]


def _threaded(made: Callable[[Request], Response]) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(made, request)

    return answer


class Looks:
    """One network over one atlas, and the pictures that were looked at."""

    def __init__(self, shelf: Shelf, slug: str, engine: Engine) -> None:
        self._shelf, self._slug, self._engine = shelf, slug, engine
        self._gallery = Gallery(engine.whole)

    def _book(self, request: Request) -> Book:
        if request.path_params["atlas"] != self._slug:
            raise UsageError(f'no network was given for this atlas; there is one for "{self._slug}"')
        return self._shelf.book(self._slug)

    def live(self, request: Request) -> Response:
        book = self._book(request)
        link = links_of(book, base_of(request))
        page = live_page.facts(book, self._engine, link)
        if request.query_params.get("format") == "json":
            told = {**asdict(page), "socket": link.live_socket(), "look": link.look()}
            return JSONResponse(told, headers=CAMERA)
        text = render("live.html", page=page, book=book, shelf=self._shelf, link=link, live=True)
        return HTMLResponse(text, headers=CAMERA)

    def image(self, request: Request) -> Response:
        """An image of the atlas; without ?image= the live page, where pictures are chosen."""
        book, query = self._book(request), Query.of(request.query_params.multi_items())
        wanted = query.one("image")
        if not wanted:
            return RedirectResponse(links_of(book, base_of(request)).live(), 303)
        image = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else -1
        key = f"{IMAGE_KEY}{book.file.image(image).id}"
        return self._shown(book, query, key, image, base_of(request))

    def page(self, request: Request) -> Response:
        """A picture that was sent."""
        query, key = Query.of(request.query_params.multi_items()), request.path_params["key"]
        return self._shown(self._book(request), query, key, None, base_of(request))

    def _shown(self, book: Book, query: Query, key: str, image: int | None, base: str) -> Response:
        portrait = self._portrait(book, key)
        page = look_page.facts(book, query, portrait, key=key, methods=tuple(self._engine.methods), image=image)
        if query.one("format") == "json":
            return JSONResponse(asdict(page), headers=FRESH)
        link = links_of(book, base)
        text = render("look.html", page=page, book=book, shelf=self._shelf, link=link, live=True, src=Served(link, key))
        return HTMLResponse(text, headers=FRESH)

    def picture(self, request: Request) -> Response:
        """What the network got of a picture."""
        return _png(self._portrait(self._book(request), request.path_params["key"]).picture)

    def tile(self, request: Request) -> Response:
        """A unit's projection in a picture."""
        book, asked = self._book(request), request.path_params
        name = next((layer.name for layer in book.layers if layer.id == asked["layer"]), None)
        for layer in self._portrait(book, asked["key"]).layers:
            for one in layer.firings:
                if layer.layer == name and one.unit == asked["unit"] and asked["method"] in one.tiles:
                    return _png(one.tiles[asked["method"]])
        raise UsageError("there is no such projection in this picture")

    def _portrait(self, book: Book, key: str) -> Portrait:
        """What is seen in a picture of this key; those of the atlas are looked at again where they were let go."""
        if key.startswith(IMAGE_KEY) and self._gallery.find(key) is None:
            number = key.removeprefix(IMAGE_KEY)
            known = number.isascii() and number.isdigit() and len(number) < 10
            self._gallery.add(small_copy(book, int(number) if known else -1), key)
        found = self._gallery.find(key)
        if found is None:
            raise UsageError(GONE)
        return found

    async def receive(self, request: Request) -> Response:
        """A picture as the body: JPEG or PNG, at most 8 MiB; answers where it is shown."""
        try:
            link = links_of(await run_in_threadpool(self._book, request), base_of(request))
            picture = await body_of(request)
            if picture is None:
                return _sorry(413, f"a picture has at most {PICTURE_BYTES // 2**20} MiB")
            key = await run_in_threadpool(self._gallery.add, picture)
        except ClientDisconnect:
            return Response(status_code=400)
        except ImageError as error:
            return _sorry(415, str(error))
        except LayerscopeError as error:
            return _sorry(503, str(error))
        return JSONResponse({"address": link.look(key)}, headers=FRESH)


class Served:
    """Where the pictures of a looked-at picture are, for its template."""

    def __init__(self, link: ServerLinks, key: str) -> None:
        self.sheet, self.unit = link.sheet, link.unit
        self._link, self._key = link, key

    def picture(self) -> str:
        return self._link.look_picture(self._key)

    def tile(self, layer: Any, unit: int, method: str) -> str:
        return self._link.look_tile(self._key, layer, unit, method)


def small_copy(book: Book, image: int) -> bytes:
    """An image's small copy as JPEG or PNG. Raises UsageError where the atlas has none."""
    found = book.file.encoded_picture(book.file.image(image).id)
    if found is None:
        raise UsageError(f"the atlas keeps no picture of image {image}: no unit has a peak in it, or it keeps none")
    if CODECS.known(found.codec).format in UPLOADED:
        return found.pixels
    return encode(decode(found.pixels, found.codec), FOR_BROWSERS)


async def body_of(request: Request) -> bytes | None:
    """The body, or None as soon as it is seen to be too long for a picture."""
    said = request.headers.get("content-length", "0")
    if not said.isdigit() or int(said) > PICTURE_BYTES:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > PICTURE_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _png(content: bytes) -> Response:
    return Response(content, media_type="image/png", headers=FRESH)


def _sorry(status: int, sentence: str) -> Response:
    return JSONResponse({"sorry": sentence}, status_code=status, headers=FRESH)
