import pytest
import torch
from torch import nn

from layerscope.graph import trace_module
from layerscope.graph.classifier import classifier_of
from layerscope.live.classes import first_classes
from tests.helpers.networks import Sine


class Ending(nn.Module):
    """Eight numbers, then the end that is given."""

    def __init__(self, end):
        super().__init__()
        self.conv, self.end = nn.Conv2d(3, 8, 4), end

    def forward(self, x):
        return self.end(self.conv(x))


class Two(Ending):
    """Two outputs."""

    def forward(self, x):
        return super().forward(x), x


def dense(*after):
    return nn.Sequential(nn.Flatten(), nn.Linear(8 * 25, 5), *after)


@pytest.mark.parametrize("end", [dense(), dense(nn.Softmax(1)), dense(nn.LogSoftmax(1))])
def test_the_classifier_is_what_the_softmax_takes(end):
    """With or without a softmax of its own, a network's classes are read from its last dense layer."""
    graph = trace_module(Ending(end), (3, 8, 8)).graph
    node = classifier_of(graph)
    assert node is not None and graph.nodes[node].op == "linear" and graph.nodes[node].shape == (5,)


def test_a_pooled_map_is_a_classifier_too():
    """As in SqueezeNet: one number a class, without a dense layer."""
    graph = trace_module(Ending(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())), (3, 8, 8)).graph
    assert graph.nodes[classifier_of(graph)].shape == (8,)


@pytest.mark.parametrize(
    "model", [Ending(nn.ReLU()), Two(nn.ReLU()), Ending(dense(Sine())), Ending(dense(nn.Sigmoid()))]
)
def test_other_outputs_say_no_classes(model):
    """A map, several outputs, an end that has no row, or shares of their own."""
    assert classifier_of(trace_module(model, (3, 8, 8)).graph) is None


def test_at_most_five_classes_by_probability():
    """Of equals the first; probabilities are those among all classes."""
    values = torch.tensor([0.0, 2.0, 1.0, 2.0, -1.0, 0.5, 0.0])
    top = first_classes(values, tuple("abcdefg"))
    assert [name for name, _ in top] == ["b", "d", "c", "f", "a"]
    assert [share for _, share in top] == pytest.approx([float(values.softmax(0)[i]) for i in (1, 3, 2, 5, 0)])
    assert [name for name, _ in first_classes(values, ())] == ["1", "3", "2", "5", "0"]
