"""What a notebook shows: whole and small pages, without scripts, in which no name becomes markup."""

from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from layerscope.api import html, notebook
from layerscope.api.atlas import open as open_atlas
from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.read import Encoded
from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concept_words import concept_words
from layerscope.core.geometry import Field, Window
from layerscope.core.records import ImageRecord, Input, LayerRecord, Peaks
from tests.helpers.atlases import INPUT, layer_records, small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.written import once

LIMIT = 300_000
TAGS = {"p", "b", "table", "tr", "th", "td", "div", "span", "br", "img"}
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;"


class Page(HTMLParser):
    """The tags, attributes, text and pictures of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.pictures: list[bytes] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "img":
            head, data = dict(attrs)["src"].split(",")
            assert head in ("data:image/jpeg;base64", "data:image/webp;base64", "data:image/png;base64")
            self.pictures.append(b64decode(data, validate=True))
        elif tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def checked(page: str) -> Page:
    """The page, which is small, closed, made of plain tags, and free of scripts and addresses."""
    parsed = Page(page)
    assert len(page.encode()) < LIMIT
    assert parsed.open == []
    assert set(parsed.tags) <= TAGS
    assert parsed.attributes <= {"src", "alt", "style"}
    assert "http" not in page
    return parsed


@once
def noisy_atlas(path, *, units: int, side: int, k: int, name: str = "layer", layers: int = 1):
    """An atlas of the worst tiles there are, colour noise, in large sheets; and of the names given."""
    rng = np.random.default_rng(0)
    pixels = encode(grid(rng.integers(0, 256, (k, side, side, 3), dtype=np.uint8)))
    axis = Window(size=11, step=4, start=0)
    peaks = Peaks.empty(units, k)
    peaks.value[:], peaks.image[:] = 1, np.arange(k)
    with AtlasWriter.create(path) as writer:
        writer.start_run(RunRecord(network=name, images=name, k=k, input=Input(height=224, width=224)))
        writer.put_images(ImageRecord(id=i, source=f"{i}{name}", label=name) for i in range(k))
        writer.put_nodes([NodeRecord(id=0, name=name, op="relu", module="", shape=())])
        for number in range(layers):
            record = LayerRecord(
                name=f"{name}{number or ''}", path=name, node=0, kind=name, units=units, map=(7, 7),
                field=Field(rows=axis, cols=axis),
            )  # fmt: skip
            writer.put_layer(number, record)
            writer.set_layer_plate(number, tile=side, method="deconvnet", why=name)
        with writer.transaction():
            writer.put_peaks(0, peaks, record.field)
            for unit in range(units):
                for key in (("patches", "", ""), ("projections", "deconvnet", "natural")):
                    writer.put_sheet(0, unit, *key, [1.0] * k, "jpeg", pixels)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with open_atlas(small_atlas(tmp_path_factory.mktemp("html") / "small.atlas", units=6, images=24)) as atlas:
        yield atlas


def test_an_atlas_is_a_table_of_its_layers(small):
    """Network, images and a row per layer."""
    page = checked(small._repr_html_())
    assert page.tags.count("tr") == 4
    for words in ("torchvision:smallnet", "features.1", "23 × 23 px", "whole picture", "patches only", "guided"):
        assert words in page.text


def test_a_layer_shows_every_unit(small):
    """Projections beside patches for each unit; a dead one is named, without pictures."""
    page = checked(small["features.4"]._repr_html_())
    assert len(page.pictures) == 2 * 5
    assert "no peaks" in page.text
    assert len(checked(small["classifier.1"]._repr_html_()).pictures) == 5


def test_a_unit_shows_the_stored_pictures(small):
    """The very bytes of the atlas: projections by the plate's method, patches, the other method; and a row per peak."""
    page = checked(small["features.4"][0]._repr_html_())
    natural = [("projections", method, "natural") for method in ("guided", "deconvnet")]
    sheets = [natural[0], ("patches", "", ""), natural[1]]
    assert page.pictures == [small.file.encoded_sheet(1, 0, *key).pixels for key in sheets]
    assert page.tags.count("tr") == 10
    assert "photos/" in page.text


def test_small_tiles_are_enlarged(small, tmp_path):
    """Nine tiles of 8 px, or of 24, are shown 72 px wide each, with hard edges; larger ones as they are stored."""
    for layer in ("features.1", "features.4"):
        assert small[layer][0]._repr_html_().count("width:216px;image-rendering:pixelated") == 3
    with open_atlas(noisy_atlas(tmp_path / "a.atlas", units=1, side=96, k=9)) as atlas:
        assert "width:" not in atlas["layer"][0]._repr_html_()


def test_a_unit_says_what_it_is_called(tmp_path):
    """Its concept in words beside its number, and how that was found; without a name the classes that excite it."""
    with open_atlas(full_atlas(tmp_path / "full.atlas", units=6, images=24)) as atlas:
        layer = atlas["features.4"]
        named, concept = checked(layer[0]._repr_html_()), layer[0].concept.concept
        assert f"features.4, unit 0, {concept_words(concept)}: 9 peaks" in named.text
        assert "Closest concept" in named.text and "Runners-up" in named.text
        assert concept_words(concept) in checked(layer._repr_html_()).text
        assert "most units are named" in checked(atlas._repr_html_()).text
        favourite = max((mean, name) for name, mean in layer[1].statistics.class_means.items())[1]
        assert f"fires most for {favourite}" in checked(layer[1]._repr_html_()).text


def test_a_dead_unit_is_described(small):
    """No pictures, no table, one sentence."""
    page = checked(small["features.4"][5]._repr_html_())
    assert page.pictures == []
    assert "never above zero" in page.text


def test_the_largest_layer_fits(tmp_path):
    """64 units of the largest tiles with the least compressible content: all of them are shown, below the limit."""
    with open_atlas(noisy_atlas(tmp_path / "a.atlas", units=70, side=96, k=9)) as atlas:
        page = checked(atlas["layer"]._repr_html_())
    assert len(page.pictures) == 128
    assert "the first 64 of 70 units" in page.text
    assert all(max(Image.open(BytesIO(data)).size) <= 96 for data in page.pictures)


def test_a_large_sheet_is_made_smaller(tmp_path):
    """Where the stored pictures of a unit do not fit, they are shown at a lower resolution."""
    with open_atlas(noisy_atlas(tmp_path / "a.atlas", units=1, side=96, k=64)) as atlas:
        stored = atlas.file.encoded_sheet(0, 0, "patches").pixels
        page = checked(atlas["layer"][0]._repr_html_())
    assert len(stored) > LIMIT
    assert [Image.open(BytesIO(data)).size for data in page.pictures] == [(288, 288)] * 2


def test_many_layers_fit(tmp_path):
    """A table of more layers than fit ends with a word about it, and stays well formed."""
    with open_atlas(noisy_atlas(tmp_path / "a.atlas", units=1, side=8, k=1, name="n" * 150, layers=900)) as atlas:
        page = checked(atlas._repr_html_())
    assert page.text.endswith("More does not fit here.")


def test_hostile_names_stay_text(tmp_path):
    """Names of networks, layers, images, classes and files are shown as they are, and never as markup."""
    path = tmp_path / "<b onclick=x>&.atlas"
    with open_atlas(noisy_atlas(path, units=2, side=8, k=4, name=HOSTILE)) as atlas:
        layer = atlas[HOSTILE]
        for shown in (atlas, layer, layer[0]):
            assert HOSTILE in checked(shown._repr_html_()).text
        assert path.name in Page(atlas._repr_html_()).text


def test_words_are_escaped_and_cut():
    """Text of any length becomes text of a bounded one."""
    assert html.words('<a href="x">') == "&lt;a href=&quot;x&quot;&gt;"
    assert len(html.words("x" * 10_000)) == html.WORDS
    assert html.words(None) == "None"


def test_a_page_is_never_larger_than_its_bound():
    """Parts are taken in order while they fit."""
    assert html.page("<p>", ["a", "b"], "</p>") == "<p>ab</p>"
    page = html.page("<p>", ("x" * 100_000 for _ in range(9)), "</p>")
    assert page.count("x") == 200_000
    assert len(page) < LIMIT


def test_a_thumbnail_is_no_larger_than_asked():
    """Smaller pictures keep their size."""
    for side, expected in ((300, 64), (40, 64), (64, 64)):
        stored = Encoded("png", encode(np.zeros((side, side, 3), np.uint8), "png"))
        (data,) = Page(html.thumbnail(stored, 64, "x")).pictures
        assert Image.open(BytesIO(data)).size == (min(side, expected),) * 2


def test_a_network_is_a_table_of_its_layers():
    """What it expects, a row per layer with its field, a star where auto means it; names stay text, and it is small."""
    layers = layer_records(6)
    page = checked(notebook.network_html(HOSTILE, INPUT, layers, "replayed on 3 pictures"))
    assert HOSTILE in page.text and "3x64x64" in page.text and "replayed on 3 pictures." in page.text
    assert page.tags.count("tr") == 1 + len(layers)
    assert "*features.4relu616 × 1623 × 23 px" in page.text
    many = [replace(layers[0], name="n" * 150)] * 3000
    assert checked(notebook.network_html("x", INPUT, many, "")).text.endswith("More does not fit here.")
