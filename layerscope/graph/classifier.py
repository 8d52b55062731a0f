"""Which node of a network says the classes: one number a class, as they are before a softmax at its end."""

from layerscope.graph.graph import Graph


def scores_of(graph: Graph) -> int | None:
    """The node that gives one number a class; None where the output is anything else, or where there are several.

    What a softmax at the end takes is the same to us as what it gives.
    """
    if len(graph.outputs) != 1:
        return None
    node = graph.nodes[graph.outputs[0]]
    if "softmax" in node.target and len(node.sources) == 1:
        node = graph.nodes[node.sources[0]]
    return node.id if len(node.shape) == 1 and node.shape[0] > 1 else None


def computed_scores_of(graph: Graph) -> int | None:
    """The same node; None too where it cannot be computed, for want of weights or of an operation that can be run."""
    node = scores_of(graph)
    return None if node is None or graph.lost[node] else node


def each_by_itself(graph: Graph, node: int) -> bool:
    """True where a node's numbers lie between 0 and 1 each by itself, as a sigmoid's: no scores of one class against
    the others."""
    return graph.ranges[node].low >= 0 and graph.ranges[node].high <= 1


def classifier_of(graph: Graph) -> int | None:
    """The node whose softmax says the classes; None where the output is anything but one score a class."""
    node = scores_of(graph)
    return None if node is None or each_by_itself(graph, node) or graph.behind[node] else node
