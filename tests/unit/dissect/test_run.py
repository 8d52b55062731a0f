"""A dissection end to end, on a network set by hand over drawn pictures: planted detectors are found and named."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

import layerscope as ls
from layerscope.core.concepts import Dissection
from layerscope.core.errors import ImageError, TraceError, UsageError
from layerscope.dissect import dissect
from layerscope.dissect.run import MIXED, SHUFFLED, UNTRAINED
from layerscope.graph import Program
from layerscope.sources import open_source
from tests.helpers.dissection import SIDE, Drawn, interpolated, slow_ious

INPUT = ls.Input(height=SIDE, width=SIDE, std=(1 / 255,) * 3)  # whole numbers 0..255, so that sums are exact
COUNT = 40


@cache
def planted(seed: int | None = None) -> ls.Network:
    """`first` finds red, white, nothing (dead), gray; `second`, pooled by 2, finds white and red; then two classes."""
    net = nn.Sequential()
    torch.manual_seed(seed or 0)
    first, second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)
    if seed is None:
        first.weight.data = torch.tensor([[1, -1, -1], [1, 1, 1], [0, 0, 0], [0, -1, 0]]).float()[..., None, None]
        first.bias.data = torch.tensor([0.0, -700, -1, 200])
        second.weight.data = torch.tensor([[0, 1, 0, 0], [1, 0, 0, 0]]).float()[..., None, None]
        second.bias.data.zero_()
    for name, module in (("conv1", first), ("first", nn.ReLU()), ("pool", nn.MaxPool2d(2)), ("conv2", second)):
        net.add_module(name, module)
    net.add_module("second", nn.ReLU())
    net.add_module("mean", nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", nn.Flatten())
    net.add_module("classes", nn.Linear(2, 2))
    return ls.trace(net, INPUT)


def scaled(factor: float) -> ls.Network:
    """The planted network with all activations times a factor."""
    net = planted()
    weights = {name: w * factor if name.startswith("conv1") else w for name, w in net.program.weights.items()}
    return ls.Network(net.name, net.input, Program(net.program.graph, weights))


def run(net: ls.Network, drawn: Drawn, layers: tuple[str, ...] = ("first", "second"), **options: object) -> Dissection:
    chosen = [net[name] for name in layers]
    return dissect(net.program, net.input, chosen, open_source(drawn), drawn, **options)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return Drawn(COUNT)


@pytest.fixture(scope="module")
def found(drawn):
    return run(planted(), drawn, untrained=planted(seed=3).program)


def test_planted_detectors_are_named(found):
    """Every unit is named by the concept that it was built for; the dead one and the one for gray by none."""
    names = [[unit.best.concept if unit.best else None for unit in layer.units] for layer in found.layers]
    assert names[0][:3] == ["red", "bar", None]
    assert names[1] == ["bar", "red"]
    assert [unit.dead for unit in found.layers[0].units] == [False, False, True, False]
    assert found.layers[0].units[0].ranked[0].iou == 1
    assert found.images == COUNT


def test_figures_follow_from_the_units(found):
    """A layer's figures and its strongest units are those of its records."""
    second = found.layers[1]
    assert (second.detectors, second.distinct_concepts, second.mean_concept_level) == (2, 2, 1.5)
    scores = [unit.best.score for unit in second.strongest(5)]
    assert scores == sorted(scores, reverse=True) and len(scores) == 2


@pytest.mark.parametrize("every", [1, 2])
def test_scores_equal_a_slow_loop(drawn, every):
    """IoUs of both measures equal those of interpolating and sorting every number of every image, one by one."""
    net, images = planted(), Drawn(3)
    result = run(net, images, every=every, baselines=False)
    px = [(row, col) for row in range(every // 2, SIDE, every) for col in range(every // 2, SIDE, every)]
    pixels = images.pictures.transpose(0, 3, 1, 2).astype(np.float32)
    centres = {"first": ((0.0, 1.0),) * 2, "second": ((0.5, 2.0),) * 2}
    masks = np.array([[images.known[i][:, row, col] for row, col in px] for i in range(3)]).reshape(-1, 3)
    for layer in result.layers:
        maps = net.activations(pixels, layer.layer).astype(np.float16).astype(float)
        values = np.array([[interpolated(one, centres[layer.layer], at) for at in px] for one in maps])
        values = values.reshape(len(masks), -1).astype(np.float16).astype(float)
        expected = slow_ious(values, masks)
        bau = slow_ious(values, masks, area=int(0.005 * len(masks)))
        for unit in layer.units:
            for one in unit.ranked:
                place = [concept.name for concept in images.concepts].index(one.concept)
                assert one.iou == pytest.approx(expected[unit.unit, place], abs=1e-12)
            if unit.bau is not None:
                assert unit.bau.iou == pytest.approx(bau[unit.unit].max(), abs=1e-12)


def test_shuffled_masks_find_less(found):
    """With the masks of other pictures the planted detectors no longer score as they did."""
    for layer in found.layers:
        assert layer.baselines[SHUFFLED].figures.median_score < 0.5 * layer.figures.median_score


def test_all_baselines_are_measured(found):
    """Shuffled masks, random mixtures and the untrained network have figures of the same units."""
    for layer in found.layers:
        assert list(layer.baselines) == [SHUFFLED, MIXED, UNTRAINED]
        assert {measured.figures.units for measured in layer.baselines.values()} == {len(layer.units)}


def test_an_equal_network_is_no_baseline_that_differs(drawn):
    """The untrained network goes through the same code: with the same weights it gets the same figures."""
    result = run(planted(), drawn, untrained=planted().program)
    for layer in result.layers:
        assert layer.baselines[UNTRAINED].figures == layer.figures
        assert layer.baselines[UNTRAINED].bau == layer.bau


def test_nothing_depends_on_what_is_kept_between_the_passes(drawn, found):
    """Maps computed again give what maps kept in memory give."""
    assert run(planted(), drawn, untrained=planted(seed=3).program, memory=0) == found


def test_dense_layers_are_left_out(drawn):
    """A layer without positions is named and left out; alone, it is refused."""
    result = run(planted(), drawn, ("first", "classes"), baselines=False)
    assert [layer.layer for layer in result.layers] == ["first"]
    assert result.left_out == ("classes is left out: it has no positions",)
    with pytest.raises(UsageError, match="dense"):
        run(planted(), drawn, ("classes",))


def test_a_single_image_has_no_shuffled_masks():
    """One image cannot be given the masks of another."""
    assert list(run(planted(), Drawn(1)).layers[0].baselines) == [MIXED]


def test_what_cannot_be_dissected_is_said(drawn):
    """Masks of another size, no masks at all, another network, NaN, a stride of 0: one sentence each."""
    wrong = Drawn(2)
    wrong.known = wrong.known[:, :, :-1]
    with pytest.raises(ImageError, match=r"the masks of image 0 are \[3, 31, 32\]"):
        run(planted(), wrong)
    empty = Drawn(2)
    empty.known[:] = False
    with pytest.raises(ImageError, match="nothing to find"):
        run(planted(), empty)
    with pytest.raises(UsageError, match="every must be at least 1"):
        run(planted(), drawn, every=0)
    other = ls.trace(nn.Sequential(nn.Conv2d(3, 5, 1), nn.ReLU()), INPUT)
    with pytest.raises(UsageError, match="untrained network has no layer first"):
        run(planted(), drawn, untrained=other.program)
    with pytest.raises(TraceError, match="layer first gives NaN"):
        run(scaled(float("nan")), drawn)
    net = planted()
    weights = {name: w.new_full(w.shape, 2e38) if w.dim() == 4 else w for name, w in net.program.weights.items()}
    bright = ls.Network(net.name, net.input, Program(net.program.graph, weights))
    with pytest.raises(TraceError, match="layer first gives infinity"):
        run(bright, drawn)


def test_the_scale_of_activations_does_not_matter(drawn):
    """A network whose activations are a million times smaller or larger gets the same names and scores."""
    expected = run(planted(), drawn, baselines=False).layers[0]
    for factor in (2.0**-20, 2.0**20):
        assert run(scaled(factor), drawn, baselines=False).layers[0] == expected
