"""A network written as ONNX answers as it does here, on the pictures of the world and on noise; or is refused."""

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import nn

import layerscope as ls
from layerscope.core.errors import TraceError, UnknownOp, UsageError
from layerscope.graph.classifier import classifier_of
from layerscope.graph.onnx_file import SCORES, highest_of, onnx_file, place_of
from layerscope.sources.prepare import prepare
from layerscope.world import World
from tests.helpers.onnx_answers import run

SMALL = ls.Input(height=16, width=16)


@pytest.mark.parametrize("name", ["worldnet", "zfnet64"])
def test_our_networks_answer_as_they_do_here(name: str) -> None:
    """Maxima, places and class scores of drawn pictures and of noise, to 1e-4 of a layer's largest; a valid file."""
    net = ls.trace(name)
    layers = {place: layer for place, layer in enumerate(net.layers) if layer.auto}
    scores = classifier_of(net.program.graph)
    content = onnx_file(net.program, {place: layer.node for place, layer in layers.items()}, scores)
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    drawn = [np.asarray(World(3, seed=5)[place][0]) for place in range(3)]
    pictures = [*drawn, np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)]
    for pixels in pictures:
        prepared = prepare(Image.fromarray(pixels), net.input)[0][None]
        found = run(content, {"picture": prepared})
        for place, layer in layers.items():
            maps = net.activations(prepared, layer.name)[0].reshape(layer.units, -1)
            np.testing.assert_allclose(found[highest_of(place)][0], maps.max(1), atol=1e-4 * max(1, maps.max()))
            # Where the highest is clear, it is at the same place.
            ordered = np.sort(maps, 1)
            clear = (maps.shape[1] == 1) | (ordered[:, -1] - ordered[:, min(maps.shape[1], 2) * -1] > 1e-3)
            np.testing.assert_array_equal(found[place_of(place)][0][clear], maps.argmax(1)[clear])
        assert scores is not None
        expected = net.program.run(torch.from_numpy(prepared), {scores})[scores]
        np.testing.assert_allclose(found[SCORES], expected, atol=1e-3)


def test_weights_of_half_precision_take_half_the_room() -> None:
    """The shipped weights lie in the file as they were shipped: it is as large as they are, and a little more."""
    net = ls.trace("worldnet")
    whole = onnx_file(net.program, {0: net.layers[-1].node})
    numbers = sum(weight.numel() for weight in net.program.weights.values())
    assert 2 * numbers < len(whole) < 2 * numbers + 8000


def test_a_file_is_the_same_each_time_and_holds_no_name() -> None:
    """Names of modules may come from strangers: none is in it; nor is what no wanted layer needs."""

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module("<script>alert(1)</script>", nn.Conv2d(3, 4, 3))
            self.after = nn.Conv2d(4, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.after(self.get_submodule("<script>alert(1)</script>")(x).relu())

    net = ls.trace(Named().eval(), SMALL)
    first, again = (onnx_file(net.program, {7: net.layers[0].node}) for _ in range(2))
    assert first == again and b"script" not in first
    model = onnx.load_model_from_string(first)
    assert [one.name for one in model.graph.output] == ["highest7", "place7"]
    assert sum(node.op_type == "Conv" for node in model.graph.node) == 1


def test_what_cannot_be_written_is_named() -> None:
    """A node without a form, weights that are no float32, and nothing at all: one sentence each."""

    class Smoothed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.interpolate(self.conv(x), (5, 6), mode="bilinear", antialias=True)

    net = ls.trace(Smoothed().eval(), SMALL)
    with pytest.raises(
        UnknownOp, match=r'node ".*" calls upsample_bilinear2d_aa, which cannot be run in a browser: it smooths'
    ):
        onnx_file(net.program, {0: net.layers[-1].node})
    wide = ls.trace(nn.Sequential(nn.Conv2d(3, 2, 3)).double().eval(), SMALL)
    with pytest.raises(TraceError, match="computes in float64; a browser computes in float32"):
        onnx_file(wide.program, {0: wide.layers[0].node})
    with pytest.raises(UsageError, match="name a layer"):
        onnx_file(net.program, {})


def test_dense_layers_and_sums_are_answered() -> None:
    """A dense layer's units have one place each; a sum of branches is a layer as any other."""

    class Summed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.dense = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.dense((self.one(x) + self.two(x)).relu().amax((2, 3), keepdim=True).flatten(1))

    torch.manual_seed(0)
    net = ls.trace(Summed().eval(), SMALL)
    summed = next(layer for layer in net.layers if layer.kind in ("relu", "add"))
    x = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
    found = run(onnx_file(net.program, {0: summed.node}), {"picture": x})
    maps = net.activations(x, summed.name)[0].reshape(4, -1)
    np.testing.assert_allclose(found["highest0"][0], maps.max(1), rtol=1e-5)
    np.testing.assert_array_equal(found["place0"][0], maps.argmax(1))
