"""Where the checks look: in the middle of a map, on a border, in two corners."""

import numpy as np

import layerscope as ls


def places(layer: ls.Layer) -> list[tuple[int, int]]:
    """Rows and columns, each place once; (0, 0) of a dense layer."""
    rows, cols = layer.map or (1, 1)
    middle, end = (rows // 2, cols // 2), (rows - 1, cols - 1)
    return list(dict.fromkeys([middle, (0, middle[1]), (0, 0), end]))


def pictures(net: ls.Network, count: int, seed: int) -> np.ndarray:
    """Noise such as prepared photographs have: float64[n, c, h, w] within the network's own range."""
    expected = net.input
    drawn = np.random.default_rng(seed).uniform(0, 1, (count, *expected.shape))
    mean, std = (np.reshape(values, (1, -1, 1, 1)) for values in (expected.mean, expected.std))
    return (drawn - mean) / std
