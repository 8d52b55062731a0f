"""A picture at every layer: for images of the atlas, for pictures that are sent, and as one file."""

import re
import threading

import numpy as np
import pytest
from starlette.testclient import TestClient

from layerscope.core.errors import ImageError
from layerscope.viewer.app import create_app
from layerscope.viewer.frames import PICTURE_BYTES
from layerscope.viewer.gallery import MOST_BYTES, MOST_PICTURES, WAITING, Busy, Gallery
from layerscope.viewer.pages.live import VIRIDIS
from tests.helpers.live import LAYERS, FakeEngine, mark, picture, picture_of


@pytest.fixture
def browser(shelf, engine):
    with TestClient(create_app(shelf, engine=engine)) as made:
        yield made


@pytest.fixture(scope="module")
def pictured(shelf) -> int:
    """An image whose small copy the atlas keeps."""
    file = shelf.book("small").file
    return next(image.id for image in file.images() if file.encoded_picture(image.id) is not None)


def addresses(text: str) -> set[str]:
    """What the page's pictures and links lead to."""
    return set(re.findall(r'(?:href|src)="(/[^"#]*)"', text))


def test_an_image_of_the_atlas(browser, engine, pictured, shelf):
    """Its page shows what the network says of it, and all that it leads to exists."""
    answer = browser.get(f"/small/look?image={pictured}")
    assert answer.status_code == 200 and f"Image {pictured}" in answer.text
    assert engine.looks == [mark(picture(pictured))]
    for address in addresses(answer.text.replace("&amp;", "&")):
        assert browser.get(address).status_code == 200, address
    shown = browser.get(f"/small/look/image-{pictured}/picture.png").content
    assert shown == picture(pictured) and browser.get("/small/look/image-999999/picture.png").status_code == 404


def test_a_picture_that_is_sent(browser, engine):
    """It is answered with an address that shows it again, as often as one likes, computed once."""
    address = browser.post("/small/look", content=picture(5)).json()["address"]
    assert address == browser.post("/small/look", content=picture(5)).json()["address"]
    text = browser.get(address).text
    assert "Your picture at every layer" in text and mark(picture(5)) in text
    assert engine.looks == [mark(picture(5))]


@pytest.mark.parametrize("method", ["deconvnet", "guided", "gradient"])
def test_the_page_says_what_the_network_says(browser, method):
    """Values, places, boxes and tiles of every layer, by the method that is asked for."""
    address = browser.post("/small/look", content=picture(5)).json()["address"]
    page = browser.get(f"{address}?format=json&method={method}").json()
    assert [layer["layer"]["record"]["name"] for layer in page["layers"]] == [name for name, _ in LAYERS]
    for layer in page["layers"]:
        for rank, one in enumerate(layer["units"], 1):
            assert (one["rank"], one["unit"], one["value"], one["relative"]) == (rank, rank - 1, 4.0 - rank, 0.5)
            assert one["tile"] == [4, 4, 16, 16] and one["sees"] == [0, 0, 20, 20]
            tile = browser.get(f"{address}/{layer['layer']['id']}/{one['unit']}/{method}.png")
            assert tile.content == picture_of(method, one["unit"])
        # Gradient projections are not in this atlas: beside them stand those of the layer's plate.
        assert layer["stored"] == (
            layer["layer"]["method"] if method == "gradient" or not layer["layer"]["method"] else method
        )


@pytest.mark.parametrize("even", [True, False])
def test_the_page_says_which_file_was_looked_at_and_what_comes_back(browser, shelf, even):
    """The original, or the kept copy with its size; of either how many of the scan's activations come back."""
    file = shelf.book("small").file
    image = next(one.id for one in file.images() if file.has_picture(one.id) and (one.id % 2 == 0) == even)
    text = browser.get(f"/small/look/image-{image}").text.replace("\N{NO-BREAK SPACE}", " ")
    assert ("the image's original, found by its name" in text) == even
    assert ("this is the copy that the atlas keeps, of 16 × 16 px" in text) != even
    assert ("1 of 2 activations are the scan's" in text) != even
    assert "Of the 6 activations that the scan kept of it 3 come back to within 1 %; the median of all is 50" in text
    page = browser.get(f"/small/look/image-{image}?format=json").json()
    kept = {(layer, unit): peak.value for layer, unit, peak in file.peaks_in(image)}
    assert kept
    for layer in page["layers"]:
        for one in layer["units"]:
            assert one["scanned"] == kept.get((layer["layer"]["id"], one["unit"]))


def test_a_picture_may_be_kept_before_it_is_looked_at(browser, engine):
    """With ?keep nothing is computed; the bytes come back as they were sent; the page looks when it is asked for."""
    answer = browser.post("/small/look?keep", content=picture(7)).json()
    assert engine.looks == []
    sent = browser.get(f"{answer['address']}/sent")
    assert sent.content == picture(7) and sent.headers["content-type"] == "image/png"
    assert answer["address"] == f"/small/look/{answer['key']}"
    assert mark(picture(7)) in browser.get(answer["address"]).text and engine.looks == [mark(picture(7))]
    assert browser.post("/small/look?keep", content=b"GIF89a").status_code == 415
    assert browser.get("/small/look/nothing/sent").status_code == 404
    assert browser.get("/small/look/image-0/sent").status_code == 404


def test_where_a_dropped_picture_goes(browser, shelf):
    """Every page of a server with a network names where pictures are sent to; any other says how a network is had."""
    for address in ("/", "/small/", "/small/about", "/small/images"):
        assert 'data-look="/small/look"' in browser.get(address).text
    with TestClient(create_app(shelf)) as plain:
        text = plain.get("/small/").text
    assert 'data-look=""' in text and "layerscope live small.atlas NETWORK" in text


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [(b"", 415, "neither"), (b"GIF89a", 415, "neither"), (bytes(PICTURE_BYTES + 1), 413, "at most 8 MiB")],
)
def test_what_cannot_be_used_is_said(browser, content, status, words):
    """S10: a sentence with a fitting status, and nothing is kept."""
    answer = browser.post("/small/look", content=content)
    assert answer.status_code == status and words in answer.json()["error"]


def test_a_body_without_a_length_is_cut_off(browser):
    """A body that never says how long it is ends where a picture's limit is."""
    taken = []

    def endless():
        for _ in range(40):
            taken.append(1)
            yield bytes(1 << 20)

    assert browser.post("/small/look", content=endless()).status_code == 413


@pytest.mark.parametrize(
    "address",
    ["look/nothing", "look?image=999999", "look?image=x", "look?image=-1", "look?image=" + "9" * 50, "look/image-x"],
)
def test_what_is_not_there_is_a_404(browser, address):
    """With a sentence; so is another method, or a unit that does not fire."""
    assert browser.get(f"/small/{address}").status_code == 404


def test_wrong_parts_of_a_page(browser, pictured):
    """Methods and units that do not exist are a 404; without an image one is led to the live page."""
    page = f"/small/look/image-{pictured}"
    assert browser.get(f"{page}?method=magic").status_code == 404
    assert browser.get(f"{page}/1/5/guided.png").status_code == 404
    assert browser.get(f"{page}/1/0/magic.png").status_code == 404
    assert browser.get("/small/look", follow_redirects=False).headers["location"] == "/small/live"


def test_the_live_page(browser, shelf, pictured):
    """It names every layer, asks for the camera only when told to, and its facts lead to sheets that exist."""
    answer = browser.get("/small/live")
    assert answer.status_code == 200 and answer.headers["Permissions-Policy"] == "camera=(self)"
    facts = browser.get("/small/live?format=json").json()
    assert [layer["name"] for layer in facts["layers"]] == [name for name, _ in LAYERS]
    assert pictured in facts["pictured"] and facts["socket"] == "/small/live/socket"
    assert {one["image"] for one in facts["thumbnails"]} <= set(facts["pictured"])
    assert facts["looked"] == "/small/look/{n}"
    for layer in facts["layers"]:
        for pattern in (layer["page"], layer["patches"], *layer["projections"].values()):
            assert browser.get(pattern.replace("{n}", "0")).status_code == 200, pattern
        assert layer["dead"] == [5]
    assert browser.get(facts["picture"].replace("{n}", str(pictured))).status_code == 200


def test_without_a_network_there_is_none_of_it(shelf):
    """A server that only shows the atlas has no live pages and takes nothing."""
    with TestClient(create_app(shelf)) as browser:
        for address in ("/small/live", "/small/look?image=0"):
            assert browser.get(address).status_code == 404
        assert browser.post("/small/look", content=picture(1)).status_code in (404, 405)
        assert "/small/live" not in browser.get("/small/").text


def test_the_gallery_is_bounded():
    """The newest sixteen, and the oldest goes first; asking for one makes it new."""
    gallery = Gallery(FakeEngine().whole)
    keys = [gallery.add(picture(shade)) for shade in range(MOST_PICTURES)]
    assert all(gallery.find(key) for key in keys[1:]) and gallery.find(keys[0])
    gallery.add(picture(MOST_PICTURES))
    assert gallery.find(keys[1]) is None and gallery.find(keys[0]) is not None


def test_large_pictures_leave_sooner():
    """All together stay within their bytes, whatever their number; the newest is always there."""
    gallery, size = Gallery(FakeEngine().whole), MOST_BYTES // 9
    keys = [gallery.add(picture(shade) + bytes(size // 2)) for shade in range(14)]
    held = [key for key in keys if gallery.find(key) is not None]
    assert held == keys[-len(held) :] and 8 <= len(held) < 14
    newest = gallery.add(picture(20) + bytes(MOST_BYTES))
    assert gallery.find(newest) is not None and gallery.find(keys[-1]) is None


def test_pictures_wait_in_a_short_line():
    """One is looked at at a time, a few wait, the next is refused; afterwards there is room again."""
    gate, began = threading.Event(), threading.Semaphore(0)

    def look(content):
        began.release()
        gate.wait(10)
        return FakeEngine().whole(content)

    gallery = Gallery(look)
    threads = [threading.Thread(target=gallery.add, args=(picture(shade),)) for shade in range(WAITING)]
    for thread in threads:
        thread.start()
    assert began.acquire(timeout=10)
    while gallery._waiting < WAITING:
        threads[-1].join(0.01)
    with pytest.raises(Busy, match="try again"):
        gallery.add(picture(99))
    gate.set()
    for thread in threads:
        thread.join(10)
    assert gallery.find(gallery.add(picture(99))) is not None


def test_a_picture_that_fails_is_not_kept():
    """The next try is a new one."""
    gallery = Gallery(FakeEngine().whole)
    for _ in range(2 * WAITING):
        with pytest.raises(ImageError):
            gallery.add(b"nothing")


def test_colours_are_viridis():
    """The live page's table is matplotlib's viridis at its places."""
    import matplotlib

    table = matplotlib.colormaps["viridis"](np.linspace(0, 1, len(VIRIDIS)))
    assert [matplotlib.colors.to_hex(colour) for colour in table] == list(VIRIDIS)
