"""The chart: well-formed SVG that shows each curve once, with a name that can be read."""

from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from layerscope.report.chart import APART, BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, LevelCurve, chart

NAMES = ["layer 1", "layer 2", "layer 3"]
VALUES = st.lists(st.none() | st.floats(1, 5), min_size=3, max_size=3)


def drawn(curves: list[LevelCurve], names: list[str] = NAMES) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart(curves, names, top=5)))


def curves_of(values: list[list[float | None]]) -> list[LevelCurve]:
    return [LevelCurve(name=f"curve {n}", values=tuple(line), own=n == 0) for n, line in enumerate(values)]


def points(line: ElementTree.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]


@given(st.lists(VALUES, max_size=7))
def test_a_curve_goes_through_its_values(values):
    """A point for each value, none for a missing one; higher values stand higher; all inside the chart."""
    lines = [points(line) for line in drawn(curves_of(values)).iter("polyline")]
    known = [[value for value in line if value is not None] for line in values]
    assert [len(line) for line in lines] == [len(line) for line in known if line]
    for line, wanted in zip(lines, [line for line in known if line], strict=True):
        for (x, y), value in zip(line, wanted, strict=True):
            assert LEFT <= x <= WIDTH - RIGHT
            assert abs(y - (TOP + (5 - value) / 4 * (HEIGHT - TOP - BOTTOM))) <= 0.051


@given(st.lists(VALUES, max_size=12))
def test_names_do_not_overlap(values):
    """Names of curves stand apart, inside the picture, one for each curve that is drawn, in the order of their ends."""
    root = drawn(curves_of(values))
    labels = {text.text: float(text.attrib["y"]) for text in root.iter("text") if (text.text or "").startswith("curve")}
    ends = {f"curve {n}": [v for v in line if v is not None][-1:] for n, line in enumerate(values)}
    assert set(labels) == {name for name, end in ends.items() if end}
    heights = sorted(labels.values())
    assert all(b - a >= APART - 0.11 for a, b in pairwise(heights))
    assert all(TOP <= height <= HEIGHT for height in heights)
    for name, other in ((a, b) for a in labels for b in labels):
        if ends[name] > ends[other]:
            assert labels[name] < labels[other]


def test_a_single_name_stands_beside_its_curve_s_end():
    """... at the height of the last value."""
    root = drawn([LevelCurve(name="curve", values=(1.0, 2.0, 3.0), own=True)])
    (label,) = [text for text in root.iter("text") if text.text == "curve"]
    (line,) = root.iter("polyline")
    assert abs(float(label.attrib["y"]) - 4 - points(line)[-1][1]) < 0.1
    assert float(label.attrib["x"]) > points(line)[-1][0]


def test_names_are_text_not_markup():
    """What looks like a tag is shown as it is written; one layer is a chart too."""
    root = drawn([LevelCurve(name="<script>&", values=(2.0,), own=False)], ["<b>"])
    texts = [text.text for text in root.iter("text")]
    assert "<script>&" in texts and "<b>" in texts
    assert not list(root.iter("script"))
