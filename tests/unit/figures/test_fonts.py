"""Words in every script: drawn with a font that has the letters, or written as escapes, and then it is said."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from layerscope.cli.output import Output
from layerscope.cli.parser import parse
from layerscope.cli.verbs import figure as verb
from layerscope.figures import Bar, Chart, Grid, Panel, Sheet, Tile, fonts, measure
from layerscope.figures.files import encode
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import rename_all

CAT, DOG = "\u732b", "\uac1c"  # Han and Hangul: in neither of the figures' own fonts
KINDS = ("png", "pdf", "svg")


def font(path: Path, letters: str, name: str) -> str:
    """A font file whose letters are all a triangle."""
    letters, pen = "".join(dict.fromkeys(letters)), TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, 700))
    pen.lineTo((900, 0))
    pen.closePath()
    triangle, names = pen.glyph(), [f"u{ord(letter):04X}" for letter in letters]
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder([".notdef", *names])
    made.setupCharacterMap({ord(letter): glyph for letter, glyph in zip(letters, names, strict=True)})
    made.setupGlyf(dict.fromkeys([".notdef", *names], triangle))
    made.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name.replace(" ", "")})
    made.setupOS2()
    made.setupPost()
    made.save(path)
    return str(path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The font files of the machine, none at first; matplotlib's list is as before afterwards."""
    files: list[str] = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: list(files))
    known, caches = list(font_manager.fontManager.ttflist), (
        fonts.families, fonts._held, fonts._letters, fonts._installed_with, fonts._files, measure.width,
    )  # fmt: skip
    for cache in caches:
        cache.cache_clear()
    yield files
    font_manager.fontManager.ttflist[:] = known
    font_manager.fontManager._findfont_cached.cache_clear()
    for cache in caches:
        cache.cache_clear()


def everywhere(word: str) -> Sheet:
    """A figure with a word in all places that hold one."""
    tile = Tile(picture=np.full((8, 8, 3), 90, np.uint8), caption=f"1.0\n{word}", note=word)
    grid = Grid(
        tiles=(tile, tile),
        columns=2,
        row_labels=(word,),
        column_labels=(word, word),
        corner=word,
        note=word,
        spaced=True,
    )
    bars = Chart(kind="bars", bars=(Bar(place=0, value=1.0, label=word, note=word),), axis=word, values=word)
    histogram = Chart(kind="histogram", bars=(Bar(place=0, value=1.0),), axis=word, values=word, ticks=((0, word),))
    panels = tuple(
        Panel(parts=(part,), heading=word, section=word, section_note=word) for part in (grid, bars, histogram)
    )
    return Sheet(panels=panels, columns=1, title=word, caption=word, footer=word, width=4)


@pytest.mark.parametrize("kind", KINDS)
def test_letters_that_no_font_has_are_escapes(machine, kind):
    """Wherever a word stands, matplotlib has nothing to warn of, and the figure and the sheet tell of it."""
    sheet = everywhere(CAT)
    assert sheet.missing_letters == CAT
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert encode(sheet, kind, dpi=50)
        drawn = " ".join(text.get_text() for text in sheet.draw().axes[0].texts)
    assert CAT not in drawn
    assert "Letters that no font of the machine had are written as escapes, such as \\u732b." in drawn
    assert drawn.count("\\u732b") > 10


def test_the_same_letters_are_drawn_with_a_font_of_the_machine(machine, tmp_path):
    """A font that has them is found, also one that matplotlib's own list does not know yet; nothing is said then."""
    machine += [font(tmp_path / "z.ttf", CAT, "Zed"), font(tmp_path / "a.ttf", CAT + DOG, "Alpha")]
    assert fonts.families(f"a{CAT}") == (*fonts.FAMILY, "Alpha")
    sheet = everywhere(CAT)
    assert sheet.missing_letters == ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in KINDS:
            assert encode(sheet, kind, dpi=50)
        assert b"+Alpha" in encode(sheet, "pdf")
    assert any(text.get_text() == CAT for text in sheet.draw().axes[0].texts)


def test_several_fonts_help_where_none_has_all(machine, tmp_path):
    """One font a script; what is left over is told, each letter once and in order."""
    machine += [font(tmp_path / "a.ttf", CAT, "Alpha"), font(tmp_path / "b.ttf", DOG, "Beta")]
    assert fonts.families(DOG + CAT) == (*fonts.FAMILY, "Alpha", "Beta")
    assert fonts.lacking(f"{DOG}{CAT}\u0e41\u0e41\u0928x") == "\u0e41\u0928"
    assert fonts.legible(f"{CAT}\u0e41 a") == f"{CAT}\\u0e41 a"
    machine.append(str(tmp_path / "broken.ttf"))
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    fonts._files.cache_clear()
    assert fonts.lacking("\u0928") == "\u0928"


def test_a_plain_face_of_a_large_family_is_preferred(machine, tmp_path):
    """Of two fonts with a letter the one that is called Noto Sans Regular; none whose letters are pictures or boxes."""
    names = ("Aaa.ttf", "NotoSansXX-Bold.ttf", "NotoSansXX-Regular.ttf", "NotoColorEmoji.ttf", "LastResort.ttf")
    machine += [font(tmp_path / name, CAT, name.partition(".")[0]) for name in names]
    assert fonts.families(CAT) == (*fonts.FAMILY, "NotoSansXX-Regular")


# Scripts that matplotlib's own fonts have: accents as marks of their own, right to left, symbols.
OWN = ("cat", "\u0441\u043e\u0431\u0430\u043a\u0430", "\u03b3\u03ac\u03c4\u03b1", "\u05db\u05dc\u05d1", "\u0642\u0637",
       "e\u0301te\u0301", "3 \u00d7 3 px\u2026", "\U0001f600", "a\u00a0b")  # fmt: skip


@pytest.mark.parametrize("word", OWN)
@pytest.mark.thin(2)
def test_what_the_figures_own_fonts_have_needs_no_other(machine, tmp_path, word):
    """Such figures are the same to the byte, whatever fonts the machine has."""
    sheet = everywhere(word)
    assert sheet.missing_letters == "" and fonts.families(word) == fonts.FAMILY
    before = encode(sheet, "svg")
    machine += [font(tmp_path / "NotoSans-Regular.ttf", word + CAT, "Noto Sans")]
    fonts._files.cache_clear()
    assert encode(sheet, "svg") == before


def test_a_mark_stays_with_its_letter():
    """A word that is cut to fit a line is not cut between a letter and what is set on it."""
    word = "e\u0301" * 30
    lines = measure.wrapped(word, 0.5, 8)
    assert "".join(lines) == word and len(lines) > 1
    assert all(line.startswith("e") for line in lines)


def test_the_command_says_which_letters_are_missing(machine, tmp_path, capsys):
    """Once, with what to do, on stderr; without a remark where nothing is missing."""
    atlas = small_atlas(tmp_path / "a.atlas", units=2, images=8)
    command = parse(["figure", str(atlas), "-o", str(tmp_path / "f.png"), "--dpi", "20", "--count", "1"])
    verb.run(command, Output(json=False, quiet=False))
    assert capsys.readouterr().err == ""
    rename_all(atlas, f"{CAT}{DOG}")
    verb.run(command, Output(json=False, quiet=False))
    said = capsys.readouterr().err
    assert said == (
        f'no font of this machine has the letters "{CAT}", "{DOG}": figures show escapes (\\u732b) in their place; '
        "install a font that has them, such as Noto\n"
    )
