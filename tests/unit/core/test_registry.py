"""Rows by name: the house's own, and those that installed packages name in their entry points."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from layerscope.core.errors import UsageError
from layerscope.core.registry import Registry, Row, later


@dataclass(frozen=True, kw_only=True)
class Colour(Row):
    """A row of these tests."""

    hue: int


GROUP = "layerscope.test_colours"


def colours() -> Registry[Colour]:
    red = Colour(name="red", sentence="the colour of blood", hue=0)
    hard = Colour(
        name="hard", sentence="what nobody has", hue=1, needs=("nobody_has_this",), install="layerscope[hard]"
    )
    return Registry("colour", GROUP, Colour, (red, hard))


@pytest.fixture
def guests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages with one that names rows, good ones and others."""
    (tmp_path / "a_guest.py").write_text(
        "from dataclasses import replace\n"
        f"import sys\nColour = sys.modules[{__name__!r}].Colour\n"
        "blue = Colour(name='blue', sentence='the colour of the sky', hue=240)\n"
        "green = replace(blue, name='verde')\n"
        "red = replace(blue, name='red')\n"
        "other = 7\n"
    )
    (tmp_path / "a_broken_guest.py").write_text("import nobody_has_this\n")
    info = tmp_path / "guest-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\nblue = a_guest:blue\ngreen = a_guest:green\nred = a_guest:red\nseven = a_guest:other\n"
        "gone = a_broken_guest:blue\n"
    )
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Colour.__module__])
    monkeypatch.syspath_prepend(str(tmp_path))
    # Whoever was tested before may have loaded it, whatever the order.
    monkeypatch.delitem(sys.modules, "a_guest", raising=False)
    return tmp_path


def test_the_houses_rows_are_known_by_name():
    """A row is had by its name, and names are told in the table's order."""
    table = colours()
    assert table["red"].hue == 0 and table.names == ("red", "hard") and "red" in table and "blue" not in table


def test_an_unknown_name_is_one_sentence_with_all_names():
    """Whoever mistypes is told the names, and the nearest."""
    with pytest.raises(UsageError, match=r'^colour "ret" is not known; choose one of red, hard; did you mean red\?$'):
        colours()["ret"]


def test_a_row_that_lacks_a_module_says_what_installs_it():
    """The sentence holds the line to type; the words of the row can be had all the same."""
    with pytest.raises(
        UsageError,
        match=r'^the colour "hard" needs nobody_has_this: pip install \'layerscope\[hard\]\'$',
    ):
        colours()["hard"]
    assert colours().known("hard").sentence == "what nobody has"


def test_a_guests_row_is_found_and_loaded_only_when_used(guests: Path):
    """Names cost no import of the guest's code."""
    table = colours()
    assert table.names == ("red", "hard", "blue", "gone", "green", "seven")
    assert "a_guest" not in sys.modules
    assert table["blue"].hue == 240
    assert "a_guest" in sys.modules
    del sys.modules["a_guest"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("green", 'the colour "green" of guest 2.1 calls itself "verde": entry point and row must have one name'),
        ("gone", 'the colour "gone" of guest 2.1 cannot be loaded: ModuleNotFoundError: No module named \'nobody_ha'),
        ("seven", 'the colour "seven" of guest 2.1 is a int; expected a '),
    ],
)
def test_a_guest_that_cannot_be_used_is_told_with_its_package(guests: Path, name: str, sentence: str):
    """Nothing of a guest ends in a traceback."""
    with pytest.raises(UsageError) as refused:
        colours()[name]
    assert str(refused.value).startswith(sentence)


def test_a_name_of_the_house_stays_the_houses(guests: Path):
    """A guest cannot take the place of a row; the list says so."""
    table = colours()
    assert table["red"].hue == 0
    found = {(row.name, row.home): row.trouble for row in table.found()}
    assert found["red", "layerscope"] == "" and found["red", "guest 2.1"] == "layerscope has this name already"
    assert found["hard", "layerscope"] == "needs nobody_has_this: pip install 'layerscope[hard]'"
    assert found["blue", "guest 2.1"] == "" and [row.name for row in table] == ["red", "hard", "blue"]


def test_a_function_by_its_address_is_loaded_when_called():
    """`later` costs nothing until it is called, and then is the function."""
    assert later("math:hypot")(3, 4) == 5
    later("nobody_has_this:at_all")
