"""An image's page: every peak that lies in it, where, and what is known of the file."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.image import facts
from layerscope.viewer.shelf import Shelf
from tests.helpers.books import full_atlas, inside_plane
from tests.helpers.viewing import viewing

IMAGES, NONE = 40, Query()
COPY, SKIPPED = IMAGES - 2, IMAGES - 1


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    made = Shelf([full_atlas(tmp_path_factory.mktemp("images") / "full.atlas", images=IMAGES)])
    yield made
    made.close()


def test_every_peak_of_every_image(shelf) -> None:
    """Layer, unit, rank, value, place and box are the file's, in order of layer, rank and unit; nothing is left out."""
    book = shelf.book("full")
    with closing(sqlite3.connect(book.file.path)) as connection:
        for image in range(IMAGES):
            page = facts(book, NONE, image=image)
            query = (
                "SELECT layer, unit, rank, value, row, col, source_top, source_left, source_bottom, source_right "
                "FROM peak WHERE image = ? ORDER BY layer, rank, unit"
            )
            found = [
                (
                    *(here.layer.id, one.unit, one.rank, one.value, one.row, one.col),
                    *(one.tile.top, one.tile.left, one.tile.bottom, one.tile.right),
                )
                for here in page.layers
                for one in here.units
            ]
            assert found == connection.execute(query, (image,)).fetchall()
            assert page.peaks == page.boxes == len(found)
            assert {here.layer.name for here in page.layers} | set(page.silent) == {one.name for one in book.layers}


def test_the_index_answers(shelf) -> None:
    """The peaks of an image are found by peak_by_image, not by reading all of them."""
    with closing(sqlite3.connect(shelf.book("full").file.path)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT value FROM peak WHERE image = 3 ORDER BY layer, rank, unit"
        )
        assert "USING INDEX peak_by_image" in " ".join(row[-1] for row in plan)


def test_boxes_shares_and_names(shelf) -> None:
    """Boxes lie on the picture; a share is of the unit's maximum; a name is the unit's own."""
    book = shelf.book("full")
    for here in (one for image in range(12) for one in facts(book, NONE, image=image).layers):
        named = {one.unit: one.best.concept for one in book.file.concepts(here.layer.id) if one.best is not None}
        for one in here.units:
            assert inside_plane(one.tile)
            assert inside_plane(one.field)
            assert one.share == pytest.approx(one.value / book.file.unit_statistics(here.layer.id).maximum[one.unit])
            assert one.name == named.get(one.unit, "")


def test_skipped_and_duplicate_images_say_so(shelf) -> None:
    """A copy names its original and the original its copy; what was skipped says why; neither has peaks."""
    book = shelf.book("full")
    assert facts(book, NONE, image=0).same == (COPY,)
    assert facts(book, NONE, image=COPY).same == (0,)
    assert facts(book, NONE, image=COPY).peaks == facts(book, NONE, image=SKIPPED).peaks == 0
    with viewing(book.file.path) as client:
        skipped, copy = (client.get(f"/full/i/{image}").text for image in (SKIPPED, COPY))
    assert "the file is empty" in skipped
    assert "A copy of an image that was scanned already" in copy


def test_the_order_of_images(shelf) -> None:
    """Before and after, none beyond the ends; another number is a sentence."""
    book = shelf.book("full")
    assert (facts(book, NONE, image=0).previous, facts(book, NONE, image=0).next) == (None, 1)
    assert (facts(book, NONE, image=SKIPPED).previous, facts(book, NONE, image=SKIPPED).next) == (COPY, None)
    with pytest.raises(UsageError, match=f"has no image {IMAGES}"):
        facts(book, NONE, image=IMAGES)


def test_the_overlay_is_in_px_of_the_source(shelf) -> None:
    """The drawing's viewBox is the source picture's size, and each peak's box stands in it."""
    book = shelf.book("full")
    page = facts(book, NONE, image=3)
    with viewing(book.file.path) as client:
        text = client.get("/full/i/3").text
    assert f'viewBox="0 0 {page.image.width} {page.image.height}"' in text
    for here in page.layers:
        for one in here.units:
            box = one.tile
            drawn = f'x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}"'
            assert f'{drawn} data-mark="{here.layer.id}-{one.unit}"' in text


def test_an_atlas_without_pictures(shelf, tmp_path) -> None:
    """Values and units are still there, and the page says that no picture is kept."""
    copy = Path(shutil.copy(shelf.book("full").file.path, tmp_path / "bare.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM picture")
    with viewing(copy) as client:
        text = client.get("/bare/i/3").text
        facts = client.get("/bare/i/3?format=json").json()
    assert "The atlas keeps no picture of this image." in text
    assert facts["kept"] is False
    assert facts["peaks"] > 0
