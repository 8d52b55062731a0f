"""As much of the Hub as a data set needs, by the standard library: the listing of a folder, and its files in parts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "owner/insects"
COMMIT = sha1(b"the only commit").hexdigest()
_ABOUT = {f"/api/datasets/{NAME}{behind}" for behind in ("", "/revision/main", f"/revision/{COMMIT}")}
_TREE, _PATHS = f"/api/datasets/{NAME}/tree/{COMMIT}", f"/api/datasets/{NAME}/paths-info/{COMMIT}"
_FILE = f"/datasets/{NAME}/resolve/{COMMIT}/"


class _Hub(BaseHTTPRequestHandler):
    """asked: of each file the parts that were asked for, as (name, Range, bytes sent)."""

    def __init__(self, folder: Path, asked: list[tuple[str, str | None, int]], *given: Any) -> None:
        self.folder, self.asked = folder, asked
        super().__init__(*given)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path in _ABOUT:
            names = [{"rfilename": file["path"]} for file in self._files()]
            self._send(json.dumps({"id": NAME, "sha": COMMIT, "private": False, "siblings": names}).encode())
        elif path.startswith(_TREE) and (held := self._tree(path.removeprefix(_TREE).strip("/"))):
            self._send(json.dumps(held).encode())
        elif path.startswith(_FILE) and (self.folder / path.removeprefix(_FILE)).is_file():
            self._send_file(path.removeprefix(_FILE))
        else:
            self._none()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if urlsplit(self.path).path != _PATHS:
            return self._none()
        wanted = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
        self._send(json.dumps([file for file in self._files() if file["path"] in wanted]).encode())

    def _files(self) -> list[dict[str, Any]]:
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [
            {"type": "file", "path": path.relative_to(self.folder).as_posix(), "size": path.stat().st_size,
             "oid": sha1(path.read_bytes()).hexdigest()}
            for path in paths
        ]  # fmt: skip

    def _tree(self, below: str) -> list[dict[str, Any]]:
        inside = [file for file in self._files() if file["path"].startswith(f"{below}/" if below else "")]
        if "recursive=true" in self.path.lower():
            return inside
        depth = len(below.split("/")) if below else 0
        folders = {"/".join(file["path"].split("/")[: depth + 1]) for file in inside if file["path"].count("/") > depth}
        listed = [{"type": "directory", "path": folder, "oid": "0" * 40, "size": 0} for folder in sorted(folders)]
        return [file for file in inside if file["path"].count("/") == depth] + listed

    def _send_file(self, name: str) -> None:
        held, part = (self.folder / name).read_bytes(), self.headers.get("Range")
        whole, headers = len(held), {"ETag": f'"{sha1(held).hexdigest()}"', "X-Repo-Commit": COMMIT}
        if part:
            first, last = (int(end) for end in part.removeprefix("bytes=").split("-"))
            held = held[first : last + 1]
            headers["Content-Range"] = f"bytes {first}-{first + len(held) - 1}/{whole}"
        if self.command == "GET":
            self.asked.append((name, part, len(held)))
        self._send(held, 206 if part else 200, headers)

    def _send(self, held: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(held)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(held)

    def _none(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound" if COMMIT in self.path else "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[tuple[str, str | None, int]]]]:
    """The folder as the data set NAME: the address of the Hub that has it, and what was asked of its files."""
    asked: list[tuple[str, str | None, int]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, folder, asked))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
