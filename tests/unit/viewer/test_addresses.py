"""Addresses below an atlas are the same on a server and in an export, and never more than plain words and numbers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.viewer.addresses import ServerLinks, folders_of, layer_key
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.export.links import FileLinks
from layerscope.viewer.pages import PAGES, Query
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import small_atlas

PLAIN = ("conv1", "features.4", "Mixed_5b.branch1x1", "0", "layer4-relu", "console", "nullify", "l1a", "x" * 80)
# Devices of Windows, whatever stands behind their point; hidden files; a point at the end, which Windows leaves out.
NOT_PLAIN = (
    "con", "CON", "aux.relu", "Nul.1", "com1", "LPT9.x", ".git", "_blocks.0", "relu.", "l3", "L3", "", ".", "..", "a/b",
    "a\\b", "a b", "x" * 81, "caf\u00e9", "\u212aernel", "\u017f", "a\n", "%2e",
)  # fmt: skip


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=3, k=2, images=8)


@pytest.fixture(scope="module")
def layer(atlas: Path) -> AtlasLayerRecord:
    (book,) = shelf = Shelf([atlas])
    found = book.layers[0]
    shelf.close()
    return found


def called(layer: AtlasLayerRecord, name: str, number: int = 0) -> AtlasLayerRecord:
    return replace(layer, id=number, record=replace(layer.record, name=name))


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names_stand_for_themselves(layer: AtlasLayerRecord, name: str) -> None:
    """Names of the usual libraries are addresses as they are."""
    assert layer_key(called(layer, name, 7)) == name


@pytest.mark.parametrize("name", NOT_PLAIN, ids=range(len(NOT_PLAIN)))
def test_other_names_are_numbers(layer: AtlasLayerRecord, name: str) -> None:
    """Also where they only look like ASCII, or are a device on one system alone."""
    assert layer_key(called(layer, name, 7)) == "l7"


@given(names=st.lists(st.text(st.sampled_from("aAbB.l1_-/cCoOnN"), max_size=6), max_size=6))
def test_folders_are_different_on_every_disk(layer: AtlasLayerRecord, names: list[str]) -> None:
    """One for each layer, plain, and no two that differ by capital letters alone."""
    found = folders_of(called(layer, name, number) for number, name in enumerate(names))
    assert list(found) == list(range(len(names)))
    assert len({name.lower() for name in found.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(?<!\.)", name) for name in found.values())


@pytest.mark.parametrize("name", [name for name, page in PAGES.own.items() if page.exported])
def test_a_page_stands_at_one_place(atlas: Path, layer: AtlasLayerRecord, name: str) -> None:
    """The path below the atlas is the server's with an ending, or with index.html where others stand below it."""
    page = PAGES.own[name]
    of = {"layer": (layer,), "unit": (layer, 2), "image": (3,)}.get(page.scope, ())
    served = ServerLinks("small", "mark", {}).below(name, *of)
    with planned(atlas, ExportChoice()) as plan:
        written = FileLinks(plan.book.edition).below(name, *of)
    assert written in (f"{served}.html", f"{served}/index.html".lstrip("/"))


def test_a_folder_that_is_a_number_is_an_address_of_the_server(atlas: Path) -> None:
    """Where an export must call a layer by its number, that address is the layer's on a server, too."""
    (book,) = shelf = Shelf([atlas])
    assert all(book.layer(f"l{layer.id}") == layer for layer in book.layers)
    shelf.close()


def test_values_of_a_page_keep_its_state(layer: AtlasLayerRecord) -> None:
    """What was asked for is asked of the JSON, too, whatever it holds."""
    link = ServerLinks("small", "mark", {})
    query = Query.of([("q", 'a&b"<'), ("format", "html"), ("sort", "max")])
    assert link.data(query, "layer", layer) == "/small/l/features.1?q=a%26b%22%3C&sort=max&format=json"


def test_whole_addresses_are_said_by_the_publisher_alone(atlas: Path) -> None:
    """An export knows them where its place was given; a server never does, since a request's Host is anybody's word."""
    with planned(atlas, ExportChoice(url="https://lab.example.org/a/")) as plan:
        link = FileLinks(plan.book.edition, "../../../")
        assert link.whole("../../../l/conv1/u/3.html") == "https://lab.example.org/a/l/conv1/u/3.html"
    with planned(atlas, ExportChoice()) as plan:
        assert FileLinks(plan.book.edition).whole("index.html") == ""
    assert ServerLinks("small", "mark", {}).whole("/small/") == ""
