"""What has no weights cannot be had, and neither can what depends on it; all else computes as before."""

from collections import OrderedDict

import torch
from torch import nn

from layerscope.graph import Program, trace_module, without

WHY = {"head.weight": "its weights are not in the file", "head.bias": "its weights are not in the file"}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [("conv", nn.Conv2d(3, 4, 3)), ("relu", nn.ReLU()), ("head", nn.Conv2d(4, 2, 1)), ("last", nn.ReLU())]
    return nn.Sequential(OrderedDict(layers))


def test_nodes_that_read_unloaded_weights_are_refused_with_the_reason() -> None:
    """The node itself is marked, the one behind it depends on it, and those before run."""
    model = network()
    whole = trace_module(model, (3, 8, 9))
    part = without(whole, WHY)
    assert {node.name: node.refused for node in part.graph.nodes if node.refused} == {"head": WHY["head.weight"]}
    behind = {node.name for node in part.graph.nodes if part.graph.behind[node.id]}
    assert behind == {"head", "last"}
    assert set(part.weights) == {"conv.weight", "conv.bias"}
    relu = next(node.id for node in part.graph.nodes if node.name == "relu")
    x = torch.randn(2, 3, 8, 9)
    torch.testing.assert_close(Program(part.graph, part.weights).run(x, {relu})[relu], model[:2](x).detach())


def test_nothing_is_marked_where_all_is_loaded() -> None:
    """The very same graph comes back."""
    whole = trace_module(network(), (3, 8, 9))
    assert without(whole, {}) is whole


def test_shared_weights_are_found_under_any_name() -> None:
    """A weight that two modules share bears one name in the graph; both are marked, by the NaN that it holds."""
    model = network()
    model.append(nn.Conv2d(2, 2, 1))
    model.append(nn.Conv2d(2, 2, 1))
    model[5].weight = model[4].weight  # type: ignore[assignment]
    with torch.no_grad():
        model[5].weight.fill_(torch.nan)
    part = without(trace_module(model, (3, 8, 9)), {"5.weight": "not there"})
    assert [node.name for node in part.graph.nodes if node.refused] == ["4", "5"]
