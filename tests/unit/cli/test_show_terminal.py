"""In a terminal `show` and `info` draw tiles and bars and name the next command; into a pipe they write plain text."""

import json
import re
import shutil
import sys
from collections.abc import Callable

import numpy as np
import pytest

from layerscope.api.atlas import open as open_atlas
from layerscope.cli import main
from layerscope.cli.terminal import NOBODY, Terminal
from layerscope.cli.tiles import strongest_picture, tiles_of, unit_picture
from layerscope.core.picture_forms import PICTURE_FORMS
from tests.helpers.books import full_atlas
from tests.helpers.screens import read_blocks, read_kitty, read_sixels
from tests.unit.cli.test_terminal import Tty

ESCAPE = "\x1b"
WIDE = Terminal(watched=True, colours=1 << 24, blocks=True, columns=80, lines=40)


@pytest.fixture(scope="module")
def dissected(tmp_path_factory) -> str:
    """The path of an atlas with names, some of them hostile."""
    return str(full_atlas(tmp_path_factory.mktemp("terminal") / "full.atlas", units=8, images=30))


@pytest.fixture
def typed(monkeypatch, capsys) -> Callable[..., tuple[str, str]]:
    """Run one command in a terminal of 80 columns with all colours: what stands on stdout and on stderr."""
    for name, value in {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*words: object) -> tuple[str, str]:
        screen = Tty()
        with monkeypatch.context() as within:
            within.setattr(sys, "stdout", screen)
            assert main([str(word) for word in words]) == 0
        return screen.getvalue(), capsys.readouterr().err

    return run


def picture_lines(text: str) -> str:
    """The lines of half blocks."""
    return "\n".join(line for line in text.splitlines() if ESCAPE in line)


def test_a_units_tiles_are_drawn_as_a_plate_has_them(dissected):
    """Projections left, patches right, three by three, each tile the atlas's own made as small; gaps are empty."""
    with open_atlas(dissected) as atlas:
        unit = atlas["features.4"][0]
        picture = unit_picture(unit, PICTURE_FORMS["blocks"], WIDE)
        tiles = {"projections": unit.projection, "patches": unit.patch}
        tiles = {kind: [tile(rank) for rank in range(9)] for kind, tile in tiles.items()}
    drawn = read_blocks(picture_lines(picture))
    # 80 columns: two grids of three tiles with a px between them, three px between the grids: 12 px a tile.
    assert drawn.shape == (3 * 12 + 2, 2 * (3 * 12 + 2) + 3, 4)
    assert not drawn[12, :, 3].any() and not drawn[:, 38:41, 3].any()
    for left, kind in ((0, "projections"), (41, "patches")):
        for rank in range(9):
            row, col = 13 * (rank // 3), left + 13 * (rank % 3)
            cell = drawn[row : row + 12, col : col + 12].astype(float)
            # Tiles of 24 px: each px of a cell is the mean of four.
            expected = tiles[kind][rank].reshape(12, 2, 12, 2, 3).mean((1, 3))
            assert (cell[..., 3] == 255).all()
            assert np.abs(cell[..., :3] - expected).max() <= 1
    assert "left projections by guided, right patches, best first" in picture


@pytest.mark.parametrize(("columns", "lines", "side"), [(40, 60, 5), (80, 24, 10), (160, 60, 24), (80, 10, 5)])
def test_a_picture_fits_the_terminal(dissected, columns, lines, side):
    """As large as columns and lines allow, from 5 px a tile to 24; never wider than the terminal."""
    terminal = Terminal(watched=True, colours=256, blocks=True, columns=columns, lines=lines)
    with open_atlas(dissected) as atlas:
        drawn = read_blocks(picture_lines(unit_picture(atlas["features.4"][0], PICTURE_FORMS["blocks"], terminal)))
    assert drawn.shape[1] == 2 * (3 * side + 2) + 3 <= columns


def test_what_has_no_tiles_has_no_picture(dissected):
    """A dead unit, and a layer of dead ones; a layer without projections shows its patches."""
    with open_atlas(dissected) as atlas:
        dead, form = atlas["features.4"][7], PICTURE_FORMS["blocks"]
        assert tiles_of(dead, 9) == {} and unit_picture(dead, form, WIDE) == ""
        assert strongest_picture([dead], ["7"], form, WIDE) == ""
        assert list(tiles_of(atlas["classifier.1"][0], 9)) == ["patches"]
        assert unit_picture(atlas["classifier.1"][0], form, WIDE).endswith("\npatches, best first")


@pytest.mark.parametrize(("form", "read"), [("kitty", read_kitty), ("sixel", read_sixels)])
def test_fine_pictures_have_the_screens_px(command, dissected, form, read):
    """Asked for, they are drawn into a pipe too: tiles of 64 px, four px between them, twelve between the grids."""
    _, out, _ = command("show", dissected, "features.4", 0, "--pictures", form)
    picture, _, rest = out.partition(f"{ESCAPE}\\\n") if form == "sixel" else ("", "", "")
    if form == "sixel":
        drawn = read(f"{picture}{ESCAPE}\\")
    else:
        drawn, rest = read("".join(re.findall(r"\x1b_G[^\x1b]*\x1b\\", out))), re.sub(r"\x1b_G[^\x1b]*\x1b\\", "", out)
    assert drawn.shape == (3 * 64 + 2 * 4, 2 * (3 * 64 + 2 * 4) + 12, 4)
    assert "unit 0 of features.4: 9 peaks" in rest and ESCAPE not in rest


def test_the_layers_say_what_names_their_units(command, dissected, typed):
    """How many units have a name and the concepts of most of them; in a terminal with bars of what is kept."""
    data = json.loads(command("show", dissected, "--json")[1])["layers"]
    assert [layer["named"] for layer in data] == [4, 4, None]
    for layer in data:
        units = [one["units"] for one in layer["concepts"]]
        assert sum(units) == (layer["named"] or 0) and units == sorted(units, reverse=True)
    plain = command("show", dissected)[1]
    assert "named  most of them" in plain.splitlines()[0]
    assert plain.isascii() and ESCAPE not in plain
    drawn, said = typed("show", dissected)
    # 60 % of eight characters of eight eighths: 38.4 eighths.
    assert "60 %  ████▊" in drawn and ESCAPE not in drawn
    assert said.splitlines() == [
        f"next: layerscope show {dissected} classifier.1  (its units)",
        f"next: layerscope serve {dissected}  (all of it, in the browser)",
    ]
    assert typed("show", dissected, "--quiet")[1] == ""


def test_the_strongest_units_stand_below_their_table(dissected, typed):
    """In a terminal: patches above projections, as many units as fit, each with its number; the table as ever."""
    drawn, said = typed("show", dissected, "features.1")
    table, _, rest = drawn.partition("\n\n")
    first = table.splitlines()[1].split()[0]
    assert rest.splitlines()[0].split()[0] == first
    # Two tiles and a px between them, and one that fills the last line.
    assert read_blocks(picture_lines(rest)).shape == (2 * 12 + 1 + 1, 5 * 12 + 4 * 3, 4)
    assert f"next: layerscope show {dissected} features.1 {first}  (its peaks)" in said


def test_no_pictures_where_none_are_wanted(command, dissected, typed, monkeypatch):
    """Not with --pictures none, not in JSON, not for NO_COLOR, and never unasked into a pipe."""
    assert ESCAPE in typed("show", dissected, "features.4", 0)[0]
    assert ESCAPE not in typed("show", dissected, "features.4", 0, "--pictures", "none")[0]
    assert json.loads(typed("show", dissected, "features.4", 0, "--json")[0])["unit"] == 0
    assert ESCAPE not in command("show", dissected, "features.4", 0)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in typed("show", dissected, "features.4", 0)[0]


def test_an_unknown_form_is_a_sentence(command, dissected):
    """With the forms that there are."""
    status, out, err = command("show", dissected, "--pictures", "sixels")
    assert (status, out) == (1, "")
    assert "--pictures must be one of blocks, kitty, sixel, none" in err and "did you mean sixel" in err


def test_a_unit_has_runners_up(command, dissected):
    """Further concepts with their scores, best first, and none of them the unit's name; names steer no terminal."""
    data = json.loads(command("show", dissected, "features.1", 0, "--json")[1])
    assert data["concept"]["concept"] not in [one["concept"] for one in data["runners_up"]]
    assert len(data["runners_up"]) == 2
    out = command("show", dissected, "features.1", 0)[1]
    told = re.search(r"Runners-up: (.*)\.", out)
    assert told is not None
    assert [float(score) for score in re.findall(r"\d\.\d\d", told[1])] == [
        pytest.approx(one["score"], abs=0.005) for one in data["runners_up"]
    ]


def test_info_has_bars_and_the_next_command(command, dissected, typed):
    """What is kept as bars in a terminal; how many units are named; plain text without a terminal."""
    drawn, said = typed("info", dissected)
    assert "█" in drawn and "4 of 8 in features.1" in drawn
    assert said.splitlines()[-1] == f"next: layerscope serve {dissected}  (all of it, in the browser)"
    plain = command("info", dissected)
    assert "█" not in plain[1] and plain[2] == ""
    assert json.loads(command("info", dissected, "--json")[1])["named"][0] == {
        "layer": "features.1", "units": 8, "named": 4,
    }  # fmt: skip


def test_a_path_in_the_next_command_can_be_pasted(dissected, typed, tmp_path):
    """One with a space stands in quotes."""
    path = tmp_path / "my atlas.atlas"
    shutil.copy(dissected, path)
    assert f"next: layerscope serve '{path}'" in typed("show", path)[1]


def test_nobody_gets_a_next_command(command, dissected):
    """Into a pipe remarks stay as they were: none."""
    assert NOBODY.watched is False
    assert command("show", dissected)[2] == ""
