"""`export` with a network: the atlas's own, as ONNX beside the pages; anything else is refused in a sentence."""

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import layerscope as ls
from layerscope.api import browser
from layerscope.core.errors import UsageError, WrongModel
from layerscope.graph.onnx_file import onnx_bytes
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


def test_a_network_that_is_too_large_is_told_with_its_size(made, runtime, tmp_path, monkeypatch):
    """Before anything is written, as a file of weights has them; a network at the limit goes."""
    net, atlas, _ = made
    with ls.open(atlas) as held:
        size = onnx_bytes(net.program, {layer.stored.id: layer.stored.record.node for layer in held})
    assert size == 4 * (6 * 3 * 25 + 6 + 8 * 6 * 9 + 8)  # two convolutions and their biases
    monkeypatch.setattr(browser, "MOST_BYTES", size - 1)
    monkeypatch.setattr("layerscope.graph.onnx_file.onnx_file", lambda *given: pytest.fail("it is written"))
    with pytest.raises(
        UsageError, match=r"has [\d.]+ MB of weights, and a page in a browser takes at most [\d.]+ MB: "
    ):
        ls.export(atlas, tmp_path / "site", network=net, runtime=runtime, progress=False)
    assert not (tmp_path / "site").exists()


def test_an_open_atlas_exports_its_network(made, runtime, tmp_path):
    """Atlas.export takes network and runtime as `ls.export` does."""
    net, atlas, _ = made
    with ls.open(atlas) as held:
        held.export(tmp_path / "site", network=net, runtime=runtime, layers=LAYERS[0], progress=False)
        with pytest.raises(UsageError, match="runtime= does not go with pages without a network"):
            held.export(tmp_path / "other", runtime=runtime, progress=False)
    assert (tmp_path / "site" / "try" / "network.js").exists() and not (tmp_path / "other").exists()
