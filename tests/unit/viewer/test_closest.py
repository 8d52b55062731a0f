"""What a unit is said to show is called by one word in every place, and said in words: codes stand in JSON alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.cli import main
from layerscope.core.concept_words import CLOSEST, closest_words
from layerscope.facts.standing import names_said
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.pages.choosing import matching
from layerscope.viewer.pages.units import unit_rows
from layerscope.viewer.render import STATIC, environment
from layerscope.viewer.shelf import Shelf
from tests.helpers.viewing import addresses, viewing
from tests.helpers.wide import wide_atlas

CODE, WORDS = "edge 90", "vertical edge"
# Words for the same thing that the pages once had.
OTHERS = re.compile(r"\bguess:|\bguesses\b|concept found|\ba guess\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return wide_atlas(tmp_path_factory.mktemp("closest") / "wide.atlas", 92, concept=CODE)


@pytest.fixture(scope="module")
def shelf(path) -> Iterator[Shelf]:
    made = Shelf([path])
    yield made
    made.close()


def seen(page: str) -> str:
    """What a page says, its titles and descriptions too: all but addresses, which are for machines."""
    return re.sub(r"\s+", " ", re.sub(r'(?:href|src|value|data-[a-z]+)="[^"]*"', "", page))


def test_every_served_page_says_it_in_words(path, shelf):
    """No page shows a concept's code or another word for it; those of units, layers and comparisons name it."""
    naming = 0
    with viewing(path) as browser:
        for address in addresses(shelf):
            answer = browser.get(address, follow_redirects=True)
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            text = seen(answer.text)
            assert CODE not in text and not OTHERS.search(text), address
            naming += WORDS in text
        assert naming > 5
        assert f"{CLOSEST}: <b>{WORDS}</b>" in browser.get("/wide/l/layer4.2/u/0").text
        assert f"{CLOSEST}: {WORDS}, score" in browser.get("/wide/compare?u=l0:0&u=l0:1").text
        assert json.loads(browser.get("/wide/l/layer4.2/u/0?format=json").text)["guess"]["concept"] == CODE


def test_an_export_says_it_in_words(path):
    """Its pages, as the server's; a layer's rows hold the words to show and, at the end, the code to search by."""
    with planned(path, ExportChoice()) as plan:
        pages = {
            piece.path: plan.content(piece).decode()
            for piece in plan.pieces
            if piece.path.endswith((".html", "names.js"))
        }
    assert not [name for name, page in pages.items() if name.endswith(".html") and CODE in seen(page)]
    rows = json.loads(re.fullmatch(r'LS.put\("units", "[^"]+", (.*)\);\n', pages["l/layer4.2/names.js"]).group(1))
    assert {(row[7], row[-1]) for row in rows} == {(WORDS, CODE), ("", "")}
    assert not any(text in (CODE, WORDS) for row in rows for text in row[11].split("\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CODE, True),
        (WORDS, True),
        ("Vertical", True),
        ("  edge  90 ", True),
        ("90", [90]),
        ("edge 0", [0]),
        ("edge 46", []),
    ],
)
def test_a_layer_is_filtered_by_codes_and_by_words(shelf, text, found):
    """A code that ends with a number is a name, and no number of a unit; a number alone is a unit, and no part of a
    code; a word and a number are both."""
    book = shelf.book("wide")
    rows = unit_rows(book, book.layers[0])
    expected = [row.unit for row in rows if row.name] if found is True else found
    assert [row.unit for row in matching(rows, text, "all")] == expected


def test_scripts_and_templates_have_no_other_word():
    """What they say of a unit they get from the one place that has it."""
    loader = environment().loader
    for name in environment().list_templates():
        source, _, _ = loader.get_source(environment(), name)
        assert not OTHERS.search(source) and CLOSEST not in source, name
    for script in STATIC.iterdir():
        if script.name.endswith(".js"):
            text = script.read_text(encoding="utf-8")
            assert not OTHERS.search(text) and CLOSEST not in text, script.name


def test_the_terminal_and_python_say_it_in_words(path, capsys):
    """Tables and reprs have the words and the one term; JSON and fields have the code."""

    def command(*words) -> tuple[int, str, str]:
        return main([*map(str, words)]), *capsys.readouterr()

    status, out, _ = command("find", path, CODE)
    assert status == 0 and CODE not in out and out.count(WORDS) == len([*range(0, 91, 3)])
    status, out, _ = command("find", path, "vertical", "--json")
    assert status == 0 and {one["name"] for one in json.loads(out)["found"]} == {CODE}
    for words, said in (
        (("layer4.2",), f"  {CLOSEST}\n"),
        (("layer4.2", "0"), f"{closest_words(CODE, begins=True)} ("),
    ):
        status, out, _ = command("show", path, *words)
        assert status == 0 and CODE not in out and WORDS in out and said in out
    with ls.open(path) as atlas:
        unit, found = atlas["layer4.2"][0], atlas.find("vertical")[0]
        assert f"{CLOSEST}: {WORDS}" in repr(unit) and CODE not in repr(unit) and unit.concept.concept == CODE
        assert WORDS in repr(found) and CODE not in repr(found) and found.name == CODE and found.said == WORDS


def test_a_doubtful_name_is_told_by_its_peaks(path, monkeypatch):
    """What its peaks show stands in place of the concept, and is not called one."""
    kinds = {0: "cat face 4, boat 3 of seven"}
    monkeypatch.setattr("layerscope.facts.standing.at_peaks", lambda file, layer: kinds)
    with AtlasFile(path) as file:
        said = names_said(file, file.layers[0])
    assert said[0] == f"at its peaks: {kinds[0]}" and said[3] == closest_words(CODE) == f"{CLOSEST}: {WORDS}"
