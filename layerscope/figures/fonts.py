"""Which fonts draw a text: the figures' own, and for letters that these lack fonts of the machine; else escapes.

Names of classes, files and layers come in every script. A box in place of a letter would say nothing, and two such
names would look the same: what no font has is written as its escape (\\u732b), as on a terminal that cannot show it.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

# Both families ship with matplotlib: a figure needs no font of the machine. DejaVu stands in for missing letters.
FAMILY = ("STIXGeneral", "DejaVu Sans")
# In files of fonts by name, what comes first where several have a letter: plain faces of large families.
PREFERRED = ("notosans", "noto", "regular")
WEIGHTS = {False: "normal", True: "bold"}
# Pictures in place of outlines, and boxes for all letters there are.
UNUSABLE = ("coloremoji", "lastresort")


@lru_cache(maxsize=4096)
def families(text: str, bold: bool = False) -> tuple[str, ...]:
    """The families that draw this text, in the order in which they are asked for each letter; FAMILY in nearly all."""
    missing = frozenset(map(ord, text)) - _held(FAMILY, bold) - _BLANK
    return FAMILY + _installed_with(missing) if missing else FAMILY


def lacking(text: str, bold: bool = False) -> str:
    """The letters of a text that no font of this machine has, each once, in order."""
    held = _held(families(text, bold), bold) | _BLANK
    return "".join(letter for letter in dict.fromkeys(text) if ord(letter) not in held)


def legible(text: str, bold: bool = False) -> str:
    """The text with an escape for each letter that no font of this machine has."""
    none = lacking(text, bold)
    return "".join(_escape(letter) if letter in none else letter for letter in text) if none else text


def missing_words(letters: str) -> str:
    """What is to be said of letters that no font has, and what mends it."""
    some = ", ".join(f'"{letter}"' for letter in letters[:3])
    more = f" and {len(letters) - 3} more" if len(letters) > 3 else ""
    return (
        f"no font of this machine has the letters {some}{more}: figures show escapes ({_escape(letters[0])}) in their "
        "place; install a font that has them, such as Noto"
    )


def missing_note(letters: str) -> str:
    """The same in a figure itself, which cannot show the letters."""
    return f"Letters that no font of the machine had are written as escapes, such as {_escape(letters[0])}."


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


_BLANK = frozenset(map(ord, " \n\t\u00a0"))


@cache
def _held(names: tuple[str, ...], bold: bool) -> frozenset[int]:
    """The letters of these families together, as code points."""
    from matplotlib.font_manager import FontProperties, findfont

    paths = [findfont(FontProperties(family=[name], weight=WEIGHTS[bold])) for name in names]
    return frozenset[int]().union(*map(_letters, paths))


@cache
def _letters(path: str) -> frozenset[int]:
    """The letters of one file; none where it cannot be used."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError, UnicodeDecodeError, ValueError):
        return frozenset()


@lru_cache(maxsize=1024)
def _installed_with(letters: frozenset[int]) -> tuple[str, ...]:
    """Families of the machine that have these letters, as few as come: in each step the first that has any."""
    chosen: list[str] = []
    for path in _files():
        if not letters:
            break
        if found := letters & _letters(path):
            chosen.append(_registered(path))
            letters -= found
    return tuple(dict.fromkeys(chosen))


@cache
def _files() -> tuple[str, ...]:
    """The machine's font files, without those that matplotlib brings, in an order that its folders do not change."""
    from matplotlib import get_data_path
    from matplotlib.font_manager import findSystemFonts

    own = Path(get_data_path())
    return tuple(sorted(_usable(path for path in findSystemFonts() if own not in Path(path).parents), key=_rank))


def _usable(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not any(word in Path(path).name.lower() for word in UNUSABLE)]


def _rank(path: str) -> tuple[object, ...]:
    name = Path(path).name.lower()
    return *(word not in name for word in PREFERRED), name, path


def _registered(path: str) -> str:
    """The family of a font file, which matplotlib knows from now on: its own list may be older than the file."""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    if not any(entry.fname == path for entry in fontManager.ttflist):
        fontManager.addfont(path)
    return FT2Font(path).family_name
