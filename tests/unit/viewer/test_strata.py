"""The sheet of strata: patches cut from the small pictures where the file says, mid-gray where nothing is known."""

import io
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from layerscope.core.geometry import Box
from layerscope.core.strata import PERCENTILES, ROW
from layerscope.viewer import encoded_pictures
from layerscope.viewer.shelf import Shelf
from layerscope.viewer.strata import TILE, on_small
from tests.helpers.books import full_atlas

DEAD = 11


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    made = Shelf([full_atlas(tmp_path_factory.mktemp("strata") / "full.atlas")])
    yield made
    made.close()


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(float)


def test_every_tile_is_the_picture_s(shelf) -> None:
    """Row by percentile, column by rank: what the box holds of the small picture, to what the codec loses; a place that
    the build has not come to is mid-gray."""
    book = shelf.book("full")
    made = encoded_pictures.strata(book, book.layers[1], 3)
    assert made.media == "image/jpeg"
    sheet = decoded(made.content)
    assert sheet.shape == (len(PERCENTILES) * TILE, ROW * TILE, 3)
    for one in book.file.strata(book.layers[1].id, 3):
        top, left = PERCENTILES.index(one.percentile) * TILE, one.rank * TILE
        tile = sheet[top : top + TILE, left : left + TILE]
        if one.source_box is None:
            assert np.abs(tile[16:-16, 16:-16] - 128).max() <= 2
            continue
        picture = book.file.picture(one.image)
        assert picture is not None
        small = on_small(one.source_box, (128, 168), picture.shape[:2])
        patch = Image.fromarray(picture[small.top : small.bottom, small.left : small.right])
        expected = np.asarray(patch.resize((TILE, TILE), Image.Resampling.BICUBIC)).astype(float)
        assert np.abs(tile - expected).mean() < 8


def test_a_unit_without_strata_has_no_sheet(shelf) -> None:
    """A dead unit, and a unit that is not there."""
    book = shelf.book("full")
    assert encoded_pictures.strata(book, book.layers[0], DEAD) is None
    assert encoded_pictures.strata(book, book.layers[0], 4711) is None


def test_pictures_that_are_not_kept_are_gray(shelf, tmp_path) -> None:
    """All of it, where an atlas keeps none."""
    copy = Path(shutil.copy(shelf.path("full"), tmp_path / "bare.atlas"))
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM picture")
    bare = Shelf([copy])
    made = encoded_pictures.strata(bare.book("bare"), bare.book("bare").layers[0], 0)
    assert np.abs(decoded(made.content) - 128).max() <= 2
    bare.close()


@given(st.data())
def test_a_small_box_is_inside_and_holds_the_box(data) -> None:
    """At least one px, inside the small copy, and all that the source's box covers of it."""
    height, width = data.draw(st.tuples(st.integers(1, 900), st.integers(1, 900)))
    small = data.draw(st.tuples(st.integers(1, 128), st.integers(1, 128)))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    found = on_small(Box(top=top, left=left, bottom=bottom, right=right), (height, width), small)
    assert 0 <= found.top < found.bottom <= small[0]
    assert 0 <= found.left < found.right <= small[1]
    assert found.top <= top * small[0] / height + 1e-9
    assert found.bottom >= bottom * small[0] / height - 1e-9
    assert found.left <= left * small[1] / width + 1e-9
    assert found.right >= right * small[1] / width - 1e-9
