"""The notebook's widget in a real browser: its script on a page that stands for a notebook, its answers from Python.

The model is a plain one, as every notebook gives it: get, set, save_changes, on and off. What it saves is handed to the
widget itself in this process, and what comes back are that widget's traits.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from layerscope.api.atlas import open as open_atlas
from layerscope.api.units_shown import UNITS
from layerscope.api.widget import STATIC, UnitsWidget
from tests.browser.conftest import Opened
from tests.browser.test_themes import NARROW, found_by_axe
from tests.helpers.books import full_atlas

COUNT = 30
HOST = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A notebook</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="units.css">
<style>@media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } }</style></head>
<body><main><h1>A notebook</h1><div id="output"></div></main></body></html>"""
MOUNT = """async (state) => {
  const listeners = {};
  const changed = {};
  const tell = (name) => (listeners["change:" + name] || []).forEach((one) => one());
  window.model = {
    get: (name) => state[name],
    set(name, value) { state[name] = value; changed[name] = value; },
    async save_changes() {
      const asked = { ...changed };
      for (const name of Object.keys(changed)) delete changed[name];
      const came = await window.ask(asked);
      for (const [name, value] of Object.entries(came)) state[name] = value;
      Object.keys(came).forEach(tell);
    },
    on(name, act) { (listeners[name] ||= []).push(act); },
    off(name, act) { listeners[name] = (listeners[name] || []).filter((one) => one !== act); },
    listening: () => Object.values(listeners).flat().length,
    comes(traits) { Object.assign(state, traits); Object.keys(traits).forEach(tell); },
  };
  const { default: widget } = await import("./units.js");
  window.stop = await widget.render({ model: window.model, el: document.getElementById("output") });
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each."""

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def widget(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitsWidget]:
    path = full_atlas(tmp_path_factory.mktemp("widget") / "full.atlas", units=COUNT, images=24)
    with open_atlas(path) as atlas:
        yield atlas.widget()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the page and of the widget's two files."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text(HOST)
    for name in ("units.js", "units.css"):
        (folder / name).write_bytes((STATIC / name).read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def traits(widget: UnitsWidget) -> dict[str, Any]:
    return {name: getattr(widget, name) for name in widget.traits(sync=True) if name in SHOWN}


SHOWN = ("title", "layers", "layer", "unit", "first", "per_page", "grid", "sheet", "trouble")
Shown = Callable[..., Page]


@pytest.fixture
def shown(opened: Opened, origin: str, widget: UnitsWidget) -> Shown:
    """The widget on a page, at the grid of the second layer."""

    def show(**options: Any) -> Page:
        widget.set_state({"layer": "features.4", "unit": None, "first": 0})
        page = opened(origin, **options)

        def ask(asked: dict[str, Any]) -> dict[str, Any]:
            before = traits(widget)
            widget.set_state(asked)
            after = traits(widget)
            return {name: value for name, value in after.items() if value != before[name] or name in asked}

        page.expose_function("ask", ask)
        page.evaluate(MOUNT, traits(widget))
        expect(page.locator(".ls-grid button")).to_have_count(UNITS)
        return page

    return show


def focused_unit(page: Page) -> str | None:
    return page.evaluate("document.activeElement.dataset.unit ?? null")


def test_a_click_shows_the_unit_and_python_knows(shown: Shown, widget: UnitsWidget):
    """Three pictures, loaded, from the traits alone; the unit chosen is the widget's; back to the grid at that unit."""
    page = shown()
    page.locator(".ls-grid button[data-unit='2']").click()
    figures = page.locator(".ls-figures img")
    expect(figures).to_have_count(3)
    for place in range(3):
        expect(figures.nth(place)).to_have_js_property("complete", True)
        assert figures.nth(place).evaluate("one => one.naturalWidth") == 72
    assert widget.unit == 2 and widget.chosen is not None
    expect(page.locator(".ls-title")).to_contain_text(f"unit 2, {widget.sheet['name']}")
    expect(page.locator(".ls-table tbody tr")).to_have_count(len(widget.chosen.peaks))
    page.get_by_role("button", name="All units").click()
    expect(page.locator(".ls-grid button[data-unit='2']")).to_be_focused()
    assert widget.unit is None


def test_keys_move_in_the_grid_and_between_units(shown: Shown, widget: UnitsWidget):
    """Arrows, Home and End move one focus; Enter opens, arrows go on, Escape leads back to the unit that was seen."""
    page = shown()
    page.locator(".ls-grid button").first.focus()
    across = page.evaluate("getComputedStyle(document.querySelector('.ls-grid')).gridTemplateColumns.split(' ').length")
    for key, unit in (
        ("ArrowRight", 1), ("ArrowDown", 1 + across), ("ArrowLeft", across), ("ArrowUp", 0), ("ArrowUp", 0),
        ("End", UNITS - 1), ("ArrowRight", UNITS - 1), ("Home", 0), ("ArrowRight", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert focused_unit(page) == str(unit), key
    assert page.locator(".ls-grid button[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    expect(page.locator(".ls-sheet")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ls-title")).to_contain_text("unit 2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".ls-title")).to_contain_text("unit 0")
    page.keyboard.press("ArrowLeft")
    assert widget.unit == 0
    page.keyboard.press("Escape")
    expect(page.locator(".ls-grid button[data-unit='0']")).to_be_focused()


def test_pages_and_layers_are_asked_for(shown: Shown, widget: UnitsWidget):
    """The next page has the rest, a dead unit says so; another layer begins at its first page."""
    page = shown()
    page.get_by_role("button", name="Units after").click()
    expect(page.locator(".ls-grid button")).to_have_count(COUNT - UNITS)
    expect(page.locator(".ls-grid button").last).to_contain_text("never above zero")
    expect(page.get_by_role("button", name="Units after")).to_be_disabled()
    assert focused_unit(page) == str(UNITS)
    page.get_by_label("Layer").select_option("classifier.1")
    expect(page.locator(".ls-how")).to_have_text("The patches that excite each unit most.")
    assert (widget.layer, widget.first) == ("classifier.1", 0)


def test_the_last_unit_keeps_the_focus_in_the_sheet(shown: Shown, widget: UnitsWidget):
    """The button that led on stays under the finger, until there is no further unit."""
    page = shown()
    page.get_by_role("button", name="Units after").click()
    page.locator(f".ls-grid button[data-unit='{COUNT - 2}']").click()
    after = page.get_by_role("button", name="Unit after")
    after.click()
    expect(page.locator(".ls-title")).to_contain_text(f"unit {COUNT - 1}")
    expect(after).to_be_disabled()
    expect(page.locator(".ls-sheet")).to_be_focused()
    expect(page.locator(".ls-sheet")).to_contain_text("This atlas keeps no tiles of it.")


def test_python_can_choose(shown: Shown, widget: UnitsWidget):
    """A unit set in Python appears; a trouble is read out."""
    page = shown()
    widget.unit = 4
    page.evaluate("(came) => model.comes(came)", {"unit": 4, "sheet": widget.sheet})
    expect(page.locator(".ls-title")).to_contain_text("unit 4")
    page.evaluate("model.comes({ trouble: 'the atlas was closed; open it again' })")
    expect(page.get_by_role("alert")).to_have_text("the atlas was closed; open it again")


def test_an_answer_that_comes_late_leaves_the_keys_their_place(shown: Shown, widget: UnitsWidget):
    """Two steps asked for at once: the first one's answer takes the focus, the second one's keeps it, and a grid's."""
    page = shown()
    page.locator(".ls-grid button").first.click()
    expect(page.locator(".ls-sheet")).to_be_focused()
    for unit in (1, 2):
        widget.unit = unit
        page.evaluate("(came) => model.comes(came)", {"unit": unit, "sheet": widget.sheet})
        expect(page.locator(".ls-title")).to_contain_text(f"unit {unit}")
        expect(page.locator(".ls-sheet")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".ls-grid button[data-unit='2']")).to_be_focused()
    page.evaluate("(came) => model.comes(came)", {"grid": widget.grid})
    assert focused_unit(page) is not None


def test_python_that_is_gone_is_missed_in_words(shown: Shown):
    """Ten seconds after a question without an answer, as in a notebook that was only saved; an answer takes it off."""
    page = shown()
    page.clock.install()
    page.evaluate("model.save_changes = () => {}")
    page.locator(".ls-grid button").first.click()
    expect(page.locator(".layerscope-units")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".ls-trouble")).to_have_text("")
    page.clock.run_for(11_000)
    expect(page.get_by_role("alert")).to_have_text("No answer yet: is Python running?")
    page.evaluate("model.comes({ unit: null })")
    expect(page.locator(".ls-trouble")).to_have_text("")
    expect(page.locator(".layerscope-units")).to_have_attribute("aria-busy", "false")


def test_names_are_text(shown: Shown, widget: UnitsWidget):
    """Of this atlas some concepts are markup: it is shown, and does nothing."""
    page = shown()
    hostile = next(one for one in widget.grid["units"] if one["name"].startswith("<b>"))
    expect(page.locator(f".ls-grid button[data-unit='{hostile['unit']}']")).to_contain_text(hostile["name"])
    assert page.locator(".layerscope-units b").count() == 0


def test_what_is_taken_away_is_gone(shown: Shown):
    """A cell that runs again takes the old view off, with all that it listened to."""
    page = shown()
    page.evaluate("stop()")
    assert page.locator(".layerscope-units").count() == 0
    assert page.evaluate("model.listening()") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_widget_is_accessible(shown: Shown, scheme: str):
    """Nothing for axe to find, in the grid and in a unit's sheet, in either scheme."""
    page = shown(color_scheme=scheme)
    assert found_by_axe(page) == []
    page.locator(".ls-grid button").first.click()
    expect(page.locator(".ls-sheet")).to_be_visible()
    assert found_by_axe(page) == []


def test_a_narrow_cell_does_not_scroll_sideways(shown: Shown):
    """At 320 px, in the grid and in a sheet."""
    page = shown(viewport=NARROW)
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wide)
    page.locator(".ls-grid button").first.click()
    expect(page.locator(".ls-sheet")).to_be_visible()
    assert not page.evaluate(wide)
