"""The page about an atlas: provenance as the run has it, counts as the images have them, every method in words."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.core.methods import METHODS
from layerscope.core.settings import VIEWS
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.about import facts
from layerscope.viewer.shelf import Shelf
from tests.helpers.books import full_atlas
from tests.helpers.viewing import viewing


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    made = Shelf([full_atlas(tmp_path_factory.mktemp("about") / "full.atlas")])
    yield made
    made.close()


def test_provenance_is_the_run_s(shelf) -> None:
    """Network, images, input, settings, fingerprints, versions, start and end."""
    book = shelf.book("full")
    page, run = facts(book, Query()), book.run
    for name in ("network", "images", "k", "input", "settings", "versions", "started", "finished", "fingerprint"):
        assert getattr(page, name) == getattr(run, name)
    *mapped, dense = [{one.method: one.median for one in row.specificity} for row in page.layers]
    assert mapped == [{"deconvnet": 0.2, "guided": 0.5}] * 2
    assert dense == {"deconvnet": None, "guided": None}
    *mapped, dense = [[one and one.own.mean for one in row.retention] for row in page.layers]
    assert mapped == [[0.6, 0.8]] * 2 and dense == [None, None]


def test_images_are_counted(shelf) -> None:
    """Listed, scanned, skipped with the reason, and copies."""
    page = facts(shelf.book("full"), Query())
    assert (page.listed, page.scanned, page.duplicates) == (40, 38, 1)
    assert page.skipped == (("the file is empty", 1),)
    assert page.sampled == 38


def test_every_method_and_view_is_explained(shelf) -> None:
    """Also those that the atlas lacks, marked so; each with its sources on the page."""
    page = facts(shelf.book("full"), Query())
    assert [one.name for one in page.methods] == list(METHODS.names)
    assert {one.name for one in page.views} == set(VIEWS)
    assert [one.held for one in page.methods] == [True, True, False]
    with viewing(shelf.path("full")) as client:
        text = client.get("/full/about").text
    for said in ("Zeiler &amp; Fergus 2013", "Springenberg", "Simonyan", "Nie, Zhang", "Sixt", "No request leaves"):
        assert said in text
    assert 'id="views"' in text
    assert "Apache License 2.0" in text


def test_dissection_with_its_baselines(shelf) -> None:
    """The layers that have one, what was named there, and what the same measurement finds in nothing."""
    found = facts(shelf.book("full"), Query()).dissection
    assert [one.layer for one in found.layers] == ["features.1", "features.4"]
    assert all(one.figures.detectors == 6 for one in found.layers)
    assert all(one.baselines["shuffled masks"].detectors == 0 for one in found.layers)
    assert found.settings == {"bar": 0.04, "seed": 0}


@pytest.mark.parametrize(("codec", "lossy"), [("jpeg", True), ("webp", True), ("webp-lossless", False), ("png", False)])
def test_loss_is_said(shelf, tmp_path, codec, lossy) -> None:
    """Where the codec loses something, and only there."""
    copy = Path(shutil.copy(shelf.path("full"), tmp_path / "coded.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE run SET settings = json_set(settings, '$.codec', ?)", (codec,))
    with viewing(copy) as client:
        facts = client.get("/coded/about?format=json").json()
        text = client.get("/coded/about").text
    assert (facts["codec"], facts["lossy"]) == (codec, lossy)
    assert ("which is lossy" in text) == lossy


def test_an_unfinished_atlas_says_so(shelf, tmp_path) -> None:
    """Its end is not there yet."""
    copy = Path(shutil.copy(shelf.path("full"), tmp_path / "begun.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE run SET finished = NULL")
    with viewing(copy) as client:
        assert "not yet: the build is still at work" in client.get("/begun/about").text
