"""Whole images or cones alone: what is estimated to be less work."""

import numpy as np
import pytest
from torch import nn

import layerscope as ls
from layerscope.graph import Program
from layerscope.project.plan import cone_work, forwarded_cropped, multiplications
from tests.helpers.networks import CASES
from tests.laws.checks import traced_case


@pytest.fixture(scope="module")
def net() -> ls.Network:
    """A chain whose first layer is nearly free and whose last sees all."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 9), nn.ReLU()
    )
    return ls.trace(model, ls.Input(channels=3, height=48, width=48))


def alone(program: Program, images: dict[int, list[int]]) -> frozenset[int]:
    arrays = {node: np.array(found) for node, found in images.items()}
    return forwarded_cropped(program, arrays, {node: ("deconvnet", "guided") for node in images})


def test_few_peaks_on_many_images_get_a_cropped_forward_pass(net: ls.Network) -> None:
    """A shallow layer's peaks, one an image, need a few px each; a forward pass would compute whole maps."""
    shallow = net["1"].node
    assert alone(net.program, {shallow: list(range(200))}) == {shallow}


def test_many_peaks_in_one_image_share_a_forward_pass(net: ls.Network) -> None:
    """Where thousands of cones lie in one image, one pass serves them all."""
    shallow, deep = net["1"].node, net["5"].node
    assert alone(net.program, {shallow: [0] * 3000}) == frozenset()
    assert alone(net.program, {deep: [0] * 2000}) == frozenset()


def test_what_another_layer_forwards_anyway_is_shared(net: ls.Network) -> None:
    """Once a deep layer's images are forwarded whole, a shallow layer's maps come along for nothing."""
    shallow, deep = net["1"].node, net["5"].node
    both = {shallow: list(range(9)), deep: [i for i in range(9) for _ in range(2000)]}
    assert alone(net.program, {shallow: both[shallow]}) == {shallow}
    assert alone(net.program, both) == frozenset()


def test_no_layer_needs_no_plan(net: ls.Network) -> None:
    """Nothing wanted, nothing planned."""
    assert alone(net.program, {}) == frozenset()


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case.name)
def test_a_cone_is_never_more_work_than_its_map(case) -> None:
    """The work of one cone is positive and at most that of running everything before it once."""
    program = traced_case(case).program
    graph = program.graph
    for node in graph.nodes[1:]:
        everything = sum(multiplications(graph, graph.nodes[n]) for n in graph.ancestors({node.id}))
        assert 0 < cone_work(program, node.id) <= everything * (1 + 1e-9)


def test_multiplications_are_counted_by_hand(net: ls.Network) -> None:
    """3 x 3 filters over 3 channels, at 46 x 46 places, for 4 units; a ReLU counts its numbers."""
    graph = net.program.graph
    assert multiplications(graph, graph.nodes[1]) == 3 * 3 * 3 * 4 * 46 * 46
    assert multiplications(graph, graph.nodes[2]) == 4 * 46 * 46
