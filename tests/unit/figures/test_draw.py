"""Drawing: the right pixels at the right place, whatever the user's settings are, and nothing global is touched."""

import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import UsageError
from layerscope.figures import Grid, Panel, Sheet, Tile, plate
from layerscope.figures.files import encode
from layerscope.figures.layout import lay_out
from layerscope.figures.page import PlacedPicture


def drawn(sheet: Sheet, dpi: int = 200) -> np.ndarray:
    with Image.open(io.BytesIO(encode(sheet, "png", dpi=dpi))) as picture:
        return np.asarray(picture.convert("RGB"))


def test_every_tile_is_drawn_where_the_page_says(file: AtlasFile):
    """The pixels at the centres of all source pixels are the source's own: nearest, unmixed, in place."""
    sheet = plate(file, "features.1", units=[4])
    pixels = drawn(sheet, 200)
    page = lay_out(sheet, sheet.width)
    pictures = [item for item in page.items if isinstance(item, PlacedPicture)]
    assert len(pictures) == 2
    for item in pictures:
        height, width, _ = item.pixels.shape
        rows = (item.area.top + (np.arange(height) + 0.5) / height * item.area.height) * 200
        cols = (item.area.left + (np.arange(width) + 0.5) / width * item.area.width) * 200
        np.testing.assert_array_equal(pixels[np.ix_(rows.astype(int), cols.astype(int))], item.pixels)


def test_more_pixels_than_room_are_averaged():
    """A fine checkerboard becomes gray in a small PNG; the nearest of its pixels would be black or white."""
    board = np.where((np.indices((200, 200)).sum(0) % 2)[..., None], 255, 0).astype(np.uint8).repeat(3, -1)
    sheet = Sheet(panels=(Panel(parts=(Grid(tiles=(Tile(picture=board),), columns=1),)),), columns=1, width=1.0)
    middle = drawn(sheet, dpi=60)[20:40, 20:40].astype(int)
    assert np.abs(middle - 128).max() < 40


def test_the_user_s_settings_change_nothing_and_stay(file: AtlasFile):
    """A dark style, LaTeX text and other fonts are the user's; the figure is ours."""
    sheet = plate(file, "features.1", count=1)
    before = encode(sheet, "png", dpi=60)
    theirs = {"text.usetex": True, "figure.facecolor": "black", "font.size": 30.0, "savefig.bbox": "tight"}
    with matplotlib.rc_context(theirs):
        assert encode(sheet, "png", dpi=60) == before
        assert {name: matplotlib.rcParams[name] for name in theirs} == theirs


def test_words_are_words_and_no_mathematics():
    """A path with dollars and underscores is printed as it is."""
    sheet = Sheet(panels=(), columns=1, title="a $x_1$ b", caption=r"C:\data\$temp$ né")
    texts = [text.get_text() for text in sheet.draw().axes[0].texts]
    assert texts == ["a $x_1$ b", r"C:\data\$temp$ né"]
    assert not any(text.get_parse_math() for text in sheet.draw().axes[0].texts)


def test_a_figure_has_the_width_that_was_asked_for(file: AtlasFile):
    """In inches; widths that make no sense are refused."""
    sheet = plate(file, "features.1", count=1)
    assert sheet.draw().get_size_inches()[0] == 7.0
    assert sheet.draw(width_inches=3.5).get_size_inches()[0] == 3.5
    for width in (0, -1, float("nan"), 1e6):
        with pytest.raises(UsageError, match=r"1\.\.100 inches"):
            sheet.draw(width_inches=width)


def test_matplotlib_is_loaded_to_draw_only_and_pyplot_and_torch_never():
    """In a fresh process: making figures is plain data."""
    code = (
        "import sys, layerscope.figures as f\n"
        "assert 'matplotlib' not in sys.modules and 'torch' not in sys.modules\n"
        "f.Sheet(panels=(), columns=1, title='t')._repr_png_()\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
