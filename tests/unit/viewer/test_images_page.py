"""The page of an atlas's images in small: all that have a picture, a page at a time, each with a way on."""

import re

import pytest
from starlette.testclient import TestClient

from layerscope.core.errors import UsageError
from layerscope.viewer.app import create_app
from layerscope.viewer.pages import PAGES, Query, images
from layerscope.viewer.pages.images import around, facts, has, neighbours


@pytest.fixture
def book(shelf):
    return shelf.book("small")


def asked(**words: str) -> Query:
    return Query(tuple(words.items()))


def test_all_pictured_images_stand_on_pages_once(book, monkeypatch):
    """Going on from page to page passes each image that has a peak and a picture, in order."""
    monkeypatch.setattr(images, "ON_A_PAGE", 3)
    wanted = [one.id for one in book.file.images() if book.file.has_picture(one.id) and book.file.peaks_in(one.id)]
    found, first = list[int](), 0
    while first is not None:
        page = facts(book, asked(**{"from": str(first)}))
        assert (page.pictured, page.first, page.evenly) == (len(wanted), first, False)
        assert page.previous == (first - 3 if first else None)
        found += [one.image for one in page.shown]
        first = page.next
    assert found == wanted == list(book.pictured) and len(wanted) > 3


def test_an_export_shows_some_that_are_spread(book, monkeypatch):
    """All where they are few; else every so many, and the page says so."""
    assert PAGES["images"].in_export == (("show", "spread"),)
    every = facts(book, asked(show="spread"))
    assert [one.image for one in every.shown] == list(book.pictured) and not every.evenly
    monkeypatch.setattr(images, "IN_AN_EXPORT", 3)
    some = facts(book, asked(show="spread"))
    step = -(-len(book.pictured) // 3)
    assert [one.image for one in some.shown] == list(book.pictured)[::step] and some.evenly
    assert (some.previous, some.next) == (None, None)


@pytest.mark.parametrize("place", ["x", "-1", "99999", "9" * 40, "1.5"])
def test_a_place_that_is_none_is_said(book, place):
    """In a sentence that names the places there are."""
    with pytest.raises(UsageError, match="images from place 0 to"):
        facts(book, asked(**{"from": place}))


def test_neighbours_have_pictures(book):
    """Before and behind, none beyond the ends; those around an image hold it."""
    every = book.pictured
    assert neighbours(book, every[0]) == (None, every[1])
    assert neighbours(book, every[1]) == (every[0], every[2])
    assert neighbours(book, every[-1]) == (every[-2], None)
    assert neighbours(book, None) == (None, None)
    for image in every:
        assert image in [one.image for one in around(book, image)]
    assert {one.image for one in around(book)} <= set(every)


def test_where_a_thumbnail_leads(shelf, engine, book):
    """With a network to what it sees in the image at every layer, without one to the image's page; both exist."""
    assert has(book)
    image = book.pictured[0]
    for app, wanted in (
        (create_app(shelf, engine=engine), f"/small/look/image-{image}"),
        (create_app(shelf), f"/small/i/{image}"),
    ):
        with TestClient(app) as browser:
            text = browser.get("/small/images").text
            assert wanted in re.findall(r'<a href="([^"]+)" data-image', text)
            assert browser.get(wanted).status_code == 200
