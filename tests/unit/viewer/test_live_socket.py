"""The live connection: every message is answered or refused, no viewer sees another's pictures, nothing piles up."""

import asyncio
import contextlib
import json
import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from layerscope.core.live import LiveRequest
from layerscope.viewer import live_socket
from layerscope.viewer.app import create_app
from layerscope.viewer.frames import FRAME_BYTES, PICTURE_BYTES, REQUEST_BYTES
from layerscope.viewer.live_requests import first_request, read_request
from layerscope.viewer.shelf import Shelf
from layerscope.viewer.turns import SEATS
from tests.helpers.live import FakeEngine, again, answer, frame, mark, of_atlas, picture

SOCKET = "/small/live/socket"


@pytest.fixture
def browser(shelf, engine):
    with TestClient(create_app(shelf, engine=engine)) as made:
        yield made


def test_a_picture_is_answered(browser):
    """The answer carries the question's number and clock, the maps, and no more than was wished."""
    with browser.websocket_connect(SOCKET) as viewer:
        viewer.send_bytes(frame(7, picture(1)))
        number, response, pictures = answer(viewer.receive())
        assert (number, response["top"], response["map"], pictures) == (7, [[mark(picture(1)), 1.0]], None, [b"jpeg"])
        request = {"layer": "features.4", "unit": 3, "project": True, "method": "guided", "mosaic": False}
        viewer.send_text(json.dumps(request))
        viewer.send_bytes(again(8))
        number, response, pictures = answer(viewer.receive())
        assert (number, response["mosaic"], response["map"]["value"]) == (8, None, 1.5)
        assert pictures == [bytes([3]) * 16, b"guided"] and response["projection"] == [1, 1, 7, 7]


def test_an_image_of_the_atlas_is_asked_for_by_its_number(browser):
    """The answer says whether its own file was looked at, and what of the scan comes back; again is the same image."""
    with browser.websocket_connect(SOCKET) as viewer:
        viewer.send_text(json.dumps({"layer": "features.1", "mosaic": False, "prepared": True}))
        viewer.send_bytes(of_atlas(1, 5))
        _, response, pictures = answer(viewer.receive())
        assert response["top"][0][0] == mark(picture(5)) and (response["prepared"], pictures) == (True, [b"prepared"])
        assert (response["original"], response["scan"]) == (False, [4, 1, 0.5])
        viewer.send_bytes(again(2))
        assert answer(viewer.receive())[1]["top"][0][0] == mark(picture(5))
        viewer.send_bytes(frame(3, picture(1)))
        _, response, _ = answer(viewer.receive())
        assert (response["original"], response["scan"]) == (None, None)


def test_another_atlas_has_no_network(browser):
    """Only the atlas whose network was given is live."""
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/other/live/socket"):
        pass


GARBAGE = {
    "no header": (b"", 1003),
    "another version": (b"\x09" + frame(1, b"")[1:], 1003),
    "another type": (b"\x01\x09" + frame(1, b"")[2:], 1003),
    "a result": (b"\x01\x03" + frame(1, b"")[2:], 1003),
    "long frame": (frame(1, bytes(FRAME_BYTES + 1)), 1009),
    "long picture": (frame(1, bytes(PICTURE_BYTES + 1), whole=True), 1009),
    "again with a body": (again(1) + b"x", 1009),
    "an image without a number": (of_atlas(1, 0)[:-1], 1003),
    "no JSON": ("not a request", 1003),
    "JSON, but no request": ("[1]", 1003),
    "an unknown key": ('{"layer": "features.1", "path": "/etc/passwd"}', 1003),
    "deep JSON": ("[" * 4000, 1003),
    "long request": (" " * (REQUEST_BYTES + 1), 1009),
}


@pytest.mark.parametrize("message", GARBAGE)
def test_garbage_ends_the_connection(browser, message):
    """S10: what makes no sense or is too long closes the connection with its code and a reason; others still watch."""
    sent, code = GARBAGE[message]
    with browser.websocket_connect(SOCKET) as other, browser.websocket_connect(SOCKET) as viewer:
        (viewer.send_text if isinstance(sent, str) else viewer.send_bytes)(sent)
        with pytest.raises(WebSocketDisconnect) as closed:
            viewer.receive_bytes()
        assert closed.value.code == code and closed.value.reason
        other.send_bytes(frame(1, picture(1)))
        assert answer(other.receive())[0] == 1


@pytest.mark.parametrize("body", [b"", b"GIF89a", b"\x00" * 1000, b"bug"])
def test_a_bad_picture_is_answered_with_a_sentence(browser, body):
    """S10: the viewer is told, of that question, and goes on."""
    with browser.websocket_connect(SOCKET) as viewer:
        viewer.send_bytes(frame(1, body))
        number, response, _ = answer(viewer.receive())
        assert number == 1 and ("picture" in response["error"] or "bug" in response["error"])
        viewer.send_bytes(frame(2, picture(2)))
        assert answer(viewer.receive())[1]["top"][0][0] == mark(picture(2))


WRONG = [
    {"layer": "features.9"},
    {"layer": None},
    {"layer": "features.1", "unit": 6},
    {"layer": "features.1", "unit": -1},
    {"layer": "features.1", "unit": True},
    {"layer": "features.1", "unit": "1"},
    {"layer": "features.1", "pinned": "nothing"},
    {"layer": "features.1", "method": "magic"},
    {"layer": "features.1", "method": ["guided"]},
    {"layer": "features.1", "visible": [0]},
    {"layer": "features.1", "visible": [3, 3]},
    {"layer": "features.1", "visible": [0, 7]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_a_request_that_cannot_be_is_said(browser, wrong):
    """The sentence names what does not exist; the request of before holds."""
    with browser.websocket_connect(SOCKET) as viewer:
        viewer.send_text(json.dumps({"layer": "features.4", "unit": 2}))
        viewer.send_text(json.dumps(wrong))
        number, response, _ = answer(viewer.receive())
        assert number is None and len(response["error"]) > 20
        viewer.send_bytes(frame(1, picture(1)))
        assert answer(viewer.receive())[2][1] == bytes([2]) * 16


def test_a_request_is_read_as_it_is_said():
    """All keys, and what holds where they are left out."""
    engine = FakeEngine()
    assert read_request('{"layer": "features.4"}', engine) == LiveRequest(layer="features.4", method=engine.methods[0])
    assert first_request(engine) == LiveRequest(layer="features.1", method=engine.methods[0])
    said = {"layer": "features.1", "unit": 5, "pinned": "features.4", "method": "guided", "mosaic": False}
    wanted = LiveRequest(layer="features.1", unit=5, pinned_layer="features.4", method="guided", mosaic=False)
    assert read_request(json.dumps(said), engine) == wanted
    shown = read_request('{"layer": "features.1", "visible": [2, 6], "project": true}', engine)
    assert (shown.visible, shown.project) == ((2, 6), True)


def test_too_many_viewers_are_told_so(browser):
    """S15: eight watch; the ninth reads why it cannot, and may come when one has left."""
    with contextlib.ExitStack() as open_ones:
        viewers = [open_ones.enter_context(browser.websocket_connect(SOCKET)) for _ in range(SEATS)]
        with browser.websocket_connect(SOCKET) as late:
            assert "8 viewers" in late.receive_json()["error"]
            with pytest.raises(WebSocketDisconnect) as closed:
                late.receive_bytes()
            assert closed.value.code == 1013
        viewers[0].close()
        for viewer in viewers[1:]:
            viewer.send_bytes(frame(1, picture(1)))
            answer(viewer.receive())
        with browser.websocket_connect(SOCKET) as late:
            late.send_bytes(frame(3, picture(3)))
            assert answer(late.receive())[1]["top"][0][0] == mark(picture(3))


def test_viewers_do_not_mix(browser, engine):
    """S15: three viewers ask at once; each gets its own picture and request, and every first question an answer."""
    engine.gate.clear()
    with contextlib.ExitStack() as open_ones:
        viewers = [open_ones.enter_context(browser.websocket_connect(SOCKET)) for _ in range(3)]
        for unit, viewer in enumerate(viewers):
            viewer.send_text(json.dumps({"layer": "features.4", "unit": unit}))
            viewer.send_bytes(frame(unit, picture(unit)))
        engine.gate.set()
        for unit, viewer in enumerate(viewers):
            number, response, pictures = answer(viewer.receive())
            assert (number, response["top"][0][0], pictures[1][0]) == (unit, mark(picture(unit)), unit)


def test_idle_viewers_are_let_go(browser, monkeypatch):
    """A connection on which nothing is asked ends with a code of its own, upon which the page does not reconnect."""
    monkeypatch.setattr(live_socket, "IDLE_SECONDS", 0.05)
    with browser.websocket_connect(SOCKET) as viewer, pytest.raises(WebSocketDisconnect) as closed:
        viewer.receive_bytes()
    assert closed.value.code == 4000


def test_a_client_that_never_reads_costs_little(shelf, engine, monkeypatch):
    """S13: it floods and takes nothing: one look, the memory of one frame, and it is let go in time."""
    monkeypatch.setattr(live_socket, "SEND_SECONDS", 0.3)
    app, frames, sent = create_app(shelf, engine=engine), 100, []
    body = picture(1) + bytes(200_000)

    async def client() -> None:
        left = iter(range(frames))

        async def receive():
            if not sent:
                return {"type": "websocket.connect"}
            for number in left:
                await asyncio.sleep(0)
                return {"type": "websocket.receive", "bytes": frame(number, body)}
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message["type"])
            if message["type"] == "websocket.send":
                await asyncio.sleep(60)

        scope = {"type": "websocket", "path": SOCKET, "headers": [], "query_string": b"", "subprotocols": []}
        await asyncio.wait_for(app(scope, receive, send), 60)

    tracemalloc.start()
    try:
        asyncio.run(client())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent == ["websocket.accept", "websocket.send"] and len(engine.looks) == 1
    assert peak < 10 * len(body), "frames pile up"


class Viewers(RuleBasedStateMachine):
    """Up to three viewers send messages in any order."""

    shelf: Shelf

    @initialize()
    def start(self) -> None:
        self.engine, self.stack, self.number = FakeEngine(), contextlib.ExitStack(), 0
        self.browser = self.stack.enter_context(TestClient(create_app(self.shelf, engine=self.engine)))
        self.viewers = [self._opened()]

    def _opened(self):
        return self.stack.enter_context(self.browser.websocket_connect(SOCKET))

    def _newest(self, viewer, number: int) -> tuple[dict, list[bytes]]:
        """Read up to the answer to this question; what comes before has smaller numbers."""
        while True:
            found, response, pictures = answer(viewer.receive())
            if found == number:
                return response, pictures
            assert found is None or found < number

    @rule()
    def open(self) -> None:
        if len(self.viewers) < 3:
            self.viewers.append(self._opened())

    @rule(place=st.integers(0, 2))
    def leave(self, place: int) -> None:
        if len(self.viewers) > 1:
            self.viewers.pop(place % len(self.viewers)).close()

    @rule(place=st.integers(0, 2), sent=st.sampled_from([sent for sent, _ in GARBAGE.values() if len(sent) < 5000]))
    def garbage(self, place: int, sent: str | bytes) -> None:
        viewer = self.viewers[place % len(self.viewers)]
        (viewer.send_text if isinstance(sent, str) else viewer.send_bytes)(sent)
        while viewer.receive()["type"] != "websocket.close":
            pass
        self.viewers[place % len(self.viewers)] = self._opened()

    @rule(request=st.sampled_from(WRONG))
    def impossible(self, request: dict) -> None:
        self.viewers[0].send_text(json.dumps(request))

    @rule(flood=st.integers(1, 5), unit=st.integers(0, 5), body=st.sampled_from([None, b"", b"GIF89a"]))
    def all_ask(self, flood: int, unit: int, body: bytes | None) -> None:
        """Each floods with pictures of its own: the newest is answered, with its picture and the viewer's request."""
        asked = {}
        for viewer in self.viewers:
            viewer.send_text(json.dumps({"layer": "features.1", "unit": unit}))
            for _ in range(flood):
                self.number += 1
                viewer.send_bytes(frame(self.number, picture(self.number) if body is None else body))
            asked[viewer] = self.number
        for viewer, number in asked.items():
            response, pictures = self._newest(viewer, number)
            if body is not None:
                assert "neither a JPEG nor a PNG" in response["error"]
            else:
                assert response["top"][0][0] == mark(picture(number)) and pictures[1][0] == unit

    @invariant()
    def seats_are_counted(self) -> None:
        if hasattr(self, "viewers"):
            assert 1 <= len(self.viewers) <= 3

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.all_ask(1, 0, None)
            self.stack.close()


@pytest.mark.parametrize("machine", [Viewers])
def test_any_order_of_messages(machine, shelf):
    """No order of messages kills the server or lets viewers mix."""
    machine.shelf = shelf
    state = machine.TestCase
    state.settings = settings(max_examples=8, stateful_step_count=6, deadline=None, derandomize=True)
    state("runTest").runTest()
