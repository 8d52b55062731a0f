"""What stores hold and how they fail: pictures, archives of them, and a proxy that can be told to answer otherwise."""

import io
import tarfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

KEY, SECRET = "AKIDEXAMPLEKEY", "wJalrXUtnFEMIsecret"

Put = Callable[[str, bytes], None]


@dataclass
class Fault:
    """What a proxy does in place of an answer. times: to each address so often; None for always. kind: "status",
    "short" (fewer bytes, said to be all), "cut" (the connection ends early)."""

    test: Callable[[str, str], bool]
    kind: str
    status: int = 0
    body: bytes = b""
    times: int | None = None
    done: Counter = field(default_factory=Counter)

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request fails."""
        if not self.test(method, path) or (self.times is not None and self.done[path] >= self.times):
            return False
        self.done[path] += 1
        return True


@dataclass
class Proxied:
    """A server behind a proxy. asked: each request, its method and path. faults: what is to fail."""

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fail(self, kind: str, part: str = "", *, method: str = "GET", **how) -> Fault:
        """From now on what asks for an address that holds `part` fails so."""
        fault = Fault(lambda asked, path: (not method or asked == method) and part in path, kind, **how)
        self.faults.append(fault)
        return fault


SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
DENIED = (
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>" + KEY.encode() + b" may not</Message></Error>"
)


def proxied(upstream: str) -> tuple[Proxied, ThreadingHTTPServer]:
    host = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            state: Proxied = self.server.state  # type: ignore[attr-defined]
            state.asked.append((self.command, self.path))
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            fault = next((one for one in state.faults if one.strikes(self.command, self.path)), None)
            if fault is not None and fault.kind == "status":
                return self.send(fault.status, {"Content-Type": "application/xml"}, fault.body)
            connection = HTTPConnection(host)
            connection.request(self.command, self.path, body, dict(self.headers))
            found = connection.getresponse()
            content = found.read()
            told = {
                name: value
                for name, value in found.getheaders()
                if name.lower() not in ("transfer-encoding", "connection")
            }
            if fault is not None and fault.kind == "short":
                content = content[: len(content) // 2]
                told["Content-Length"] = str(len(content))
            self.send(found.status, told, content, cut=fault is not None and fault.kind == "cut")

        def send(self, status: int, told: dict[str, str], content: bytes, *, cut: bool = False) -> None:
            self.send_response_only(status)
            told.setdefault("Content-Length", str(len(content)))
            for name, value in told.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Proxied(f"http://127.0.0.1:{server.server_address[1]}")
    server.state = state  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return state, server


def picture(seed: int, format: str = "JPEG") -> bytes:
    """The file of a picture of noise."""
    file = io.BytesIO()
    colours = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), np.uint8)
    Image.fromarray(colours).save(file, format=format)
    return file.getvalue()


CONTENTS = {
    "ant/0.jpg": picture(0), "ant/1.jpg": picture(1), "bee/2.png": picture(2, "PNG"), "bee/3.jpg": picture(0),
    "bee/broken.jpg": picture(4)[:200], "bee/notes.txt": b"no picture", "bee/unnamed": picture(5),
    "bee/.hidden.jpg": picture(6),
}  # fmt: skip


def packed(contents: dict[str, bytes], mode: str = "w") -> bytes:
    """An archive of these members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in contents.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return file.getvalue()
