"""The viewer's own and others' scripts and style sheets: as published, small, and asking for nothing elsewhere."""

import hashlib
import re
import tomllib
from dataclasses import replace

import pytest
from jinja2 import DictLoader, Environment

from layerscope.testing import page_weight
from layerscope.testing.page_weight import loaded, loads_little
from layerscope.viewer.pages import PAGES
from layerscope.viewer.render import STATIC, assets
from tests.helpers.atlases import small_atlas
from tests.helpers.viewing import viewing

VENDORED = tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text())
OWN = [name for name in assets() if not name.startswith("vendor/")]


@pytest.mark.parametrize("name", VENDORED)
def test_scripts_of_others_are_as_published(name: str) -> None:
    """The hash in VENDOR.toml is the file's; its licence stands beside it."""
    entry = VENDORED[name]
    assert hashlib.sha256((STATIC / "vendor" / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (STATIC / "vendor" / entry["licence_file"]).read_text().strip()


def test_every_vendored_script_is_listed() -> None:
    """Nothing else lies in the folder."""
    listed = {entry["file"] for entry in VENDORED.values()}
    assert {name.removeprefix("vendor/") for name in assets() if name.startswith("vendor/")} == listed


@pytest.mark.parametrize("name", PAGES.own)
def test_budgets_of_scripts_and_style(name: str) -> None:
    """Each page loads at most 60 kB of scripts, of which 15 kB are others', and 30 kB of style sheets."""
    loads_little(PAGES.own[name])


def test_the_common_script_can_be_read() -> None:
    """It has fewer than 400 lines."""
    assert len(assets()["viewer.js"].splitlines()) < 400


def test_what_is_weighed_is_what_a_browser_loads(tmp_path) -> None:
    """Templates name what the pages made of them ask for, and every file of ours is some page's."""
    with viewing(small_atlas(tmp_path / "small.atlas", units=2, k=2, images=6)) as browser:
        for name, address in (("unit", "l/l0/u/0"), ("layer", "l/l0"), ("image", "i/0"), ("about", "about")):
            asked = re.findall(r'(?:href|src)="/static/([^"?]+)', browser.get(f"/small/{address}").text)
            assert asked and set(asked) <= set(loaded(PAGES.own[name])), name
    weighed = {name for page in PAGES.own.values() for static in (False, True) for name in loaded(page, static=static)}
    assert weighed == set(assets())


def test_a_page_that_loads_much_is_found(monkeypatch) -> None:
    """It is named, with what it loads and how much it may."""
    monkeypatch.setattr(page_weight, "assets", lambda: {name: bytes(30_000) for name in assets()})
    with pytest.raises(AssertionError, match=r'"image" loads [\d,]{6,} bytes of \*\.js, at most 60,000 may be'):
        loads_little(PAGES.own["image"])


@pytest.mark.parametrize("name", OWN)
def test_nothing_is_asked_of_another_place(name: str) -> None:
    """No address of another origin, no module, no font, no evaluation."""
    text = assets()[name].decode()
    # A sentence may name the reader's own machine.
    addresses = set(re.findall(r"https?://[\w.]+", text)) - {
        "http://www.w3.org",
        "http://localhost",
        "http://127.0.0.1",
    }
    assert not addresses
    assert not re.search(r"@import|@font-face|\beval\(|new Function|^import ", text, re.MULTILINE)


def test_the_common_scripts_work_from_files() -> None:
    """What a browser forbids a page of file:// is not used: requests, workers, modules."""
    text = "".join(assets()[name].decode() for name in ("viewer.js", "grid.js"))
    assert not re.search(r"\bfetch\(|XMLHttpRequest|new Worker|import\(|export ", text)


def test_every_place_in_a_sprite_has_a_class() -> None:
    """Unit u of a section lies in column u % 8 and row u // 8: sprite-places.css says so for all 64."""
    rules = re.findall(r"\.p(\d+) \{ --col: (\d); --row: (\d); \}", assets()["sprite-places.css"].decode())
    assert [(int(p), int(c), int(r)) for p, c, r in rules] == [(p, p % 8, p // 8) for p in range(64)]


TEMPLATES = {
    "base": "{% block a %}{{ link.asset('viewer.js') }}{% endblock %}"
    "{% block b %}{{ link.asset('theme.js') }}{% endblock %}"
    "{% if link.static %}{{ link.asset('pages.js') }}{% else %}{{ link.asset('live.js') }}{% endif %}",
    "plain": "{% extends 'base' %}",
    "without": "{% extends 'base' %}{% block a %}{% endblock %}",
    "other": "{% extends 'base' %}{% block b %}{% include 'part' %}{% endblock %}",
    "part": "{% if page.kept %}<link href='{{ link.asset(\"pages.css\") }}'>{% endif %}",
}


@pytest.mark.parametrize(
    ("template", "static", "names"),
    [
        ("plain", False, {"viewer.js", "theme.js", "live.js"}),
        ("plain", True, {"viewer.js", "theme.js", "pages.js"}),
        ("without", False, {"theme.js", "live.js"}),
        ("other", True, {"viewer.js", "pages.css", "pages.js"}),
    ],
)
def test_a_page_is_weighed_as_it_is_made(monkeypatch, template: str, static: bool, names: set[str]) -> None:
    """A block stands in place of the one it replaces, what is included counts, and a server is no export."""
    made = Environment(loader=DictLoader(TEMPLATES))
    monkeypatch.setattr(page_weight, "environment", lambda: made)
    page = replace(PAGES.own["about"], template=template)
    assert set(loaded(page, static=static)) == names
