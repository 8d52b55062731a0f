"""Eight pages look as they did: small pictures of them, kept beside this file, for the Chromium that they were made by.

`make reference-pictures` makes them anew. With another Chromium only the structure is compared, as its accessibility
tree, since each version draws a little differently.
"""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pixelmatch.contrib.PIL import pixelmatch
from playwright.sync_api import Browser, Page

from bench.viewer.server import started
from tests.browser.conftest import Opened
from tests.browser.places import Server
from tests.helpers.books import full_atlas

PICTURES = Path(__file__).with_name("pictures")
MADE_BY = PICTURES / "chromium-version"
SHOWN = {
    "lesson": "/shown/",
    "network": "/shown/network",
    "layer": "/shown/l/features.4",
    "large-layer": "/shown/l/features.4?zoom=large",
    "unit": "/shown/l/features.4/u/2",
    "image": "/shown/i/3",
    "compare": "/shown/compare?u=features.1:0&u=features.1:2",
    "concepts-dark": "/shown/concepts",
}
# Of the pixels of a picture, and how much a pixel may differ.
TOLERANCE, THRESHOLD = 0.001, 0.1


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A small atlas that is the same on every machine: no network made it."""
    path = full_atlas(tmp_path_factory.mktemp("drawn") / "shown.atlas")
    with started("serve", str(path)) as found:
        yield Server(origin=found.origin)


def major(browser: Browser) -> str:
    return browser.version.partition(".")[0]


def ready(opened: Opened, server: Server, name: str) -> Page:
    scheme = "dark" if name.endswith("-dark") else "light"
    small = {"width": 800, "height": 600}
    page = opened(f"{server.origin}{SHOWN[name]}", viewport=small, color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_load_state("networkidle")
    return page


def _structure(page: Page) -> str:
    """The accessibility tree, without what changes with the file's time: the mark in addresses, and the day."""
    snapshot = re.sub(r"/data/[0-9a-f]{12}/", "/data/MARK/", page.locator("body").aria_snapshot())
    return re.sub(r"\d{4}-\d\d-\d\d", "DAY", snapshot) + "\n"


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_looks_as_it_did(
    opened: Opened, chromium: Browser, drawn: Server, name: str, request: pytest.FixtureRequest, tmp_path: Path
):
    """At most one pixel in a thousand differs; by another Chromium's account, no heading, link or field does."""
    page = ready(opened, drawn, name)
    picture, structure = PICTURES / f"{name}.png", PICTURES / f"{name}.aria.yml"
    if request.config.getoption("--renew-pictures"):
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=picture, animations="disabled")
        Image.open(picture).convert("RGB").save(picture, optimize=True)
        structure.write_text(_structure(page), encoding="utf-8")
        MADE_BY.write_text(f"{major(chromium)}\n")
    assert _structure(page) == structure.read_text(encoding="utf-8")
    made_by = MADE_BY.read_text().strip()
    if major(chromium) != made_by:
        warnings.warn(
            f"the pictures were made by Chromium {made_by}, this is {chromium.version}: only structures are compared",
            stacklevel=1,
        )
        return
    page.screenshot(path=tmp_path / "now.png", animations="disabled")
    now, then = (Image.open(path).convert("RGBA") for path in (tmp_path / "now.png", picture))
    assert now.size == then.size
    differing = pixelmatch(then, now, threshold=THRESHOLD)
    assert differing <= TOLERANCE * now.width * now.height, f"{differing} px of {picture.name} differ; see {tmp_path}"
