"""A page: everything inside it, nothing over anything else."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from layerscope.core.geometry import Box
from layerscope.figures.grids import composed
from layerscope.figures.layout import lay_out
from layerscope.figures.page import Frame, Line, PlacedPicture, Words
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Bar, Chart, Curve, Grid, Mark, Panel, Tile


def tile(level: int = 0, height: int = 4, width: int = 4, **options) -> Tile:
    return Tile(picture=np.full((height, width, 3), level, np.uint8), **options)


def grid(count: int = 9, columns: int = 3, **options) -> Grid:
    return Grid(tiles=tuple(tile(10 * i) for i in range(count)), columns=columns, **options)


CHART = Chart(kind="bars", bars=(Bar(place=0, value=2.0, label="a", note="b"), Bar(place=1, value=1.0)), reference=1.5)
CURVES = Chart(
    kind="curves",
    curves=(Curve(label="a", values=(0.0, 1.0)), Curve(label="b", values=(float("nan"), 0.5))),
    ticks=((0.0, "1"), (1.0, "2")),
    axis="epoch",
)
LABELLED = grid(4, 2, row_labels=("1", "23"), column_labels=("a", "b"), corner="unit")
PARTS = (grid(), grid(4, 2, spaced=True), CHART, CURVES, LABELLED)
# Numbers of parts, heading, section, span: the panels are made of them within the test.
PANELS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 4), min_size=1, max_size=2),
        st.sampled_from(["", "unit 3"]),
        st.sampled_from(["", "layer"]),
        st.integers(1, 2),
    ),
    max_size=6,
)


@given(PANELS, st.integers(2, 4), st.floats(2, 12))
@example([([0, 4], "", "", 1)], 4, 2.0)  # labels that are wider than the room for their tiles
def test_everything_lies_inside_the_page(panels, columns, width):
    """Pictures and lines within its edges, and no two pictures over one another."""
    made = tuple(
        Panel(parts=tuple(PARTS[n] for n in numbers), heading=heading, section=section, span=span)
        for numbers, heading, section, span in panels
    )
    page = lay_out(Sheet(panels=made, columns=columns, title="T", caption="C " * 80, footer="F"), width)
    assert page.width == width
    areas = [item.area for item in page.items if isinstance(item, PlacedPicture)]
    for area in areas:
        assert 0 <= area.left < area.right <= width + 1e-9
        assert 0 <= area.top < area.bottom <= page.height
    for item in page.items:
        if isinstance(item, Words):
            assert 0 <= item.left <= width and 0 <= item.top <= page.height
        if isinstance(item, Line):
            assert all(0 <= left <= width + 1e-9 and 0 <= top <= page.height for left, top in (item.start, item.end))
    for index, one in enumerate(areas):
        for other in areas[index + 1 :]:
            apart = one.right <= other.left + 1e-9 or other.right <= one.left + 1e-9
            assert apart or one.bottom <= other.top + 1e-9 or other.bottom <= one.top + 1e-9


def test_a_grid_is_composed_in_reading_order():
    """Tile by tile, row by row; a place without a tile is white."""
    pixels = composed(grid(5, 3))
    assert pixels.shape == (8, 12, 3)
    assert pixels[::4, ::4, 0].tolist() == [[0, 10, 20], [30, 40, 255]]
    assert [grid(5, 3).place(index) for index in (0, 4)] == [(0, 0), (1, 1)]


def test_panels_fill_rows_and_sections_open_new_ones():
    """Three panels in two columns make two rows; a section breaks a row that has room."""

    def tops(*panels: Panel) -> list[float]:
        page = lay_out(Sheet(panels=panels, columns=2), 4.0)
        return [item.area.top for item in page.items if isinstance(item, PlacedPicture)]

    plain, section = Panel(parts=(grid(),)), Panel(parts=(grid(),), section="next")
    first, second, third = tops(plain, plain, plain)
    assert first == second < third
    first, second = tops(plain, section)
    assert first < second


def test_pictures_of_many_shapes_keep_their_shape():
    """Each is fitted into its square cell."""
    wide = Grid(tiles=(tile(0, 2, 8), tile(0, 8, 2)), columns=2, spaced=True)
    page = lay_out(Sheet(panels=(Panel(parts=(wide,)),), columns=1), 3.0)
    ratios = [item.area.width / item.area.height for item in page.items if isinstance(item, PlacedPicture)]
    assert ratios == pytest.approx([4.0, 0.25])


def test_marks_are_clipped_to_their_picture():
    """A field that crosses the border is drawn up to it."""
    mark = Mark(box=Box(top=-3, left=2, bottom=2, right=9), dashed=True)
    one = Grid(tiles=(tile(0, 4, 4, marks=(mark,)),), columns=1, spaced=True)
    page = lay_out(Sheet(panels=(Panel(parts=(one,)),), columns=1), 3.0)
    (picture,) = [item.area for item in page.items if isinstance(item, PlacedPicture)]
    (frame,) = [item for item in page.items if isinstance(item, Frame)]
    assert frame.dashed
    assert frame.area.top == picture.top
    assert frame.area.right == pytest.approx(picture.right)
    assert frame.area.left == pytest.approx(picture.left + picture.width / 2)


def test_the_caption_is_wrapped_below_and_the_title_above():
    """In the order title, pictures, caption, footer."""
    page = lay_out(Sheet(panels=(Panel(parts=(grid(),)),), columns=1, title="T", caption="c " * 300, footer="F"), 4.0)
    kinds = [type(item).__name__ for item in page.items]
    words = [item.top for item in page.items if isinstance(item, Words)]
    (picture,) = [item.area for item in page.items if isinstance(item, PlacedPicture)]
    assert kinds[0] == "Words" and words[0] < picture.top
    assert len(words) > 5 and min(words[1:]) > picture.bottom
    assert words == sorted(words)
