"""`export` with a network: the atlas's own, as ONNX beside the pages; anything else is refused in a sentence."""

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import layerscope as ls
from layerscope.core.errors import UsageError, WrongModel
from tests.helpers.browser_runtime import package, pinned_to_fake
from tests.helpers.building import LAYERS, pictures_as_files, small_network


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The network, its atlas, and the pictures of it."""
    folder, net = tmp_path_factory.mktemp("tried"), small_network()
    photos = ls.images(pictures_as_files(folder / "photos", 5))
    ls.build(net, photos, folder / "small.atlas", layers=LAYERS[:2], progress=False).close()
    return net, folder / "small.atlas", photos


@pytest.fixture(autouse=True)
def runtime(monkeypatch, tmp_path):
    """A package that passes for ONNX Runtime Web."""
    pinned_to_fake(monkeypatch)
    return package(tmp_path / "runtime.tgz")


def handed(path: Path):
    return json.loads(path.read_text().partition(", ")[2].partition(", ")[2].removesuffix(");\n"))


def test_the_network_beside_the_pages_is_the_atlass(made, runtime, tmp_path):
    """What stands there gives the maxima of `net.activations`, for the layers that were chosen and no others."""
    net, atlas, photos = made
    site = ls.export(atlas, tmp_path / "site", network=net, runtime=runtime, layers=LAYERS[0], progress=False)
    assert any("the network is in it, with its weights" in sentence for sentence in site.remarks)
    facts = handed(tmp_path / "site" / "try" / "facts.js")
    assert [layer["name"] for layer in facts["layers"]] == [LAYERS[0]]
    content = gzip.decompress(base64.b64decode(handed(tmp_path / "site" / "try" / "network.js")))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    pixels = photos.load([1], net.input).pixels
    number = facts["layers"][0]["id"]
    (highest,) = session.run([f"highest{number}"], {"picture": pixels})
    maps = net.activations(pixels, LAYERS[0])[0]
    np.testing.assert_allclose(highest[0], maps.max((1, 2)), atol=1e-4)


def test_what_does_not_fit_is_refused(made, runtime, tmp_path):
    """Another network, no runtime, and what belongs to a network without one; nothing is written."""
    net, atlas, _ = made
    other = small_network(seed=9)
    with pytest.raises(WrongModel, match="was not made by this network"):
        ls.export(atlas, tmp_path / "site", network=other, runtime=runtime, progress=False)
    with pytest.raises(UsageError, match="npm pack onnxruntime-web@"):
        ls.export(atlas, tmp_path / "site", network=net, progress=False)
    with pytest.raises(UsageError, match="runtime= does not go with pages without a network; leave it out"):
        ls.export(atlas, tmp_path / "site", runtime=runtime, progress=False)
    assert not (tmp_path / "site").exists()
