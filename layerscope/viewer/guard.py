"""Who may ask: one gate before every HTTP request and WebSocket, and the headers that keep a browser strict.

A server on this machine can be reached by every page that its user's browser shows: under another name that leads to
127.0.0.1 (rebinding), by a form or a picture of another site, by a WebSocket, which no browser keeps at home. So the
Host must be one of ours, the Origin must be our own, and what other sites ask for is refused, but for links. Where
other machines can reach the server, a token is needed as well.

A proxy may show the pages below a path and under a name of its own. Both are ours only where the user has said so.
"""

import ipaddress
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerscope.core.errors import UsageError
from layerscope.viewer.answers import error_page, leads_to

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Longer than any address that a page holds, and short of where Python refuses to read digits as a number.
LONGEST_ADDRESS = 4000
# The live page asks for the camera, no other does.
LIVE = re.compile(r"/(?:[a-z0-9-]+/)?live(?:/|$)")
# One part of the path below which a proxy shows the pages: nothing that would lead elsewhere or end a path.
BASE_PART = re.compile(r"(?!\.{1,2}$)[\w.~@:+=,!$&'()* -]{1,100}")
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::(?P<port>\d{1,5}))?")


def is_loopback(host: str) -> bool:
    """Whether a name or address can mean this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _name(host: str) -> str:
    """The name in a Host without its port; empty for what is none."""
    found = HOST.fullmatch(host.lower())
    return found["name"] if found else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def plain_base(path: str) -> str:
    """The path of a base as it is kept: decoded, with a slash before it and none behind; "" for "/".

    Raises UsageError for what is no path, and for one that could be taken for a file of the viewer.
    """
    parts = unquote(path).strip("/").split("/")
    if parts == [""]:
        return ""
    if not all(BASE_PART.fullmatch(part) for part in parts) or parts[0] == "static":
        raise UsageError(
            f'"{path}" cannot be the path of the pages: write it as /p/lab, without a host or "?", and not as /static'
        )
    return "/" + "/".join(parts)


def _plain_name(name: str) -> str:
    """A public name in small letters. Raises UsageError for what is no name of a host."""
    if HOST.fullmatch(name.lower()) is None:
        raise UsageError(
            f'"{name}" is no name of a host: write it as lab.example.org or lab.example.org:8443, without https:// '
            "and without a path"
        )
    # A browser leaves the usual ports out.
    return re.sub(r":(80|443)$", "", name.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the server listens, and for whom.

    host, port: as bound. names: other names of this machine by which it may be called. token: what a stranger must
    know, needed where host is not loopback. base: the path below which a proxy shows the pages, "" for "/". public:
    names under which proxies show them, with the port where an address has one. Raises UsageError without a token that
    is needed, and for a base or public name that is none.
    """

    host: str
    port: int
    names: tuple[str, ...] = ()
    token: str | None = None
    base: str = ""
    public: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and not self.token:
            raise UsageError(f"{self.host} can be reached from other machines: serve it with a token only")
        object.__setattr__(self, "base", plain_base(self.base))
        object.__setattr__(self, "public", tuple(_plain_name(name) for name in self.public))

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers share cookies between the ports of a machine."""
        return f"layerscope-{self.port}"

    def knows(self, host: str) -> bool:
        """Whether a Host header means this server.

        Names of loopback are its own with any port: nobody else can give them away, and ssh -L may use another port. An
        IP address cannot be rebound either, which matters where the server listens on all of them.
        """
        found = HOST.fullmatch(host.lower())
        if found is None:
            return False
        name = found["name"]
        own = name in self._own_names or name in self._public_names
        return is_loopback(name) or own or (self._open and _address(name) is not None)

    def origins(self, host: str) -> frozenset[str]:
        """The origins of our own pages, as a browser that asks under this Host may say them.

        Only a public name may have spoken https, and only it may differ from the Host, which a proxy may rewrite.
        """
        host = host.lower()
        shown = [name for name in (host,) if name in self.public or _name(name) in self._public_names]
        secure = {f"{scheme}://{name}" for name in (*shown, *self.public) for scheme in ("http", "https")}
        return frozenset({f"http://{host}"} | secure)

    def inside(self, path: str) -> str:
        """A path as it is below the base; proxies may have taken the base off already."""
        below = path.startswith(f"{self.base}/") or path == self.base
        return (path[len(self.base) :] or "/") if self.base and below else path

    @property
    def _own_names(self) -> set[str]:
        bare = f"[{self.host}]" if ":" in self.host else self.host
        return {name.lower() for name in (bare, *self.names)}

    @property
    def _public_names(self) -> set[str]:
        return {_name(name) for name in self.public}

    @property
    def _open(self) -> bool:
        """Whether it listens on all addresses of the machine."""
        address = _address(self.host)
        return address is not None and address.is_unspecified


class Guard:
    """An ASGI application that lets through to another one only what may pass, and puts HEADERS on all answers.

    post_paths: the only paths that take a POST.
    """

    def __init__(self, app: ASGIApp, door: Door, *, post_paths: Collection[str] = ()) -> None:
        self.app, self.door, self.post_paths = app, door, post_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        # The routes behind find their way below "root_path", whether a proxy has taken the base off or not.
        path = self.door.inside(scope["path"])
        scope = {**scope, "path": self.door.base + path, "root_path": self.door.base}
        refusal = self._refusal(scope, Headers(scope=scope))
        if scope["type"] == "websocket":
            return await (self.app(scope, receive, send) if refusal is None else _deny(refusal, scope, receive, send))
        answer = self.app if refusal is None else refusal
        await answer(scope, receive, self._strict(path, send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """What to answer instead; None where the request may pass."""
        path, hosts = self.door.inside(scope["path"]), headers.getlist("host")
        if len(hosts) != 1 or not self.door.knows(hosts[0]):
            return self._answered(400, f"this server answers only under its own name{_way_out(hosts)}")
        if len(path) + len(scope["query_string"]) > LONGEST_ADDRESS:
            return self._answered(414, "the address is too long to be one of ours")
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        allowed = ("GET", "HEAD", "POST") if path in self.post_paths else ("GET", "HEAD")
        if method not in (*allowed, "WEBSOCKET"):
            return self._answered(405, "pages are only read here", headers={"Allow": ", ".join(allowed)})
        if not _is_own(headers, self.door.origins(hosts[0]), method):
            return self._answered(403, "another site asked for this; open the address that layerscope printed")
        return self._token_refusal(path, scope, headers) if self.door.token else None

    def _answered(self, status: int, words: str, *, headers: Mapping[str, str] | None = None) -> Response:
        return error_page(status, words, base=quote(self.door.base), headers=headers)

    def _token_refusal(self, path: str, scope: Scope, headers: Headers) -> Response | None:
        token = self.door.token
        assert token is not None
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in given if name == "token"]
        if scope["type"] == "http" and tokens and _same(tokens[-1], token):
            return self._enter(path, [(name, value) for name, value in given if name != "token"])
        # The style of the page that says so is no secret.
        if _same(_cookie(headers, self.door.cookie), token) or path.startswith("/static/"):
            return None
        return self._answered(403, "this needs the token in the address that layerscope printed when it started")

    def _enter(self, path: str, rest: list[tuple[str, str]]) -> Response:
        """To the same page without the token, which the browser keeps from now on."""
        answer = leads_to(self.door.base + path, urlencode(rest))
        assert self.door.token is not None
        # Another program may be shown by the same proxy.
        below = f"{quote(self.door.base)}/"
        answer.set_cookie(self.door.cookie, self.door.token, path=below, httponly=True, samesite="strict")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _strict(self, path: str, send: Send) -> Send:
        """`send`, with the headers on the answer's beginning."""

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers(path).items():
                    headers[name] = value
                if self.door.token and "Cache-Control" in headers:
                    kept = headers["Cache-Control"].replace("public, ", "")
                    headers["Cache-Control"] = f"private, {kept}"
            await send(message)

        return strict

    @staticmethod
    def headers(path: str) -> Mapping[str, str]:
        """The headers of every answer for a path."""
        return HEADERS | {"Permissions-Policy": f"camera={'(self)' if LIVE.match(path) else '()'}, microphone=()"}


def _way_out(hosts: list[str]) -> str:
    """What to do about a Host that is not known: of a proxy, or none of ours."""
    name = _name(hosts[0]) if len(hosts) == 1 else ""
    if not name:
        return "; open the address that it printed"
    return (
        f', and "{name}" is none of its names; open the address that it printed, or, where a proxy of yours shows it '
        f"under that name, start it with --name {name}"
    )


def _is_own(headers: Headers, ours: Collection[str], method: str) -> bool:
    """Whether our own page asks, or, for pages, somebody who typed or clicked an address. ours: our origins."""
    origins = headers.getlist("origin")
    own = len(origins) == 1 and origins[0].lower() in ours
    if method in ("WEBSOCKET", "POST"):
        return own and headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if origins and not own:
        return False
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return True
    # Another site may link to a page, but neither frame it nor use its pictures and scripts.
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _cookie(headers: Headers, name: str) -> str:
    for line in headers.getlist("cookie"):
        try:
            found = SimpleCookie(line).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""


async def _deny(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket before it is accepted, in words where the server can send them."""
    if "websocket.http.response" in scope.get("extensions", {}):
        refusal.headers.update(HEADERS)
        await refusal(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
