"""A real browser, Debian's Chromium, before the viewer: a server with its network, and an export opened from files.

Playwright's own fixtures are not used: they would clash with those of other tests, and bring a browser of their own.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.viewer.browser import SHELL, WHOLE, launched
from bench.viewer.server import LAYERSCOPE, ROOT, started
from tests.browser.places import SLUG, Folder, Server, Shown, Venue, shown
from tests.browser.waiting import PATIENCE_MS
from tests.browser.watching import Watch

WIDE = {"width": 1280, "height": 800}
TESTED = (SHELL, WHOLE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-pictures", action="store_true", help="write the reference pictures anew")
    parser.addoption("--atlas", type=Path, help="an atlas that tests/browser/made.py wrote before; spares a minute")


def once_for_all(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A file or folder that no test changes: made by the first worker that asks for it, which the others wait for."""
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    path, half = place / name, place / "half" / name
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            half.parent.mkdir(exist_ok=True)
            make(half)
            half.rename(path)
    return path


@pytest.fixture(scope="session")
def atlas(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The atlas that is shown (tests/browser/made.py)."""
    given = request.config.getoption("--atlas")

    def make(path: Path) -> None:
        if given is not None:
            shutil.copy(given, path)
        else:
            subprocess.run([sys.executable, "-m", "tests.browser.made", str(path)], cwd=ROOT, check=True)

    return shown(once_for_all(tmp_path_factory, f"{SLUG}.atlas", make))


def exported(path: Path, folder: Path, *words: str) -> Folder:
    """The export of an atlas, as files."""
    command = [*LAYERSCOPE, "export", str(path), str(folder), *words, "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return Folder(origin=folder.resolve().as_uri())


@pytest.fixture(scope="session")
def server(atlas: Shown) -> Iterator[Server]:
    """`layerscope live` over the atlas: the pages of `serve`, and the live ones."""
    with started("live", str(atlas.path), "worldnet") as found:
        yield Server(origin=found.origin)


@pytest.fixture(scope="session")
def folder(atlas: Shown, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The atlas as a folder of pages."""
    site = once_for_all(tmp_path_factory, "exported", lambda path: exported(atlas.path, path))
    return Folder(origin=site.resolve().as_uri())


@pytest.fixture(params=["http", "file"])
def venue(request: pytest.FixtureRequest) -> Venue:
    """The same journey through a server and through files."""
    return request.getfixturevalue("server" if request.param == "http" else "folder")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launched(playwright, names=TESTED)
    yield browser
    browser.close()


Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opened]:
    """Opens an address in a context of its own, with Playwright's options; at the end nothing may have gone wrong.

    The page's `watch` is in `watches`, in the order of opening.
    """
    contexts: list[Any] = []
    watches: list[Watch] = []

    def open_page(address: str, *, browser: Browser | None = None, **options: Any) -> Page:
        # Of a file's address everything up to the site's folder would do; "file://" is what no page may leave.
        origin = "file://" if address.startswith("file:") else "/".join(address.split("/")[:3])
        context = (browser or chromium).new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        watches.append(Watch(origin))
        page = watches[-1].over(context.new_page())
        page.goto(address)
        return page

    open_page.watches = watches  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    assert [trouble for watch in watches for trouble in watch.troubles] == []
