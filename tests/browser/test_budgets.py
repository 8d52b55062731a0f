"""What a layer of 2,048 units asks of a browser, in numbers that are the same on every machine.

`make bench-viewer` has the times.
"""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from bench.viewer.server import started
from bench.viewer.wide import UNITS, write_wide
from tests.browser.conftest import Opened

SECTION = 64
END = "scrollTo(0, document.documentElement.scrollHeight)"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address."""
    path = write_wide(tmp_path_factory.mktemp("wide") / "wide.atlas")
    with started("serve", str(path)) as found:
        yield f"{found.origin}/wide/l/layer4.2"


def test_a_wide_layer_asks_for_little(opened: Opened, wide: str):
    """400 KiB of HTML and 20 requests before scrolling; a jump to its end asks for the sprites there, and no others."""
    assert len(urlopen(wide).read()) <= 400 * 1024
    page = opened(wide)
    page.wait_for_load_state("networkidle")
    asked = opened.watches[0].requests
    before = len(asked)
    assert before <= 20
    assert page.evaluate("document.querySelectorAll('*').length") <= 8 * UNITS
    with page.expect_request("**/sprite/**"):
        page.evaluate(END)
    page.wait_for_load_state("networkidle")
    sprites = {address for address in asked if "/sprite/" in address}
    assert before < len(asked)
    assert len(sprites) < UNITS // SECTION


def test_every_unit_of_a_wide_layer_is_found(opened: Opened, wide: str):
    """By the browser's own search, which a list that is only partly there would hide from it."""
    assert opened(wide).evaluate("[find('1999'), String(getSelection())]") == [True, "1999"]
