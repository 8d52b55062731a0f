"""What the live page says of a picture is what the library says of it."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import layerscope as ls
from layerscope.live.opening import engine_for
from layerscope.viewer.app import create_app
from layerscope.viewer.shelf import Shelf
from tests.helpers.building import LAYERS, pictures_as_files, small_network
from tests.helpers.live import answer, frame

SOCKET = "/small/live/socket"


def test_a_picture_gives_the_librarys_numbers(tmp_path):
    """A PNG sent as it is: the maxima of `net.activations`, and for a unit's own peak the atlas's own projection."""
    net = small_network()
    source = ls.images(pictures_as_files(tmp_path / "photos", 6))
    atlas = ls.build(net, source, tmp_path / "small.atlas", layers=LAYERS[:1], codec="png", progress=False)
    layer = atlas.layers[0]
    unit = next(unit for unit in layer if unit.peaks)
    peak = unit.peaks[0]
    encoded = (tmp_path / "photos" / atlas.file.image(peak.image).source).read_bytes()
    engine = engine_for(atlas.file, net.program, name=net.name)
    app = create_app(Shelf([tmp_path / "small.atlas"]), engine=engine)
    with TestClient(app) as browser, browser.websocket_connect(SOCKET) as viewer:
        request = {"layer": layer.name, "unit": unit.number, "project": True, "method": layer.method}
        viewer.send_text(json.dumps(request))
        viewer.send_bytes(frame(1, encoded, whole=True))
        _, response, (_, levels, projection) = answer(viewer.receive())
    maps = net.activations(source.load([peak.image], net.input).pixels, layer.name)[0]
    np.testing.assert_allclose(response["maxima"], maps.max((1, 2)), rtol=1e-6)
    assert (response["map"]["row"], response["map"]["col"]) == (peak.row, peak.col)
    assert response["map"]["value"] == pytest.approx(peak.value, rel=1e-6) and len(levels) == maps[0].size
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(projection))), unit.projection(0, layer.method))
