"""Tiles that are made on request, for units of which the build kept none."""

import re

import pytest
from starlette.testclient import TestClient

from layerscope.viewer.app import create_app
from tests.helpers.live import LAYERS, picture, picture_of


@pytest.fixture
def browser(shelf, engine):
    with TestClient(create_app(shelf, engine=engine)) as made:
        yield made


@pytest.mark.parametrize("method", ["deconvnet", "guided", "gradient"])
def test_the_page_shows_what_the_network_made(browser, method):
    """Every tile by the method asked for, with what is of an original, and what of the scan comes back."""
    address = f"/small/l/{LAYERS[0][0]}/u/2/tiles?method={method}"
    page = browser.get(f"{address}&format=json").json()
    assert (page["method"], page["originals"], page["back"], len(page["tiles"])) == (method, 1, 1, 2)
    text = browser.get(address).text
    assert "One of the two are of the images" in text and "One of the two activations of the scan comes back" in text
    shown = re.findall(r'src="(/small/tiles/[^"]+)"', text)
    assert len(shown) == 4
    assert [browser.get(one).content for one in shown[:2]] == [picture_of(method, 2), picture(2)]


def test_what_is_not_there_is_a_404(browser):
    """Units, methods, ranks and layers that do not exist."""
    layer = LAYERS[0][0]
    for address in (f"l/{layer}/u/99/tiles", f"l/{layer}/u/1/tiles?method=magic", "l/nolayer/u/1/tiles"):
        assert browser.get(f"/small/{address}").status_code == 404, address
    for address in ("tiles/1/2/9/patch.png", "tiles/1/2/0/magic.png"):
        assert browser.get(f"/small/{address}").status_code == 404, address


def test_without_a_network_none_are_made(shelf):
    """Neither page nor tile."""
    with TestClient(create_app(shelf)) as plain:
        for address in (f"l/{LAYERS[0][0]}/u/2/tiles", "tiles/1/2/0/patch.png"):
            assert plain.get(f"/small/{address}").status_code == 404
