"""The server as a process or a thread: a free port, one address to open, a quiet end."""

import errno
import os
import secrets
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import quote

import uvicorn

from layerscope.core.errors import UsageError
from layerscope.core.settings import BASE, HOST, PORT
from layerscope.viewer.app import guarded
from layerscope.viewer.engine import LiveEngine
from layerscope.viewer.guard import Door, is_loopback, plain_base
from layerscope.viewer.shelf import Shelf

# How many ports are tried, from the one asked for on.
PORTS_TRIED = 100
# Connections, idle ones too: a browser holds six, and one more for the live page. Beyond that a client gets a 503, so
# that one that opens connections without end cannot use up the process's files, of which many systems allow 1,024.
CONNECTIONS = 512
# A picture of the live page has at most 8 MiB, with 16 bytes of header before it.
MESSAGE_BYTES = 8 * 2**20 + 16
GRACE_SECONDS = 2


class Running:
    """A server that was started. door: where it listens; address: what to open, with the token where one is needed."""

    def __init__(
        self, shelf: Shelf, *, host: str = HOST.default, port: int = PORT.default, base: str = BASE.default,
        public: Sequence[str] = (), engine: LiveEngine | None = None,
    ) -> None:  # fmt: skip
        """Listens from now on; what comes in waits until `run` or `start`. Raises UsageError where it cannot.

        base, public: below which path and under which names a proxy shows the pages, see Door.
        """
        self._listener = listener(host, port)
        names = (socket.gethostname(),) if not is_loopback(host) else ()
        self.door = Door(
            host=host,
            port=self._listener.getsockname()[1],
            names=names,
            token=None if is_loopback(host) else secrets.token_urlsafe(32),
            base=base,
            public=public,
        )
        self._shelf, self._thread = shelf, None
        self._server = _Server(_configured(guarded(shelf, self.door, engine=engine)))

    @property
    def address(self) -> str:
        token = f"?token={self.door.token}" if self.door.token else ""
        return f"http://{_called(self.door.host)}:{self.door.port}{quote(self.door.base)}/{token}"

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until Ctrl-C. ready: called once, when the first page can be had."""
        self._server.ready = ready
        try:
            # uvicorn ends in order, then passes the signal on.
            with suppress(KeyboardInterrupt):
                self._server.run(sockets=[self._listener])
        finally:
            self._close()

    def start(self) -> None:
        """Serve from a thread of its own until `stop` or the end of the process."""
        started = threading.Event()

        def serve() -> None:
            try:
                self.run(started.set)
            finally:
                started.set()

        self._thread = threading.Thread(target=serve, name="layerscope serve", daemon=True)
        self._thread.start()
        started.wait()

    def wait(self) -> None:
        """Wait for a server that `start` began; Ctrl-C, or a signal to terminate, ends it in order."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
            signal.signal(signal.SIGTERM, before)

    def stop(self) -> None:
        """End a server that `start` began; a second call does nothing."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(GRACE_SECONDS + 3)

    def _close(self) -> None:
        self._listener.close()
        self._shelf.close()


def shelf_below(paths: Sequence[str | os.PathLike[str]], base: str) -> Shelf:
    """The atlases, each under a name that the base does not begin with. Raises AtlasError and UsageError."""
    return Shelf(paths, taken=plain_base(base).split("/")[1:2])


class _Server(uvicorn.Server):
    """uvicorn, but it says when it can be asked."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self.ready()


def _configured(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws="websockets-sansio",
        ws_max_size=MESSAGE_BYTES,
        ws_max_queue=1,
        ws_per_message_deflate=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        log_level="error",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens at this port, or the next free one; 0 is any. Raises UsageError where there is none."""
    for tried in range(port, min(port + PORTS_TRIED, 65536)) if port else (0,):
        try:
            return _listening(host, tried)
        except socket.gaierror as error:
            raise UsageError(f"--host {host} is no address of this machine: {error.strerror}") from error
        except PermissionError as error:
            raise UsageError(f"port {tried} may not be used ({error.strerror}); choose one above 1023") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(f"cannot listen at {host}, port {tried}: {error.strerror}") from error
    raise UsageError(f"the ports from {port} to {tried} are all in use; choose others with --port")


def _listening(host: str, port: int) -> socket.socket:
    local = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    family, kind, protocol, _, place = socket.getaddrinfo(local, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        # On Windows the same word would let a second program take the port from the first.
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def _called(host: str) -> str:
    """The host as it stands in an address; a server on all addresses is called by the machine's name."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def has_display(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody could see a browser that is opened here."""
    if environment.get("SSH_CONNECTION") and not environment.get("DISPLAY"):
        return False
    return platform in ("darwin", "win32") or any(environment.get(one) for one in ("DISPLAY", "WAYLAND_DISPLAY"))


def open_browser(address: str) -> None:
    """Show the address in the user's browser, if there is one; without waiting for it."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
