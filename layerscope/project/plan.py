"""Forward whole images, or only the cones of their peaks? Decided once, on the whole list of peaks, per layer.

A forward pass of an image serves all peaks in it. Where the peaks of a shallow layer lie on many images that nothing
else needs, a cropped forward pass, of the cones alone, is far less work. Both forms give the same projections; the work
is estimated in multiplications of the convolutions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from layerscope.graph import Carrier, Graph, Node
from layerscope.project.cone import needed_maps
from layerscope.project.extents import extents_of, spatial_size_of

# Windows are cut one by one and batched less well than images: an equal number of multiplications takes longer.
CONE_PENALTY = 2.0


def forwarded_cropped(
    program: Carrier, images: Mapping[int, np.ndarray], methods: Mapping[int, Sequence[str]]
) -> frozenset[int]:
    """The layers whose peaks get a cropped forward pass. images: by node, the image of each of its peaks."""
    graph = program.graph
    nodes = {node: _nodes_needed(program, node, methods[node]) for node in images}
    cropped = {node: len(peaks) * cone_work(program, node) * CONE_PENALTY for node, peaks in images.items()}
    chosen: set[int] = set()
    for node in sorted(images):
        shared = _shared_work(graph, images, nodes, chosen)
        if _shared_work(graph, images, nodes, chosen | {node}) + cropped[node] < shared:
            chosen.add(node)
    return frozenset(chosen)


def _nodes_needed(program: Carrier, node: int, methods: Sequence[str]) -> frozenset[int]:
    wanted = {node}.union(*(needed_maps(program, node, method) for method in methods))
    return frozenset(program.graph.ancestors(wanted))


def _shared_work(
    graph: Graph, images: Mapping[int, np.ndarray], nodes: Mapping[int, frozenset[int]], cropped: set[int]
) -> float:
    """The multiplications of forwarding every image as deep as its peaks need."""
    layers: dict[int, set[int]] = {}
    for node, peaks in images.items():
        if node not in cropped:
            for image in np.unique(peaks).tolist():
                layers.setdefault(image, set()).add(node)
    kinds = Counter(frozenset(found) for found in layers.values())
    return sum(
        count
        * sum(multiplications(graph, graph.nodes[n]) for n in frozenset().union(*(nodes[layer] for layer in kind)))
        for kind, count in kinds.items()
    )


def cone_work(program: Carrier, node: int) -> float:
    """The multiplications of one position's cone."""
    graph = program.graph
    rows, cols = (np.array([size // 2]) for size in spatial_size_of(graph.nodes[node]))
    work = 0.0
    for other, extent in extents_of(program, node, rows, cols).items():
        whole = extent.spatial_size[0] * extent.spatial_size[1]
        work += multiplications(graph, graph.nodes[other]) * extent.height * extent.width / whole
    return work


def multiplications(graph: Graph, node: Node) -> float:
    """The multiplications of one call: positions times filter size for what has filters, one a number for the rest."""
    weight = node.args.get("weight")
    if weight is not None and len(weight.shape) > 1:
        return float(np.prod(weight.shape)) * float(np.prod(node.shape[1:]))
    return float(np.prod(node.shape))
