"""`layerscope look` says what it found, as a table and as JSON."""

import json

from layerscope.cli.output import Output
from layerscope.cli.verbs.look import show_portrait
from tests.helpers.live import LAYERS, FakeEngine, mark, picture


def test_the_result_is_what_the_network_said(capsys):
    """Classes with their probabilities, each layer's strongest units, and where the page is."""
    portrait = FakeEngine().whole(picture(1))
    show_portrait(portrait, "page.html", Output(json=True, quiet=True))
    data = json.loads(capsys.readouterr().out)
    assert data["page"] == "page.html" and data["top"] == [{"class": mark(picture(1)), "probability": 1.0}]
    assert list(data["layers"]) == [name for name, _ in LAYERS]
    assert data["layers"]["features.1"][1] == {"unit": 1, "value": 2.0, "relative": 0.5, "row": 1, "col": 2}
    show_portrait(portrait, "page.html", Output(json=False, quiet=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{mark(picture(1))} 100 %" and lines[-1] == "page.html"
    assert any(line.split() == ["features.4", "0,", "1,", "2"] for line in lines)
