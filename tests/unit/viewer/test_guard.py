"""The gate before the server: whose requests pass, what a token does, and the headers of every answer."""

import re

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from layerscope.core.errors import UsageError
from layerscope.viewer.guard import HEADERS, POLICY, Door, Guard, is_loopback
from tests.helpers.viewing import DOOR, OWN, PORT, client

TOKEN = "t" * 43
OTHERS = Door(host="0.0.0.0", port=PORT, names=("box",), token=TOKEN)


async def _page(request) -> Response:
    cached = {"Cache-Control": "public, max-age=5"} if request.url.path == "/kept" else {}
    return PlainTextResponse(f"{request.method} {request.url.query}", headers=cached)


async def _fails(request) -> Response:
    raise RuntimeError("a bug")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


def app(door: Door = DOOR) -> Guard:
    """An application with a page, a bug, a picture to send, and a WebSocket that echoes."""
    methods = ["GET", "POST", "PUT", "DELETE"]
    routes = [Route(path, _page, methods=methods) for path in ("/", "/kept", "/send", "/demo/live", "/static/a.css")]
    routes += [Route("/bug", _fails), WebSocketRoute("/socket", _echo)]
    return Guard(Starlette(routes=routes), door, post_paths=("/send",))


@pytest.fixture
def browser() -> TestClient:
    return client(app())


def connects(browser: TestClient, path: str = "/socket", **headers: str | bytes) -> bool:
    """Whether a WebSocket with these headers is accepted and works."""
    try:
        with browser.websocket_connect(path, headers={"Host": OWN.removeprefix("http://"), **headers}) as socket:
            socket.send_text("here")
            return socket.receive_text() == "here"
    except WebSocketDenialResponse as refused:
        assert refused.status_code in (400, 403)
        return False


NAMES_OF_OURS = ("127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "demo.localhost:8000", "localhost")
NAMES_OF_OTHERS = (
    "evil.test",
    "evil.test:8000",
    "127.0.0.1.evil.test",
    "localhost.evil.test:8000",
    "evil-localhost",
    "localhost@evil.test",
    "127.0.0.1:8000@evil.test",
    "localhost:8000/evil.test",
    "localhost evil.test",
    "localhost:",
    "0.0.0.0:8000",
    "[::2]:8000",
    "192.168.1.5:8000",
    "",
)


@pytest.mark.parametrize("host", NAMES_OF_OURS)
def test_own_names_pass(browser, host):
    """S1: every name that can mean this machine only is answered, for pages and WebSockets."""
    assert browser.get("/", headers={"Host": host}).status_code == 200
    assert connects(browser, Host=host, Origin=f"http://{host.lower()}")


@pytest.mark.parametrize("host", NAMES_OF_OTHERS)
def test_other_names_are_refused(browser, host):
    """S1: a name that somebody else could point here, or that is none, gets no page and no WebSocket."""
    assert browser.get("/", headers={"Host": host}).status_code == 400
    assert not connects(browser, Host=host, Origin=f"http://{host}")


@pytest.mark.parametrize("hosts", [[], [b"127.0.0.1:8000", b"127.0.0.1:8000"], [b"127.0.0.1:8000", b"evil.test"]])
def test_one_host_is_named(hosts):
    """S1: a request without a Host, or with two, is refused."""
    scope = {
        "type": "http",
        "path": "/",
        "query_string": b"",
        "method": "GET",
        "headers": [(b"host", h) for h in hosts],
    }
    refusal = app()._refusal(scope, Headers(scope=scope))
    assert refusal is not None
    assert refusal.status_code == 400


FOREIGN = ("http://127.0.0.1:8001", "http://localhost:8000", "https://127.0.0.1:8000", "null", "https://evil.test", "")


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_origins_are_refused(browser, origin):
    """S2: another port, scheme or name, or none that can be told, is not our own page."""
    assert not connects(browser, Origin=origin)
    assert browser.get("/", headers={"Origin": origin}).status_code == 403
    assert browser.post("/send", headers={"Origin": origin}).status_code == 403


def test_the_own_origin_passes(browser):
    """S2: our own page may open a WebSocket and send a picture; without an Origin there is only reading."""
    assert connects(browser, Origin=OWN)
    assert not connects(browser)
    assert browser.post("/send", headers={"Origin": OWN}).status_code == 200
    assert browser.post("/send").status_code == 403
    assert browser.get("/", headers={"Origin": OWN}).status_code == 200
    assert browser.get("/").status_code == 200


def test_two_origins_are_none(browser):
    """S2: a second Origin does not ride on the first."""
    assert browser.get("/", headers=[("Origin", OWN), ("Origin", "https://evil.test")]).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "SPAM"])
def test_pages_are_only_read(browser, method):
    """S14: GET and HEAD exist and nothing else, and a picture is sent only where one is taken."""
    answer = browser.request(method, "/", headers={"Origin": OWN})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    expected = 200 if method == "POST" else 405
    assert browser.request(method, "/send", headers={"Origin": OWN}).status_code == expected
    assert browser.head("/").status_code == 200


CROSS = {"Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "how", ["no-cors image", "cors empty", "navigate iframe", "navigate object", "websocket websocket"]
)
def test_other_sites_get_no_picture(browser, site, how):
    """S14: another site, another port of this machine too, can embed and fetch nothing."""
    mode, dest = how.split()
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    assert browser.get("/", headers=headers).status_code == 403
    assert browser.post("/send", headers={**headers, "Origin": OWN}).status_code == 403
    assert not connects(browser, Origin=OWN, **headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_links_of_other_sites_work(browser, site):
    """S14: somebody may follow a link to a page from anywhere."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "box.lan", "10.0.0.1"])
@pytest.mark.parametrize("token", [None, ""])
def test_strangers_need_a_token(host, token):
    """S4: a server that others can reach does not start without a token; on loopback it does."""
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="token"):
        Door(host=host, port=PORT, token=token)
    assert Door(host=host, port=PORT, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost", "a.localhost"])
def test_loopback_is_this_machine(host):
    """S4: what means only this machine needs no token."""
    assert is_loopback(host)
    assert Door(host=host, port=PORT).token is None


@pytest.mark.parametrize(
    "query, cookie",
    [("", ""), ("?token=", ""), ("?token=wrong", ""), ("", "layerscope-8000=wrong"), ("", f"layerscope-8001={TOKEN}"),
     ("", f"other={TOKEN}"), (f"?tokens={TOKEN}", ""), (f"?token={TOKEN}x", ""), 
     ("?token=%ff%00é", "layerscope-8000=é;;=")],
)  # fmt: skip
def test_without_the_token_nothing_is_shown(query, cookie):
    """S3: no token, a wrong one, or the right one in a wrong place gets a 403 and no WebSocket."""
    browser = client(app(OTHERS))
    headers = {"Cookie": cookie.encode()} if cookie else {}
    answer = browser.get(f"/{query}", headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert TOKEN not in answer.text
    assert "set-cookie" not in answer.headers
    assert not connects(browser, Origin=OWN, **headers)


def test_the_token_becomes_a_cookie():
    """S3: the address with the token leads to the same page without it; from then on the cookie is enough."""
    browser = client(app(OTHERS))
    answer = browser.get(f"/kept?a=1&token={TOKEN}&b=x%26y", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/kept?a=1&b=x%26y"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"layerscope-{PORT}={TOKEN};")
    assert {"httponly", "path=/", "samesite=strict"} <= set(re.split("; ", cookie.lower()))
    assert "domain" not in cookie.lower()
    assert answer.headers["Cache-Control"] == "private, no-store"
    kept = browser.get("/kept")
    assert kept.status_code == 200
    assert kept.headers["Cache-Control"] == "private, max-age=5"
    assert connects(browser, Origin=OWN, Cookie=f"layerscope-{PORT}={TOKEN}")


def test_a_websocket_takes_no_token_in_its_address():
    """S3: addresses of WebSockets stand in logs; only the cookie opens one."""
    assert not connects(client(app(OTHERS)), f"/socket?token={TOKEN}", Origin=OWN)


@pytest.mark.parametrize(
    "path", ["//evil.test/", "///evil.test", "/\\evil.test", "/%5cevil.test", "//evil.test\\@x", "/\t/evil.test"]
)
def test_the_token_leads_to_no_other_site(path):
    """S3: whatever the path is, the redirect stays on this server; there is no parameter for another place."""
    door = Guard(Starlette(), OTHERS)
    location = door._enter(path, [("next", "https://evil.test")]).headers["Location"]
    assert re.match(r"/[^/\\]", location)
    assert "\\" not in location
    assert "\t" not in location


def test_the_style_of_a_refusal_is_no_secret():
    """The page that asks for the token may look like one of ours."""
    assert client(app(OTHERS)).get("/static/a.css").status_code == 200


@pytest.mark.parametrize("host", ["192.168.1.5:8000", "[fe80::1]:8000", "box:8000", "BOX", "localhost:8000"])
def test_open_servers_answer_by_address_and_name(host):
    """S1: on all addresses, any IP address may be ours, as may the machine's name; another name is not."""
    assert OTHERS.knows(host)
    assert not OTHERS.knows("evil.test:8000")
    assert not DOOR.knows("box:8000")


def test_a_server_at_one_address_knows_that_one():
    """S1: bound to one address, the others are not ours."""
    door = Door(host="192.168.1.5", port=PORT, token=TOKEN)
    assert door.knows("192.168.1.5:8000")
    assert not door.knows("192.168.1.6:8000")


@pytest.mark.parametrize(
    "method, path, headers, status",
    [("GET", "/", {}, 200), ("HEAD", "/", {}, 200), ("GET", "/nowhere", {}, 404), ("PUT", "/", {}, 405),
     ("GET", "/bug", {}, 500), ("GET", "/", {"Host": "evil.test"}, 400), ("GET", "/", CROSS, 403),
     ("GET", "/" + "9" * 5000, {}, 414)],
)  # fmt: skip
def test_every_answer_is_strict(browser, method, path, headers, status):
    """S5: the headers that keep a browser strict stand on every answer, refusals and bugs too."""
    answer = browser.request(method, path, headers=headers)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Permissions-Policy"] == "camera=(), microphone=()"


def test_only_the_live_page_may_ask_for_the_camera(browser):
    """S5: the camera is for the live page."""
    assert browser.get("/demo/live").headers["Permissions-Policy"] == "camera=(self), microphone=()"
    assert browser.get("/demo/lively").headers["Permissions-Policy"] == "camera=(), microphone=()"


def test_the_policy_allows_nothing_inline():
    """S5: scripts and styles come from files of ours, and from nowhere else."""
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["img-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in POLICY
