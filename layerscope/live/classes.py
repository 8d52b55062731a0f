"""What a network takes a picture for: the first classes of its classifier, if its output is one."""

import torch
from jaxtyping import Float32
from torch import Tensor

from layerscope.core.live import Top
from layerscope.graph import Graph

FIRST = 5


def classifier_of(graph: Graph) -> int | None:
    """The node whose softmax says the classes; None where the output is anything but one number a class.

    What a softmax at the end takes is the same to us as what it gives. Numbers that lie between 0 and 1
    each by itself, as a sigmoid's, are no scores of one class against the others.
    """
    if len(graph.outputs) != 1:
        return None
    node = graph.nodes[graph.outputs[0]]
    if "softmax" in node.target and len(node.sources) == 1:
        node = graph.nodes[node.sources[0]]
    counts_classes = len(node.shape) == 1 and node.shape[0] > 1
    each_by_itself = graph.ranges[node.id].low >= 0 and graph.ranges[node.id].high <= 1
    return node.id if counts_classes and not each_by_itself and not graph.behind[node.id] else None


def first_classes(values: Float32[Tensor, " classes"], names: tuple[str, ...]) -> Top:
    """The five likeliest classes. values: before the softmax. names: or none, then numbers stand in."""
    shares = torch.softmax(values, 0)
    order = shares.argsort(descending=True, stable=True)[:FIRST].tolist()
    return tuple((names[index] if names else str(index), float(shares[index])) for index in order)
