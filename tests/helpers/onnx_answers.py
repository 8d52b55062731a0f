"""What onnxruntime finds in a network that layerscope wrote as ONNX, beside what layerscope finds itself."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import torch

import layerscope as ls
from layerscope.graph.classifier import classifier_of
from layerscope.graph.onnx_file import SCORES, highest_of, onnx_file, place_of

# Of a layer's largest activation.
TOLERANCE = 1e-4


def run(model: bytes, values: dict[str, np.ndarray], wanted: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """What onnxruntime finds, on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = list(wanted or [one.name for one in session.get_outputs()])
    return dict(zip(names, session.run(names, values), strict=True))


def near(found: np.ndarray, expected: np.ndarray, what: str, largest: float | None = None) -> None:
    """Each number to TOLERANCE of the largest; largest: of the layer, where these are not all its numbers."""
    assert found.shape == expected.shape, f"{what}: {found.shape}, not {expected.shape}"
    largest = float(np.abs(expected).max(initial=0.0)) if largest is None else largest
    worst = float(np.abs(found - expected).max(initial=0.0))
    # Compared so that what is no number is not near.
    assert worst <= TOLERANCE * largest, f"{what}: {worst:.1e} away, of {largest:.3g} at most"


def answers_alike(net: ls.Network, seed: int = 0) -> int:
    """Of a float32 network every layer's maxima are the library's, at places where it has them too, and the scores;
    how many layers. On two pictures of random numbers, each by itself."""
    layers = dict(enumerate(net.layers))
    scores = classifier_of(net.program.graph)
    content = onnx_file(net.program, {place: layer.node for place, layer in layers.items()}, scores)
    for x in np.random.default_rng(seed).standard_normal((2, 1, *net.input.shape)).astype(np.float32):
        found = run(content, {"picture": x})
        nodes = {layer.node for layer in net.layers} | ({scores} if scores is not None else set())
        values = {node: value.numpy() for node, value in net.program.run(torch.from_numpy(x), nodes).items()}
        for place, layer in layers.items():
            maps = values[layer.node][0].reshape(layer.units, -1)
            there = np.take_along_axis(maps, found[place_of(place)][0][:, None].astype(np.int64), 1)[:, 0]
            largest = float(np.abs(maps).max(initial=0.0))
            near(found[highest_of(place)][0], maps.max(1), layer.name, largest)
            near(there, maps.max(1), f"{layer.name}, at its places", largest)
        if scores is not None:
            near(found[SCORES], values[scores], "the scores")
    return len(layers)
