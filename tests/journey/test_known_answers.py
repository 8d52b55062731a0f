"""Answers known beforehand: projections worked out by hand, and an atlas of a network whose units' meaning is known."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.known.filters import stroke_filters
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import write_pictures

SLACK = {"strokes": 2.5, "shapes": 4, "things": 6}


def convolution(weights: list, bias: float = 0.0) -> nn.Conv2d:
    """A convolution of one channel with these weights and no padding."""
    kernel = torch.tensor(weights, dtype=torch.float32)[None, None]
    layer = nn.Conv2d(1, 1, kernel.shape[2:])
    layer.weight.data, layer.bias.data = kernel, torch.tensor([bias], dtype=torch.float32)
    return layer


def chain(**modules: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(modules)).eval()


def picture(rows: list) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)[None, None]


@pytest.mark.parametrize("method", ["deconvnet", "guided", "gradient"])
def test_a_first_layer_projects_to_its_filter_times_the_activation(method):
    """One convolution and its ReLU: the signal is value x filter, in the box seen; the bias stays out of it."""
    model = chain(conv=convolution([[1, 0, -1], [2, 0, 0], [0, 1, 0]], bias=1), relu=nn.ReLU())
    x = picture([[0, 0, 0, 0, 0], [0, 0, 3, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 2, 0], [0, 0, 0, 0, 0]])
    net = ls.trace(model, ls.Input(channels=1, height=5, width=5))
    # At (1, 2): 1*3 - 1*1 + 2*1 + 1*2 + bias 1 = 7.
    projected = net.project(x, "relu", image=[0], unit=[0], row=[1], col=[2], method=method)
    assert projected.boxes == (ls.Box(top=1, left=2, bottom=4, right=5),)
    np.testing.assert_allclose(projected.values, [7])
    np.testing.assert_allclose(projected.signal, [[[[7, 0, -7], [14, 0, 0], [0, 7, 0]]]])


# Two convolutions with a ReLU and a 2x2 max pool between them, on a 5x5 picture:
#   first convolution  0 4 4 0     the pool keeps  4 at (0, 1)   4 at (0, 2)
#                      2 1 0 2                     0 at (2, 0)   4 at (3, 2)      (of equals, the first)
#                      0 0 -2 0    second filter   1 -1    so the value is 1*4 - 1*4 + 2*0 + 1*4 = 4,
#                      0 0 4 1                     2  1    and the signal at those places 4, -4, 8 and 4.
# The ReLU on the way back: deconvnet drops the -4 (negative signal); gradient drops the 8 (the ReLU's input there was
# not positive); guided drops both. Each place left adds its signal times the first filter, 1 2 / 0 -1.
TWO_LAYERS = [[1, 0, 2, 1, 0], [0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 2, 0], [1, 0, 0, 0, 1]]
ANSWERS = {
    "deconvnet": [[0, 4, 8, 0, 0], [0, 0, -4, 0, 0], [8, 16, 0, 0, 0], [0, -8, 4, 8, 0], [0, 0, 0, -4, 0]],
    "guided": [[0, 4, 8, 0, 0], [0, 0, -4, 0, 0], [0, 0, 0, 0, 0], [0, 0, 4, 8, 0], [0, 0, 0, -4, 0]],
    "gradient": [[0, 4, 4, -8, 0], [0, 0, -4, 4, 0], [0, 0, 0, 0, 0], [0, 0, 4, 8, 0], [0, 0, 0, -4, 0]],
}


@pytest.mark.parametrize("method", ANSWERS)
def test_a_second_layer_goes_back_through_switches_and_rectifier(method):
    """Convolution, ReLU, max pool, convolution, ReLU: each method gives the numbers worked out above."""
    model = chain(
        conv1=convolution([[1, 2], [0, -1]]),
        relu1=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv2=convolution([[1, -1], [2, 1]]),
        relu2=nn.ReLU(),
    )
    net = ls.trace(model, ls.Input(channels=1, height=5, width=5))
    projected = net.project(picture(TWO_LAYERS), "relu2", image=[0], unit=[0], row=[0], col=[0], method=method)
    np.testing.assert_allclose(projected.values, [4])
    np.testing.assert_allclose(projected.full(), [[ANSWERS[method]]])


@pytest.mark.parametrize("method", ["deconvnet", "guided", "gradient"])
def test_pool_windows_that_overlap_add(method):
    """A px that is the maximum of two windows gets the signal of both: 15 * 1 + 15 * 2, times the filter's 1."""
    model = chain(
        conv1=convolution([[1]]),
        relu1=nn.ReLU(),
        pool=nn.MaxPool2d((1, 3), stride=(1, 2)),
        conv2=convolution([[1, 2]]),
        relu2=nn.ReLU(),
    )
    net = ls.trace(model, ls.Input(channels=1, height=1, width=5))
    # Windows [1 2 5] and [5 3 0] both keep the 5; the value is 1*5 + 2*5 = 15.
    x = picture([[1, 2, 5, 3, 0]])
    projected = net.project(x, "relu2", image=[0], unit=[0], row=[0], col=[0], method=method)
    np.testing.assert_allclose(projected.full(), [[[[0, 0, 45, 0, 0]]]])


def test_a_stroke_at_the_border_keeps_its_filter_inside_the_picture(known):
    """A known unit's projection is value x filter in its 7 px box; beyond the border there is nothing."""
    x = torch.rand((1, *INPUT.shape), generator=torch.Generator().manual_seed(0)) * 2 - 1
    units = [unit for unit in range(24) if known.activations(x, "strokes")[0, unit, 0, 0] > 0]
    assert units
    same = [0] * len(units)
    projected = known.project(x, "strokes", image=same, unit=units, row=same, col=same, method="deconvnet")
    assert set(projected.boxes) == {ls.Box(top=-3, left=-3, bottom=4, right=4)}
    for signal, value, unit in zip(projected.signal, projected.values, units, strict=True):
        expected = value * stroke_filters()[unit]
        expected[:, :3], expected[:, :, :3] = 0, 0
        np.testing.assert_allclose(signal, expected, rtol=1e-5, atol=1e-6)


def test_fields_of_the_known_network_are_those_worked_out_by_hand(known):
    """Strokes see 7 px; pool 3/2 makes that 9 and shapes 9 + 10 * 2 = 29; again 33 and things 33 + 8 * 4 = 65."""
    for layer, size, step in (("strokes", 7, 1), ("shapes", 29, 2), ("things", 65, 4)):
        box = known[layer].field.box(row=10, col=12)
        middle_row, middle_col = 10 * step, 12 * step
        half = size // 2
        assert box == ls.Box(
            top=middle_row - half, left=middle_col - half, bottom=middle_row + half + 1, right=middle_col + half + 1
        )


@pytest.fixture(scope="module")
def known():
    """The known network, traced."""
    return ls.trace(known_network(), INPUT)


@pytest.fixture(scope="module")
def built(known, tmp_path_factory):
    """The peaks of the known network over 288 known pictures, with the pictures by their path; tiles of one unit."""
    folder = tmp_path_factory.mktemp("known")
    drawn = write_pictures(folder / "pictures", count=288)
    out = folder / "known.atlas"
    ls.build(known, folder / "pictures", out=out, units=1, methods=("deconvnet",), thumbnails=False)
    with ls.open(out) as atlas:
        yield atlas, {f"{one.label}/{index:04d}.png": one for index, one in enumerate(drawn)}


@pytest.mark.parametrize("layer", UNIT_NAMES)
def test_the_atlas_finds_what_was_planted(built, layer):
    """Every unit's nine peaks lie on pictures that show its pattern, and the middle of each box is on the pattern."""
    atlas, drawn = built
    sources = dict(zip(*(atlas.to_frame("images")[column] for column in ("image", "source")), strict=True))
    for unit, name in enumerate(UNIT_NAMES[layer]):
        peaks = atlas[layer][unit].peaks
        assert len(peaks) == 9
        for peak in peaks:
            shown = drawn["/".join(sources[peak.image].split("/")[-2:])]
            middle = ((peak.box.top + peak.box.bottom - 1) / 2, (peak.box.left + peak.box.right - 1) / 2)
            assert any(plant.holds(*middle, SLACK[layer]) for plant in shown.plants if plant.name == name)


@pytest.mark.parametrize("layer", UNIT_NAMES)
def test_the_signal_of_a_peak_lies_on_the_pattern(known, built, layer):
    """Most of a projection's energy is where the unit's pattern was drawn: within its size of its place."""
    atlas, drawn = built
    source = dict(zip(*(atlas.to_frame("images")[column] for column in ("image", "source")), strict=True))
    for unit, name in list(enumerate(UNIT_NAMES[layer]))[::5]:
        peak = atlas[layer][unit].peaks[0]
        one = drawn["/".join(source[peak.image].split("/")[-2:])]
        x = torch.from_numpy(one.pixels).permute(2, 0, 1)[None] / 127.5 - 1
        projected = known.project(x, layer, image=[0], unit=[unit], row=[peak.row], col=[peak.col], method="deconvnet")
        np.testing.assert_allclose(projected.values, [peak.value], rtol=1e-3)
        energy = (projected.full()[0] ** 2).sum(0)
        middle = ((peak.box.top + peak.box.bottom - 1) / 2, (peak.box.left + peak.box.right - 1) / 2)
        plant = min((plant for plant in one.plants if plant.name == name), key=lambda plant: plant.distance(*middle))
        rows, cols = np.mgrid[:96, :96]
        near = np.hypot(rows - plant.row, cols - plant.col) <= 0.75 * plant.size + 4
        assert energy[near].sum() > 0.8 * energy.sum()
