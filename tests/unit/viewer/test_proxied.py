"""The pages below a path and under another name, as proxies show them: every address there leads where it should."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from layerscope.core.errors import UsageError
from layerscope.viewer.app import guarded
from layerscope.viewer.guard import Door
from layerscope.viewer.serving import Running, shelf_below
from tests.helpers.atlases import small_atlas
from tests.helpers.live import FakeEngine, frame, picture
from tests.helpers.sites import Seen

NAME, BASE, PORT = "lab.example.org", "/user/me@x.org/proxy/8123", 8000
QUOTED = "/user/me%40x.org/proxy/8123"


class Proxy:
    """Shows a server below a path: strips that path or not, and hands on the Host that it was asked under or not."""

    def __init__(self, app: ASGIApp, base: str, *, strips: bool, rewrites_host: bool) -> None:
        self.app, self.base, self.strips, self.rewrites_host = app, base, strips, rewrites_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            path = scope["path"]
            if not path.startswith(f"{self.base}/"):
                return await PlainTextResponse("the proxy has nothing here", 404)(scope, receive, send)
            headers = [pair for pair in scope["headers"] if not (self.rewrites_host and pair[0] == b"host")]
            headers += [(b"host", f"127.0.0.1:{PORT}".encode())] if self.rewrites_host else []
            scope = {**scope, "path": path[len(self.base) :] if self.strips else path, "headers": headers}
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def atlases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two; one is called as the base begins."""
    folder = tmp_path_factory.mktemp("proxied")
    return [small_atlas(folder / name, units=3, images=6, k=2) for name in ("small.atlas", "user.atlas")]


@contextmanager
def shown(
    atlases: list[Path], *, base: str = BASE, names: tuple[str, ...] = (NAME,), strips: bool = True,
    rewrites_host: bool = False,
) -> Iterator[TestClient]:  # fmt: skip
    """What a browser sees of the live viewer of these atlases through an https proxy."""
    shelf = shelf_below(atlases, base)
    server = guarded(shelf, Door(host="127.0.0.1", port=PORT, base=base, public=names), engine=FakeEngine(3))
    app = Proxy(server, base, strips=strips, rewrites_host=rewrites_host)
    with TestClient(app, base_url=f"https://{NAME}", raise_server_exceptions=False) as browser:
        yield browser
    shelf.close()


def addresses(page: str, text: str) -> set[str]:
    """Every address on a page or in a style sheet, as a browser would ask for it."""
    found = set(re.findall(r'url\("([^")]+)"\)', text)) if page.endswith(".css") else set()
    if text.lstrip().startswith("<!"):
        seen = Seen()
        seen.feed(text)
        found |= {value for _, _, value in seen.links if not value.startswith("data:")}
        seen.close()
    # What the live page and its script are told as JSON.
    found |= set(re.findall(r'"(/[^"{}]*)"', text)) if "format=json" in page and "/live" in page else set()
    return {urljoin(page, address).partition("#")[0] for address in found}


def kind_of(page: str) -> str:
    """What addresses of one kind have in common: all but their numbers and what is asked for. A figure is a figure."""
    path, _, query = page.partition("?")
    if path.rpartition("/")[2].startswith("figure."):
        return "figure"
    return re.sub(r"\d+", "0", path.removeprefix(QUOTED)) + "".join(re.findall(r"[?&]\w+=", f"?{query}"))


# A small site has hundreds of addresses, of some hundred kinds: by default two of each are asked for.
@pytest.mark.parametrize(
    ("base", "strips", "rewrites_host", "most"),
    [
        pytest.param(BASE, True, False, 2, id="some pages behind nginx that strips"),
        pytest.param("", True, False, None, id="no proxy", marks=pytest.mark.wide),
        pytest.param(BASE, True, False, None, id="nginx that strips", marks=pytest.mark.wide),
        pytest.param(BASE, False, True, None, id="nginx that does not", marks=pytest.mark.wide),
    ],
)
def test_every_address_of_every_page_leads_below_the_base(atlases, base, strips, rewrites_host, most):
    """From the first page on, all that pages, style sheets and the live page name exists, below the base alone."""
    with shown(atlases[:1], base=base, strips=strips, rewrites_host=rewrites_host) as browser:
        waiting, done, asked = [f"{QUOTED if base else ''}/"], set(), Counter[str]()
        while waiting:
            page = waiting.pop()
            # What is no page: a socket, and pieces of addresses that the live page's script puts together.
            if page in done or page.endswith("/live/socket"):
                continue
            done.add(page)
            asked[kind_of(page)] += 1
            if most is not None and asked[kind_of(page)] > most:
                continue
            answer = browser.get(page, headers={"Referer": f"https://{NAME}{page}"})
            assert answer.status_code == 200, page
            for address in addresses(page, answer.text):
                parts = urlsplit(address)
                assert not parts.netloc and parts.path.startswith(f"{QUOTED if base else ''}/"), (page, address)
                waiting.append(address)
        kinds = {kind.partition("?")[0] for kind in asked}
        assert len(asked) > 30, asked
        assert {"/", "/small/", "/small/live", "/small/l/features.0/u/0", "/small/i/0", "/small/about"} <= kinds
        assert any(kind.startswith("/static/") for kind in kinds) and any("/sprite/" in kind for kind in kinds)


@pytest.mark.parametrize("rewrites_host", [False, True])
@pytest.mark.parametrize("strips", [False, True])
def test_redirects_pictures_and_sockets_stay_below_the_base(atlases, strips, rewrites_host):
    """Redirects name a path and no host; a picture that is sent is answered with its page; the live socket opens."""
    with shown(atlases, strips=strips, rewrites_host=rewrites_host) as browser:
        own = {"Origin": f"https://{NAME}", "Host": NAME}
        for path, target in {
            "/small": "/small/",
            "/small/about/": "/small/about",
            "/small/search?q=features.1": "/small/l/features.1",
            "/small/look": "/small/live",
        }.items():
            answer = browser.get(QUOTED + path, follow_redirects=False)
            assert (answer.status_code, answer.headers["Location"]) == (303, QUOTED + target), path
        sent = browser.post(f"{QUOTED}/small/look", content=picture(3), headers=own).json()["address"]
        assert sent.startswith(f"{QUOTED}/small/look/") and browser.get(sent).status_code == 200
        with browser.websocket_connect(f"{QUOTED}/small/live/socket", headers=own) as socket:
            socket.send_bytes(frame(1, picture(4)))
            assert socket.receive_bytes()
        missing = browser.get(f"{QUOTED}/nowhere/")
        assert missing.status_code == 404 and f'href="{QUOTED}/"' in missing.text


def test_a_name_like_the_base_is_another(atlases):
    """An atlas whose short name begins the base is found under another: a stripped path is never taken for it."""
    assert shelf_below(atlases, BASE).slugs == ("small", "user-atlas")
    assert shelf_below(atlases, "").slugs == ("small", "user")
    door = Door(host="127.0.0.1", port=PORT, base="/p/lab")
    assert [door.inside(path) for path in ("/p/lab", "/p/lab/", "/p/lab/a/", "/a/", "/p/labs/", "/p/")] == [
        "/", "/", "/a/", "/a/", "/p/labs/", "/p/",
    ]  # fmt: skip


ELSEWHERE = (
    "https://evil.test",
    f"https://{NAME}.evil.test",
    f"https://{NAME}:9999",
    f"https://evil.{NAME}",
    "null",
    f"ftp://{NAME}",
)


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("rewrites_host", [False, True])
def test_a_proxy_lets_no_other_site_in(atlases, origin, rewrites_host):
    """What another name, port or scheme asks for is refused as without a proxy."""
    with shown(atlases, rewrites_host=rewrites_host) as browser:
        headers = {"Origin": origin, "Host": NAME}
        assert browser.get(f"{QUOTED}/", headers=headers).status_code == 403
        assert browser.post(f"{QUOTED}/small/look", content=picture(3), headers=headers).status_code == 403
        with (
            pytest.raises(WebSocketDenialResponse),
            browser.websocket_connect(f"{QUOTED}/small/live/socket", headers=headers),
        ):
            raise AssertionError("it opened")


def test_only_a_name_that_was_given_is_known(atlases):
    """Without --name the guard is as strict as before, behind a base too; its sentence names the option."""
    with shown(atlases, names=()) as browser:
        answer = browser.get(f"{QUOTED}/")
        assert answer.status_code == 400
        assert f"start it with --name {NAME}" in answer.text
        assert "--name" not in browser.get(f"{QUOTED}/", headers={"Host": "a b<script>"}).text
    door = Door(host="127.0.0.1", port=PORT, public=("lab.example.org:8443", "Other.example.org"))
    known = {"lab.example.org:8443": True, "lab.example.org": True, "other.example.org:1": True, "example.org": False}
    assert {host: door.knows(host) for host in known} == known
    assert door.origins("127.0.0.1:8000") == {
        "http://127.0.0.1:8000",
        *(
            f"{scheme}://{name}"
            for scheme in ("http", "https")
            for name in ("lab.example.org:8443", "other.example.org")
        ),
    }
    assert Door(host="127.0.0.1", port=PORT).origins("127.0.0.1:8000") == {"http://127.0.0.1:8000"}


def test_a_usual_port_is_no_part_of_a_name():
    """A browser says https://lab.example.org for the port 443."""
    assert "https://lab.example.org" in Door(host="::1", port=1, public=("lab.example.org:443",)).origins("[::1]:1")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("", ""), ("/", ""), ("p/lab", "/p/lab"), ("/p/lab/", "/p/lab"), ("/u/me%40x.org", "/u/me@x.org"), ("/ü", "/ü")],
)
def test_a_base_is_a_path(given, kept):
    """With or without slashes at its ends, quoted or not."""
    assert Door(host="127.0.0.1", port=PORT, base=given).base == kept


@pytest.mark.parametrize(
    "bad",
    ["https://lab.example.org/p", "/a//b", "/../a", "/a/.", "/a?b", "/a#b", "/a\\b", "/a\nb", "/static/a", "/%2e%2e"],
)
def test_what_is_no_path_is_refused(bad):
    """A sentence says how a base is written."""
    with pytest.raises(UsageError, match="cannot be the path of the pages: write it as /p/lab"):
        Door(host="127.0.0.1", port=PORT, base=bad)


@pytest.mark.parametrize("bad", ["https://lab.example.org", "lab.example.org/p", "a b", "", "*", "evil@x"])
def test_what_is_no_name_is_refused(bad):
    """A sentence says how a name is written."""
    with pytest.raises(UsageError, match="is no name of a host: write it as lab"):
        Door(host="127.0.0.1", port=PORT, public=(bad,))


def test_the_token_is_kept_for_the_base_alone():
    """Other programs behind the same proxy do not get the cookie, and the way in stays below the base."""
    door = Door(host="0.0.0.0", port=PORT, token="t" * 43, base=BASE, public=(NAME,))
    with TestClient(Proxy(guarded_empty(door), BASE, strips=True, rewrites_host=False)) as browser:
        answer = browser.get(f"{QUOTED}/small/?token={'t' * 43}", headers={"Host": NAME}, follow_redirects=False)
    assert answer.headers["Location"] == f"{QUOTED}/small/"
    assert f"path={QUOTED}/;" in answer.headers["Set-Cookie"].replace("Path", "path")


def guarded_empty(door: Door) -> ASGIApp:
    """The guard before nothing."""
    from starlette.applications import Starlette

    from layerscope.viewer.guard import Guard

    return Guard(Starlette(), door)


def test_the_address_that_is_printed_holds_the_base(atlases):
    """What is opened on this machine leads to the same pages."""
    running = Running(shelf_below(atlases, BASE), port=0, base=BASE, public=[NAME])
    assert running.address == f"http://127.0.0.1:{running.door.port}{QUOTED}/"
    running._close()
