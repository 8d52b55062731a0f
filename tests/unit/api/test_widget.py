"""The widget of notebooks: what a browser asks for by traits comes back in traits, whole, small and plain."""

import base64
import io
import json
import sys

import pytest
import traitlets
from PIL import Image

from layerscope.api.atlas import open as open_atlas
from layerscope.api.units_shown import SIDE, UNITS, first_of_page
from layerscope.atlas.write import AtlasWriter
from layerscope.core.errors import UsageError
from layerscope.core.shares import MadeOf, UnitShare
from tests.helpers.atlases import small_atlas
from tests.helpers.books import full_atlas
from tests.helpers.comms import Notebook
from tests.unit.api.test_atlas_html import HOSTILE, noisy_atlas

MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    with open_atlas(full_atlas(tmp_path_factory.mktemp("widget") / "full.atlas", units=30, images=24)) as opened:
        yield opened


def decoded(address: str) -> tuple[str, bytes]:
    """The media type and the bytes of an address that holds data."""
    head, _, data = address.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(data, validate=True)


def test_it_begins_with_the_grid_of_a_layer(atlas):
    """All layers, the first page of units, nothing chosen; a layer's own begins with that layer."""
    widget = atlas.widget()
    assert (widget.layer, widget.unit, widget.first, widget.chosen) == ("features.1", None, 0, None)
    assert repr(widget).endswith(": layer 'features.1'>")
    assert [(one["name"], one["units"]) for one in widget.layers] == [(layer.name, 30) for layer in atlas]
    assert [one["unit"] for one in widget.grid["units"]] == list(range(UNITS))
    assert atlas["features.4"].widget().grid["layer"] == atlas.widget("features").layer == "features.4"


def test_a_click_brings_a_units_sheet(atlas):
    """Through the comm, in one message back and forth: its stored pictures, names, numbers, peaks; Python knows it."""
    widget = atlas["features.4"].widget()
    browser = Notebook(widget)
    came = browser.sets(layer="features.4", unit=2, first=0)
    assert set(came) == {"sheet"}
    sheet, unit = came["sheet"], atlas["features.4"][2]
    assert (widget.unit, widget.chosen.number, widget.chosen.layer.name) == (2, 2, "features.4")
    titles = ["guided, natural view", "patches", "deconvnet, natural view"]
    assert [one["title"] for one in sheet["pictures"]] == titles
    keys = [("projections", "guided", "natural"), ("patches", "", ""), ("projections", "deconvnet", "natural")]
    for one, key in zip(sheet["pictures"], keys, strict=True):
        assert decoded(one["address"]) == ("image/jpeg", atlas.file.encoded_sheet(1, 2, *key).pixels)
    assert sheet["name"] == unit.concept.concept
    assert dict(sheet["numbers"])["maximum"] == f"{unit.statistics.maximum:.4g}"
    assert [row[1] for row in sheet["peaks"]] == [f"{peak.value:.4g}" for peak in unit.peaks]
    assert [row[4] for row in sheet["peaks"]] == [atlas.file.image(peak.image).source for peak in unit.peaks]


def test_back_to_the_grid_sends_nothing_twice(atlas):
    """The grid is there already; another page, or another layer, is made when it is asked for."""
    browser = Notebook(atlas["features.4"].widget())
    browser.sets(unit=3)
    assert browser.sets(unit=None) == {}
    page = browser.sets(first=UNITS)["grid"]
    assert [one["unit"] for one in page["units"]] == list(range(UNITS, 30))
    assert page["units"][-1] == {"unit": 29, "name": "", "dead": True, "projections": "", "patches": ""}
    came = browser.sets(layer="features.1", unit=None, first=0)
    assert came["grid"]["layer"] == "features.1" and came["grid"]["units"][0]["patches"]


def test_python_sets_what_is_shown(atlas):
    """A unit or a layer set in Python is sent with its sheet or grid; a unit that the new layer has not is let go."""
    widget = atlas["features.4"].widget()
    browser = Notebook(widget)
    widget.unit = 5
    sent = {name: value for message in browser.comm.sent for name, value in message["state"].items()}
    assert sent["unit"] == 5 and sent["sheet"]["unit"] == 5
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "unit")
    browser.sets(unit=6)
    assert seen == [6]
    widget.layer = "features.1"
    assert (widget.sheet["layer"], widget.sheet["unit"]) == ("features.1", 6)


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({"layer": "features.44"}, 'no layer "features.44"; did you mean features.4'),
        ({"unit": 30}, "units 0 to 29, and no unit 30"),
        ({"unit": -1}, "no unit -1"),
    ],
)
def test_what_is_not_there_is_refused(atlas, traits, sentence):
    """In one sentence, from Python; a browser that asks for it changes nothing."""
    widget = atlas["features.4"].widget()
    for name, value in traits.items():
        with pytest.raises(traitlets.TraitError, match=sentence):
            setattr(widget, name, value)
    before = (widget.layer, widget.unit, widget.grid)
    assert Notebook(widget).sets(**traits) == {}
    assert (widget.layer, widget.unit, widget.grid) == before


def test_a_page_begins_where_pages_do(atlas):
    """Whatever first unit is asked for; beyond the layer's end it is the first page."""
    widget = atlas["features.4"].widget()
    widget.first = UNITS + 3
    assert widget.first == UNITS
    widget.first = 100 * UNITS
    assert widget.first == 0 and widget.grid["first"] == 0
    widget.first = -5
    assert (widget.first, first_of_page(UNITS - 1), first_of_page(UNITS)) == (0, 0, UNITS)


def test_every_answer_is_small_and_plain(tmp_path):
    """Tiles of noise in large sheets, names of any length and kind: JSON below a bound, small pictures."""
    path = noisy_atlas(tmp_path / "a.atlas", units=2 * UNITS, side=96, k=9, name=HOSTILE + "n" * 500)
    with open_atlas(path) as atlas:
        widget = atlas.layers[0].widget()
        browser = Notebook(widget)
        grid, sheet = widget.grid, browser.sets(unit=0)["sheet"]
        state = json.dumps(widget.get_state(["title", "layers", "grid"]))
    for answer in (grid, sheet):
        assert len(json.dumps(answer, allow_nan=False)) < MOST_BYTES
    assert len(state) < MOST_BYTES
    assert all(one["patches"] and one["projections"] for one in grid["units"])
    assert max(Image.open(io.BytesIO(decoded(grid["units"][0]["patches"])[1])).size) == SIDE
    assert len(sheet["pictures"]) == 2
    # A name is cut where it is only shown, and whole where it says which layer is meant.
    assert sheet["layer"] == HOSTILE + "n" * 500 and len(sheet["peaks"][0][3]) == 160


def test_an_atlas_that_was_closed_says_so(tmp_path):
    """What cannot be read is told in the browser; nothing breaks."""
    with open_atlas(small_atlas(tmp_path / "a.atlas", units=4, images=12)) as atlas:
        browser = Notebook(atlas.widget())
    assert "was closed; open it again" in browser.sets(unit=1)["trouble"]


def test_without_anywidget_the_need_is_named(atlas, monkeypatch):
    """Everything else works without; the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "layerscope.api.widget", raising=False)
    with pytest.raises(UsageError, match=r"widget needs anywidget, .*: pip install 'layerscope\[widget\]'"):
        atlas.widget()


def test_a_notebook_gets_script_and_style_with_it(atlas):
    """No file is fetched: both travel in traits, and the view is a widget's."""
    widget = atlas.widget()
    assert "export default" in widget.get_state()["_esm"] and ".layerscope-units" in widget.get_state()["_css"]
    bundle = widget._repr_mimebundle_()
    shown = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_what_a_unit_is_made_of_leads_there(tmp_path):
    """Its parts with layer, unit and share, the strongest first; none where the atlas knows none."""
    path = small_atlas(tmp_path / "a.atlas", units=6, images=12)
    strongest = tuple(
        UnitShare(unit=unit, share=share, spread=0.1, row=0, col=0) for unit, share in ((4, 0.6), (1, -0.1))
    )
    made_of = MadeOf(
        layer="features.4", unit=2, earlier="features.1", peaks=9, units=0.5, constants=0.5, past=0.0, rest=0.0,
        strongest=strongest,
    )  # fmt: skip
    with AtlasWriter.resume(path) as writer:
        writer.put_made_of(1, {0: made_of})
    with open_atlas(path) as atlas:
        widget = atlas.widget("features.4")
        widget.unit = 2
        assert widget.sheet["parts"] == [
            {"layer": "features.1", "unit": 4, "name": "", "share": "60 %"},
            {"layer": "features.1", "unit": 1, "name": "", "share": "\N{MINUS SIGN}10 %"},
        ]
        widget.unit = 3
        assert widget.sheet["parts"] == []
