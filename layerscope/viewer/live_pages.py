"""What a server with a network has besides pages: pictures of one's own come in, and what is seen in them goes out."""

from dataclasses import replace
from urllib.parse import urlencode

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from layerscope.core.errors import ImageError, LayerscopeError, UsageError
from layerscope.viewer.addresses import PATCH, ServerLinks
from layerscope.viewer.answers import FRESH, base_of, links_of
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.frames import PICTURE_BYTES
from layerscope.viewer.gallery import Gallery, key_of
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.query import whole_number
from layerscope.viewer.shelf import Book, Shelf
from layerscope.viewer.threads import Threads

# How a picture that was sent begins, and what it is.
MEDIA = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class LivePages:
    """A network over one atlas of a shelf, and the pictures that were looked at. slug: of the atlas."""

    def __init__(self, shelf: Shelf, engine: LiveEngine) -> None:
        self.slug, self.engine = shelf.slugs[0], engine
        self.gallery = Gallery(engine.whole, engine.whole_image, engine.unit_tiles)
        self._shelf = shelf

    def book(self, slug: str) -> Book:
        """The atlas. Raises UsageError for another one's name."""
        if slug != self.slug:
            raise UsageError(f'no network was given for this atlas; there is one for "{self.slug}"')
        return self._shelf.book(self.slug)

    def upload(self, link: ServerLinks) -> str:
        """Where pictures of one's own are sent to, from a page of any atlas. link: that page's."""
        return replace(link, slug=self.slug).upload()

    def routes(self, threads: Threads) -> list[BaseRoute]:
        """The addresses of what its pages load, and where pictures are sent."""
        return [
            Route("/{atlas}/look", self.receive, methods=["POST"]),
            Route("/{atlas}/look", threads.run(self.image)),
            Route("/{atlas}/look/{key}/picture.png", threads.run(self.picture)),
            Route("/{atlas}/look/{key}/sent", threads.run(self.sent)),
            Route("/{atlas}/look/{key}/{layer:int}/{unit:int}/{method}.png", threads.run(self.tile)),
            Route("/{atlas}/tiles/{layer:int}/{unit:int}/{rank:int}/{kind}.png", threads.run(self.made_tile)),
        ]

    def _book(self, request: Request) -> Book:
        return self.book(request.path_params["atlas"])

    def image(self, request: Request) -> Response:
        """To an image of the atlas, by ?image=; without one to the live page, where pictures are chosen."""
        book, query = self._book(request), Query.of(request.query_params.multi_items())
        wanted, link = query.one("image"), links_of(self._book(request), base_of(request))
        if not wanted:
            return RedirectResponse(link.page("live"), 303)
        image = whole_number(wanted)
        rest = [(name, word) for name, word in query.items if name != "image"]
        address = link.page("look", key_of(book.file.image(-1 if image is None else image).id))
        return RedirectResponse(f"{address}?{urlencode(rest)}" if rest else address, 303)

    def picture(self, request: Request) -> Response:
        """What the network got of a picture."""
        return _png(self.gallery.portrait(self._book(request), request.path_params["key"]).picture)

    def sent(self, request: Request) -> Response:
        """A picture of one's own as it was sent."""
        self._book(request)
        content = self.gallery.sent(request.path_params["key"])
        kind = next(kind for start, kind in MEDIA.items() if content.startswith(start))
        return Response(content, media_type=kind, headers=FRESH)

    def tile(self, request: Request) -> Response:
        """A unit's projection in a picture."""
        book, asked = self._book(request), request.path_params
        name = next((layer.name for layer in book.layers if layer.id == asked["layer"]), None)
        for layer in self.gallery.portrait(book, asked["key"]).layers:
            for one in layer.firings:
                if layer.layer == name and one.unit == asked["unit"] and asked["method"] in one.tiles:
                    return _png(one.tiles[asked["method"]])
        raise UsageError("there is no such projection in this picture")

    def made_tile(self, request: Request) -> Response:
        """A tile of a unit that was made now: its patch, or its projection by a method."""
        book, asked = self._book(request), request.path_params
        name = next((layer.name for layer in book.layers if layer.id == asked["layer"]), "")
        for one in self.gallery.tiles(name, asked["unit"]):
            found = one.patch if asked["kind"] == PATCH else one.tiles.get(asked["kind"])
            if one.rank == asked["rank"] and found is not None:
                return _png(found)
        raise UsageError("there is no such tile of this unit")

    async def receive(self, request: Request) -> Response:
        """A picture as the body: JPEG or PNG, at most 8 MiB; answers where it is shown, and its key.

        With ?keep it is only kept, and looked at when its page is asked for.
        """
        try:
            link = links_of(await to_thread.run_sync(self._book, request), base_of(request))
            picture = await body_of(request)
            if picture is None:
                return _error(413, f"a picture has at most {PICTURE_BYTES // 2**20} MiB")
            take = self.gallery.keep if "keep" in request.query_params else self.gallery.add
            key = await to_thread.run_sync(take, picture)
        except ClientDisconnect:
            return Response(status_code=400)
        except ImageError as error:
            return _error(415, str(error))
        except LayerscopeError as error:
            return _error(503, str(error))
        return JSONResponse({"address": link.page("look", key), "key": key}, headers=FRESH)


async def body_of(request: Request) -> bytes | None:
    """The body, or None as soon as it is seen to be too long for a picture."""
    said = request.headers.get("content-length", "0")
    length = whole_number(said)
    if length is None or length > PICTURE_BYTES:
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


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status, headers=FRESH)
