"""A unit's columns: picture, patch, projections of every peak, switched without a script; what is not kept is said."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest

from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.unit import facts
from layerscope.viewer.render import environment
from layerscope.viewer.shelf import Shelf
from tests.helpers.books import full_atlas
from tests.helpers.viewing import viewing

NONE, LAYER, UNIT, BARE = Query(), "features.4", 2, 4
EDGES = ("top", "left", "bottom", "right")
# As a build with --units leaves a unit that it shows no tiles of.
WITHOUT_TILES = (
    f"DELETE FROM sheet WHERE unit = {BARE}",
    f"UPDATE peak SET {', '.join(f'{kind}_{edge} = NULL' for kind in ('tile', 'source') for edge in EDGES)} "
    f"WHERE unit = {BARE}",
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    """Of all units but one the tiles are there."""
    made = full_atlas(tmp_path_factory.mktemp("columns") / "full.atlas")
    with closing(sqlite3.connect(made)) as connection, connection:
        for statement in WITHOUT_TILES:
            connection.execute(statement)
    return made


@pytest.fixture(scope="module")
def shelf(atlas: Path) -> Iterator[Shelf]:
    made = Shelf([atlas])
    yield made
    made.close()


class Tiles(HTMLParser):
    """The drawings below each `li` of a page: (class, viewBox, what they use), and the boxes: (class, x, y, w, h)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.columns: list[list[tuple[str, str, str]]] = []
        self.boxes: list[list[tuple[str, ...]]] = []
        self.radios: list[tuple[str, str, bool]] = []
        self.images: dict[str, str] = {}
        self._inside, self._svg = False, ("", "")
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "li" and re.fullmatch(r"peak-\d+", found.get("id", "")):
            self.columns.append([])
            self.boxes.append([])
            self._inside = True
        if tag == "svg":
            self._svg = found.get("class", ""), found.get("viewbox", "")
        if tag == "use" and self._inside:
            self.columns[-1].append((*self._svg, found["href"]))
        if tag == "rect" and self._inside and "box" in found.get("class", ""):
            self.boxes[-1].append((found["class"], *(found[name] for name in ("x", "y", "width", "height"))))
        if tag == "input" and found.get("type") == "radio":
            self.radios.append((found["name"], found["value"], "checked" in found))
        if tag == "image" and "id" in found:
            self.images[found["id"]] = found["href"]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "ol"


def page_of(atlas: Path, unit: int, layer: str = LAYER) -> str:
    with viewing(atlas) as client:
        return client.get(f"/{atlas.stem}/l/{layer}/u/{unit}").text


def test_a_column_is_a_picture_its_patch_and_its_projections(atlas, shelf) -> None:
    """From the top: the picture in its own px, then by rank the patch and a tile of each way to see it."""
    page, tiles = facts(shelf.book("full"), NONE, layer=LAYER, unit=UNIT), Tiles(page_of(atlas, UNIT))
    assert len(tiles.columns) == len(page.peaks) == 9
    for peak, column in zip(page.peaks, tiles.columns, strict=True):
        place = f"{peak.rank % 3} {peak.rank // 3} 1 1"
        picture, patch, *projections = column
        assert picture == ("tile", f"0 0 {peak.width} {peak.height}", f"#seen-{peak.rank}")
        assert patch == ("tile", place, "#patches")
        assert [(box, used) for _, box, used in projections] == [
            (place, f"#way-{number}") for number in range(1, len(page.looks) + 1)
        ]
    sheets = [look.sheet for look in page.looks]
    for number, sheet in enumerate(sheets, 1):
        assert tiles.images[f"way-{number}"].endswith(f"projections.{sheet.method}.{sheet.view}")


def test_the_switch_holds_every_method_and_view_once(atlas, shelf) -> None:
    """The layer's own method in the first view is checked; a tile's classes are the places of its two in the switch."""
    page, tiles = facts(shelf.book("full"), NONE, layer=LAYER, unit=UNIT), Tiles(page_of(atlas, UNIT))
    methods, views = ([value for name, value, _ in tiles.radios if name == which] for which in ("method", "view"))
    assert methods == ["guided", "deconvnet"] and views == ["natural", "signal"]
    assert [value for _, value, checked in tiles.radios if checked] == [page.layer.method, page.looks[0].sheet.view]
    classes = [look[0] for look in tiles.columns[0][2:]]
    assert classes == [
        f"tile way method-{1 + methods.index(look.sheet.method)} view-{1 + views.index(look.sheet.view)}"
        for look in page.looks
    ]


def test_one_way_to_see_needs_no_switch(atlas, tmp_path) -> None:
    """An export of plates: nothing to choose, and the one projection is there without a rule of the style sheet."""
    export(atlas, tmp_path / "site", ExportChoice(layers=(LAYER,), plates=True))
    tiles = Tiles((tmp_path / "site" / "l" / LAYER / "u" / f"{UNIT}.html").read_text())
    assert tiles.radios == []
    assert [column[2][0] for column in tiles.columns] == ["tile"] * 9


def test_a_unit_without_tiles_shows_its_field_and_a_patch_of_the_thumbnail(atlas, shelf) -> None:
    """The box of the field and of what is cut, in px of the source picture; the patch is that part of the picture that
    the atlas keeps, and the page says so."""
    page, text = facts(shelf.book("full"), NONE, layer=LAYER, unit=BARE), page_of(atlas, BARE)
    tiles = Tiles(text)
    assert page.patches is None and page.looks == () and tiles.radios == []
    for peak, column, boxes in zip(page.peaks, tiles.columns, tiles.boxes, strict=True):
        cut, field = peak.cut, peak.field
        assert peak.tile is None
        assert [used for _, _, used in column] == [f"#seen-{peak.rank}"] * 2
        assert column[1][1] == f"{cut.left} {cut.top} {cut.width} {cut.height}"
        assert boxes == [
            ("box field", *map(str, (field.left, field.top, field.width, field.height))),
            ("box cut", *map(str, (cut.left, cut.top, cut.width, cut.height))),
        ]
    assert "the build kept those of some units of this layer only" in text
    assert "cut from the small copies of the images" in text and "not kept" not in text


def test_what_is_not_kept_is_said(atlas, tmp_path) -> None:
    """No thumbnails: no row of pictures. One thumbnail that is missing: a word in its place."""
    one = f"image = (SELECT image FROM peak WHERE layer = 1 AND unit = {UNIT} AND rank = 3)"
    for changes, said in (("DELETE FROM picture", 0), (f"DELETE FROM picture WHERE {one}", 1)):
        copy = Path(shutil.copy(atlas, tmp_path / "few.atlas"))
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(changes)
        text = page_of(copy, UNIT)
        assert text.count("picture not kept") == said
        assert sum(used.startswith("#seen") for column in Tiles(text).columns for _, _, used in column) == 8 * said


def test_an_export_without_photographs_has_projections_alone(atlas, tmp_path) -> None:
    """Neither a picture nor a patch nor a place of one, and of a unit without tiles only its numbers."""
    export(atlas, tmp_path / "site", ExportChoice(layers=(LAYER,), photographs=False))
    whole, bare = ((tmp_path / "site" / "l" / LAYER / "u" / f"{unit}.html").read_text() for unit in (UNIT, BARE))
    for text in (whole, bare):
        assert "seen-" not in text and "patches" not in Tiles(text).images
        assert not any(Tiles(text).boxes)
        assert "photographs were left out of this copy" in text
    assert all(len(column) == 4 for column in Tiles(whole).columns)
    assert Tiles(bare).columns == [[]] * 9 and 'class="cells"' not in bare


def test_a_share_is_five_squares(shelf) -> None:
    """Filled as far as the share goes, whatever it is; and darker as far as what is known to be the unit's own."""
    drawn_by = environment().get_template("macros.html").module.squares
    for share, own, kept, dark in (
        (0.5, None, [10, 10, 5], [10, 10, 5]), (0.82, 0.3, [10, 10, 10, 10, 1], [10, 5]), (0, None, [], []),
        (0.4, -0.2, [10, 10], []), (-0.2, None, [], []), (1.7, 0.0, [10] * 5, []), (0.2, 0.6, [10], [10]),
    ):  # fmt: skip
        drawn = str(drawn_by(share, own))
        assert drawn.count('class="square"') == 5
        for kind, widths in (("kept", kept), ("own", dark)):
            found = re.findall(rf'class="{kind}" x="(\d+)" width="([\d.]+)"', drawn)
            assert [float(width) for _, width in found] == pytest.approx(widths, abs=0.01)
            assert [int(place) for place, _ in found] == [12 * place for place in range(len(widths))]


def test_a_unit_without_a_name_says_what_it_fires_most_for(atlas, shelf) -> None:
    """And why it has no name, whether nobody looked or nothing was found."""
    for layer, why in (
        ("features.1", "no concept comes close"),
        ("classifier.1", "no closest concept is known: this layer was not dissected"),
    ):
        page, text = facts(shelf.book("full"), NONE, layer=layer, unit=3), page_of(atlas, 3, layer)
        assert page.most_for and all(f"<b>{name}</b>" in text for name in page.most_for)
        assert "fires most for <b>" in text and why in text


def test_projections_stand_left_of_patches(atlas) -> None:
    """On a layer's page at a glance and large, and on covers."""
    with viewing(atlas) as client:
        glance, large, cover = (
            client.get(f"/full/{page}").text for page in (f"l/{LAYER}?show=all", f"l/{LAYER}?zoom=large", "network")
        )
    assert '<i class="projections"></i><i class="patches"></i>' in glance
    for text in (large, cover):
        pairs = re.findall(r'<span class="pair">(.*?)</span>', text)
        kinds = [re.findall(r'<img class="(\w+)"', pair) for pair in pairs]
        assert kinds and all(pair in (["projections", "patches"], ["patches"]) for pair in kinds)
        assert ["projections", "patches"] in kinds


def test_a_grid_says_which_units_have_no_tiles(atlas) -> None:
    """In words, at the unit itself; dead ones are called dead."""
    with viewing(atlas) as client:
        text = client.get(f"/full/l/{LAYER}?show=all").text
    entries = re.findall(r'<li [^>]*class="[^"]*bare[^"]*">.*?</li>', text, re.DOTALL)
    assert len(entries) == 2 and "no tiles kept" in entries[0] and "dead" in entries[1]
    assert text.count("no tiles kept") == 1
