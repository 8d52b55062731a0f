"""What every page gives to whoever hands it on: words and a picture for chats, its values, its place, a citation."""

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from layerscope.viewer.app import create_app
from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.pages import PAGES, Query
from layerscope.viewer.pages.telling import as_json, facts_of
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.viewing import HOSTILE_NAMES, rename_all, viewing

PAGES_OF_ONE = {
    "lesson": "", "network": "network", "layer": "l/features.1", "unit": "l/features.1/u/0", "image": "i/0",
    "concepts": "concepts", "compare": "compare", "about": "about",
}  # fmt: skip


class Head(HTMLParser):
    """What a page says of itself to others. said: by name or property. data: its JSON. below: its place."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.said: dict[str, str] = {}
        self.data = self.below = self.address = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and {"name", "property"} & set(given):
            self.said[given.get("name") or given["property"]] = given["content"]
        if tag == "link" and given.get("rel") == "alternate":
            assert given["type"] == "application/json"
            self.data = given["href"]
        if tag == "section" and given.get("class") == "share":
            self.below, self.address = given["data-below"], given.get("data-address", "")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_atlas(tmp_path_factory.mktemp("atlas") / "full.atlas", units=4, images=12)


@pytest.fixture(scope="module")
def browser(atlas: Path) -> Iterator[TestClient]:
    with viewing(atlas) as made:
        yield made


@pytest.fixture(scope="module")
def site(atlas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "site"
    export(atlas, folder, ExportChoice(url="https://lab.example.org/net/"))
    return folder


@pytest.mark.parametrize("name", PAGES_OF_ONE)
def test_a_served_page_says_itself(browser: TestClient, name: str) -> None:
    """A description, a title, a picture where it shows one, JSON that answers, and its place below the atlas."""
    head = Head(browser.get(f"/full/{PAGES_OF_ONE[name]}").text)
    assert head.said["og:title"] and head.said["og:site_name"] == "layerscope"
    assert 20 < len(head.said["description"]) < 300 and head.said["og:description"] == head.said["description"]
    assert "og:url" not in head.said and head.address == ""
    assert head.below == PAGES_OF_ONE[name]
    values = browser.get(head.data)
    assert values.headers["Content-Type"] == "application/json" and json.loads(values.text)
    if name in ("lesson", "network", "layer", "unit", "image"):
        picture = browser.get(head.said["og:image"])
        assert picture.status_code == 200 and picture.headers["Content-Type"].startswith("image/")


def test_the_page_of_all_atlases_has_words_and_values(atlas: Path, tmp_path: Path) -> None:
    """It is of no atlas: no place below one, and nothing to cite."""
    other = Path(shutil.copy(atlas, tmp_path / "other.atlas"))
    with viewing(atlas, other) as browser:
        text = browser.get("/").text
        head = Head(text)
        assert head.said["description"] and browser.get(head.data).status_code == 200
    assert head.below == "" and "bibtex" not in text


def test_words_say_what_is_on_the_page(browser: TestClient) -> None:
    """Of a unit which one, of which network, over how many images; of a layer how many units."""
    unit = Head(browser.get("/full/l/features.1/u/0").text).said["description"]
    assert unit.startswith("Unit 0 of features.1 of torchvision:smallnet: the nine of 10 images that excite it most")
    assert re.search(r"Closest concept: .*, score 0\.\d\d\.$|At its peaks: ", unit)
    dead = Head(browser.get("/full/l/features.1/u/3").text)
    assert "it has no peaks" in dead.said["description"] and "og:image" not in dead.said
    assert Head(browser.get("/full/l/features.1").text).said["description"].startswith("4 units of features.1 of")


def test_values_keep_what_was_asked(browser: TestClient) -> None:
    """The JSON of a sorted and searched page is of the same units."""
    head = Head(browser.get("/full/l/features.1?sort=max&q=2").text)
    sections = browser.get(head.data).json()["sections"]
    assert [row["unit"] for section in sections for row in section["units"]] == [2]


@pytest.mark.parametrize("name", PAGES_OF_ONE)
def test_an_exported_page_says_itself(site: Path, browser: TestClient, name: str) -> None:
    """The same words; whole addresses where it is known under which the site will stand; JSON beside the page."""
    page = PAGES.own[name]
    path = page.path({"layer": "features.1", "unit": "0", "image": "0"})
    head, served = (Head(text) for text in ((site / path).read_text(), browser.get(f"/full/{PAGES_OF_ONE[name]}").text))
    assert head.said["og:title"] == served.said["og:title"]
    assert head.said["description"] == served.said["description"]
    assert head.said["og:url"] == head.address == f"https://lab.example.org/net/{path}" and head.below == path
    values = site / path.replace(".html", ".json")
    assert ((site / path).parent / head.data).resolve() == values.resolve()
    assert values.read_text() == browser.get(served.data).text or page.in_export or name == "compare"
    if "og:image" in served.said:
        picture = head.said["og:image"].removeprefix("https://lab.example.org/net/")
        assert (site / picture).read_bytes() == browser.get(served.said["og:image"]).content


def test_without_an_address_a_picture_is_named_as_the_page_sees_it(atlas: Path, tmp_path: Path) -> None:
    """And nothing claims a host. Without photographs it is a projection; without either there is none."""
    for choice, picture in (
        (ExportChoice(photographs=False), "0-projections-deconvnet-natural.jpg"),
        (ExportChoice(photographs=False, projections=False), None),
    ):
        folder = tmp_path / str(picture)
        export(atlas, folder, choice)
        head = Head((folder / "l/features.1/u/0.html").read_text())
        assert head.said.get("og:image") == (picture and f"../../../l/features.1/u/{picture}")
        assert "og:url" not in head.said and head.address == ""
        assert "photos" not in (folder / "l/features.1/u/0.html").read_text()


def test_values_of_an_export_are_its_facts(atlas: Path, site: Path) -> None:
    """Byte by byte what a server says to ?format=json."""
    (book,) = shelf = Shelf([atlas])
    for unit in range(4):
        found = facts_of(PAGES.own["unit"], book, Query(), layer="features.4", unit=unit)
        assert (site / f"l/features.4/u/{unit}.json").read_text() == as_json(found)
    shelf.close()


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_names_in_heads_stay_words(tmp_path: Path, name: str) -> None:
    """Whatever a network, layer or class is called: in a description, a title, a citation it is only text."""
    copy = small_atlas(tmp_path / "hostile.atlas", units=2, k=2, images=6)
    rename_all(copy, name)
    with viewing(copy) as browser:
        for address in ("", "l/l0", "l/l0/u/0", "i/0"):
            text = browser.get(f"/hostile/{address}").text
            head = Head(text)
            assert set(head.said) <= {
                "viewport", "color-scheme", "description", "og:type", "og:site_name", "og:title", "og:description",
                "og:image",
            }, address  # fmt: skip
            assert text.count('<section class="share"') == 1 and text.count('<pre id="bibtex">') == 1


def test_a_strange_host_gets_no_address(atlas: Path) -> None:
    """What a request calls the server is in no page: whoever asks could make it say anything."""
    shelf = Shelf([atlas])
    with TestClient(create_app(shelf), base_url="http://evil.example:1234") as browser:
        for address in PAGES_OF_ONE.values():
            assert "evil.example" not in browser.get(f"/full/{address}").text
    shelf.close()
