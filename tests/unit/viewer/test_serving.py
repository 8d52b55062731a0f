"""The server as a process and as a thread: its port, its one address, its start without torch, its quiet end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.core.errors import AtlasError, NotAnAtlas, UsageError
from layerscope.viewer import serving
from layerscope.viewer.serving import Running, has_display, listener
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=6, images=20)


@pytest.fixture
def running(atlas):
    made = Running(Shelf([atlas]), port=0)
    made.start()
    yield made
    made.stop()


def got(address: str, **headers: str) -> tuple[int, str]:
    """The status and text that an address answers with."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_server_in_a_thread_answers_until_it_is_stopped(atlas):
    """Its pages can be had as soon as it was started; afterwards nobody listens, and its port is free."""
    made = Running(Shelf([atlas]), port=0)
    made.start()
    assert got(made.address)[0] == 200
    assert "small" in got(made.address)[1]
    assert got(made.address, Host="evil.test")[0] == 400
    made.stop()
    made.stop()
    with pytest.raises(OSError):
        got(made.address)
    listener("127.0.0.1", made.door.port).close()


def test_a_port_in_use_is_passed_over():
    """The next free port is taken; where none is left, that is said."""
    with listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listener("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] < port + serving.PORTS_TRIED


def test_no_port_left_is_said(monkeypatch):
    """When all that are tried are in use, the sentence names them and the option."""
    monkeypatch.setattr(serving, "PORTS_TRIED", 1)
    with listener("127.0.0.1", 0) as first, pytest.raises(UsageError, match="all in use; choose others with --port"):
        listener("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_a_host_of_others_is_said(host):
    """A name that is no address of this machine is a mistake, told in a sentence."""
    with pytest.raises(UsageError, match=re.escape(host)):
        listener(host, 0)


def test_other_machines_need_the_token(atlas):
    """S3, S4: on all addresses the printed one holds a new token, and without it there is nothing."""
    first, second = Running(Shelf([atlas]), host="0.0.0.0", port=0), Running(Shelf([atlas]), host="0.0.0.0", port=0)
    first.start()
    second.start()
    try:
        token, other = (one.address.partition("?token=")[2] for one in (first, second))
        assert len(token) == 43
        assert token != other
        here = f"http://127.0.0.1:{first.door.port}/"
        assert got(here)[0] == 403
        assert got(f"{here}?token={other}")[0] == 403
        assert got(here, Cookie=f"{first.door.cookie}={token}")[0] == 200
        assert first.address.startswith(f"http://{socket.gethostname()}:")
    finally:
        first.stop()
        second.stop()


def test_loopback_needs_no_token(running):
    """S4: on this machine alone the address is plain."""
    assert running.door.token is None
    assert running.address == f"http://127.0.0.1:{running.door.port}/"


def test_the_server_does_not_name_itself(running):
    """An answer does not tell which server made it."""
    with urllib.request.urlopen(running.address) as answer:
        assert "server" not in {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    "platform, environment, seen",
    [("linux", {}, False), ("linux", {"DISPLAY": ":0"}, True), ("linux", {"WAYLAND_DISPLAY": "w"}, True),
     ("darwin", {}, True),
     ("win32", {}, True), ("darwin", {"SSH_CONNECTION": "a"}, False), ("linux", {"SSH_CONNECTION": "a",
     "DISPLAY": ":9"}, True)],
)  # fmt: skip
def test_a_browser_is_opened_where_it_is_seen(platform, environment, seen):
    """Only where there is a display to show it."""
    assert has_display(platform, environment) is seen


def test_an_atlas_serves_itself(atlas):
    """`atlas.serve()` gives a link: text, a notebook's link without script, and an end."""
    with ls.open(atlas) as opened:
        link = opened.serve(port=0)
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", str(link))
        assert got(str(link))[0] == 200
        assert link._repr_html_() == f'<a href="{link}" target="_blank" rel="noopener noreferrer">{link}</a>'
        assert str(link) in repr(link)
    finally:
        link.stop()


def cut(atlas: Path, place: Path) -> Path:
    place.write_bytes(atlas.read_bytes()[:-700])
    return place


def test_bad_atlases_are_refused_at_the_start(atlas, tmp_path):
    """One that is missing, cut or something else is named in a sentence before anything is served."""
    (tmp_path / "text.atlas").write_text("text" * 999)
    for bad, kind in ((tmp_path / "no.atlas", AtlasError), (cut(atlas, tmp_path / "cut.atlas"), NotAnAtlas),
                      (tmp_path / "text.atlas", NotAnAtlas), (tmp_path, NotAnAtlas)):  # fmt: skip
        with pytest.raises(kind, match=re.escape(str(bad))):
            Shelf([atlas, bad])


# Whoever starts the tests in the background may have Ctrl-C ignored, which processes hand down.
START = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from layerscope.cli import main
status = main(sys.argv[1:])
heavy = {"torch", "torchvision", "matplotlib", "pandas"} & set(sys.modules)
print("heavy", sorted(heavy), file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("spoken", [[], ["--json"]])
def test_the_command_ends_quietly(atlas, spoken):
    """One line on stdout, the address; Ctrl-C ends it with status 0, without a traceback; torch is never loaded."""
    words = ["serve", str(atlas), "--port", "0", "--no-browser", *spoken]
    with subprocess.Popen(
        [sys.executable, "-c", START, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(3 if spoken else 1))
        address = json.loads(printed)["address"] if spoken else printed.strip()
        assert got(address)[0] == 200
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest) == (0, "")
    assert errors.splitlines() == ["Ctrl-C ends it", "heavy []"]


def test_the_room_needs_no_torch():
    """Importing the viewer loads neither torch nor what draws figures."""
    heavy = "{'torch', 'torchvision', 'matplotlib', 'pandas'}"
    code = f"import sys, layerscope.viewer.serving; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
