"""Who answers at an address is told in one sentence, within seconds, whoever it is."""

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from layerscope.core.errors import UsageError
from layerscope.engines import asking
from layerscope.engines import cluster as of_cluster

TOKEN = "a token of forty letters"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token of this machine's; a Ray that was asked would be a failure."""
    for name in [name for name in os.environ if name.startswith("RAY_AUTH")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(of_cluster.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(of_cluster.ray, "init", lambda *_, **__: pytest.fail("Ray was asked"))


class Guarded(grpc.GenericRpcHandler):
    """Answers the questions to a cluster, or to its port for `ray://`, by the token alone."""

    def service(self, details):
        if "/ray.rpc." not in details.method:
            return None
        sent = dict(details.invocation_metadata).get("authorization")

        def answer(request, context):
            if sent != f"Bearer {TOKEN}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a cluster that demands a token."""
    server = grpc.server(ThreadPoolExecutor(2), (Guarded(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@contextmanager
def saying(words: bytes) -> Iterator[str]:
    """The address of a server that says the same to everybody, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                    held[-1].sendall(words)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


def refused(address: str) -> str:
    with pytest.raises(UsageError) as told, of_cluster.connected(address, 1):
        raise AssertionError("it was connected")
    return str(told.value)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_demands_a_token_says_so(
    guarded: str, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    """Without one, with a wrong one, and with the file that is not used without being asked for; the right one is let
    through, from the file, the variable or another file."""
    address = scheme + guarded
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text(TOKEN + "\n")
    assert "demands a token: copy the file ~/.ray/auth_token" in refused(address)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    asking.require_cluster(address)
    file.write_text("another")
    assert f"{address} demands another token than this machine has" in refused(address)
    (tmp_path / "right").write_text(TOKEN)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "right"))
    asking.require_cluster(address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    assert "set RAY_AUTH_MODE=token" in refused(address)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_told_from_a_cluster(words: bytes, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    """One of ssh, one of HTTP, and one that says nothing."""
    monkeypatch.setattr(asking, "CALL_SECONDS", 2.0)
    with saying(words) as address:
        for named in (address, f"ray://{address}"):
            assert f"what answers at {named} is no Ray cluster" in refused(named)
    assert capfd.readouterr() == ("", "")


def test_an_address_of_the_environment_is_asked_too(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is said, Ray takes that one."""
    monkeypatch.setenv("RAY_ADDRESS", guarded)
    with pytest.raises(UsageError, match=f"{guarded} demands a token"), of_cluster.connected(None, 1):
        raise AssertionError("it was connected")
