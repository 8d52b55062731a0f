"""The live connection: pictures and requests come in, answers go out, and no client can make the server hold much.

Kept per viewer: its newest picture, its newest question, its request and one answer. An answer that a slow client has
not taken holds back only its own next one.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from layerscope.core.errors import LayerscopeError
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.frames import (
    REQUEST_BYTES,
    Message,
    MessageFlag,
    MessageKind,
    Refused,
    image_number,
    pack,
    pack_result,
    unpack,
)
from layerscope.viewer.live_requests import first_request, read_request
from layerscope.viewer.looking import response_of
from layerscope.viewer.turns import SEATS, Seat, Turns

# A viewer that asks nothing for so long is let go; its page connects again when it has something to ask.
IDLE_SECONDS = 900.0
# A client that takes nothing for so long has gone or is stuck.
SEND_SECONDS = 30.0
# Close codes: RFC 6455's for what is senseless or too long or too much, one of our own for idleness.
SENSELESS, TOO_LONG, TRY_LATER, IDLE = 1003, 1009, 1013, 4000
FULL = f"{SEATS} viewers are watching already; close one of their pages, then reload this one"


def socket_route(slug: str, engine: LiveEngine) -> BaseRoute:
    """The live connection of a network of this atlas."""
    return WebSocketRoute("/{atlas}/live/socket", socket_of(slug, engine, Turns(looks_of(engine))))


def looks_of(engine: LiveEngine) -> Callable[[Message, Message, Any], bytes]:
    """How the network answers a viewer: a RESULT as bytes; a picture that cannot be used ends in the engine's error."""

    def look(picture: Message, asked: Message, request: Any) -> bytes:
        if picture.kind == MessageKind.IMAGE:
            found = engine.look_at_image(image_number(picture.body), request)
        else:
            found = engine.look(picture.body, request, frame=not picture.flags & MessageFlag.PICTURE)
        response, pictures = response_of(found)
        body = pack_result(response, pictures)
        return pack(Message(kind=MessageKind.RESULT, number=asked.number, clock=asked.clock, body=body))

    return look


def socket_of(slug: str, engine: LiveEngine, turns: Turns) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint of one network's live connection."""

    async def endpoint(websocket: WebSocket) -> None:
        if websocket.path_params["atlas"] != slug:
            await websocket.close(SENSELESS, "no network was given for this atlas")
            return
        await websocket.accept()
        loop, answers = asyncio.get_running_loop(), asyncio.Queue[tuple[Message, bytes | str]]()

        def deliver(asked: Message, answer: bytes | str) -> None:
            # The connection's loop may have ended while its last picture was looked at.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(answers.put_nowait, (asked, answer))

        seat = turns.join(first_request(engine), deliver)
        if seat is None:
            await _error(websocket, FULL)
            await websocket.close(TRY_LATER, FULL)
            return
        try:
            await _first(_receive(websocket, engine, turns, seat), _send(websocket, turns, seat, answers))
        finally:
            turns.leave(seat)

    return endpoint


async def _first(*both: Awaitable[None]) -> None:
    """Run until one of these ends; the other is stopped with it."""
    async with anyio.create_task_group() as tasks:

        async def run(one: Awaitable[None]) -> None:
            with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
                await one
            tasks.cancel_scope.cancel()

        for one in both:
            tasks.start_soon(run, one)


async def _receive(websocket: WebSocket, engine: LiveEngine, turns: Turns, seat: Seat) -> None:
    while True:
        try:
            with anyio.fail_after(IDLE_SECONDS):
                message = await websocket.receive()
        except TimeoutError:
            await websocket.close(IDLE, "nothing was asked for a while")
            return
        if message["type"] == "websocket.disconnect":
            return
        try:
            await _taken(message, websocket, engine, turns, seat)
        except Refused as refused:
            await websocket.close(refused.code, refused.reason[:120])
            return


async def _taken(message: Any, websocket: WebSocket, engine: LiveEngine, turns: Turns, seat: Seat) -> None:
    """One message: a picture or question is put in line, a request is kept. Raises Refused."""
    text, data = message.get("text"), message.get("bytes")
    if text is None:
        asked = unpack(data or b"")
        if asked.kind == MessageKind.RESULT:
            raise Refused(SENSELESS, "results come from the server only")
        turns.ask(seat, asked)
        return
    if len(text.encode(errors="replace")) > REQUEST_BYTES:
        raise Refused(TOO_LONG, f"a request has at most {REQUEST_BYTES} bytes")
    try:
        seat.request = read_request(text, engine)
    except LayerscopeError as error:
        with anyio.fail_after(SEND_SECONDS):
            await _error(websocket, str(error))


async def _send(websocket: WebSocket, turns: Turns, seat: Seat, answers: Any) -> None:
    while True:
        asked, answer = await answers.get()
        with anyio.fail_after(SEND_SECONDS):
            if isinstance(answer, bytes):
                await websocket.send_bytes(answer)
            else:
                await _error(websocket, answer, number=asked.number)
        turns.sent(seat)


async def _error(websocket: WebSocket, sentence: str, *, number: int | None = None) -> None:
    """Say what went wrong. number: of the question that has no other answer."""
    await websocket.send_text(json.dumps({"error": sentence, "number": number}))
