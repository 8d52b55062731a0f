"""A network whose every unit's meaning is known, since its filters are set by hand.

A plain chain: convolution, ReLU and overlapping max pooling, three times over. Its layers are `strokes`, `shapes` and
`things`; `UNIT_NAMES` says in words what each unit detects.
"""

from typing import TYPE_CHECKING

from layerscope.core.records import Input
from layerscope.known.filters import BIASES, shape_filters, stroke_filters, thing_filters
from layerscope.known.patterns import UNIT_NAMES

if TYPE_CHECKING:
    from torch import nn

__all__ = ["INPUT", "UNIT_NAMES", "known_network"]

INPUT = Input(channels=3, height=96, width=96, mean=(0.5,) * 3, std=(0.5,) * 3, resize=96)


def known_network() -> "nn.Sequential":
    """The network, in evaluation mode: float32[b, 3, 96, 96], -1..1, to float32[b, 8, 24, 24]."""
    from torch import from_numpy, full, nn

    chain = nn.Sequential()
    filters = {"strokes": stroke_filters(), "shapes": shape_filters(), "things": thing_filters()}
    for depth, (layer, weights) in enumerate(filters.items(), start=1):
        units, channels, side, _ = weights.shape
        convolution = nn.Conv2d(channels, units, side, padding=side // 2)
        convolution.weight = nn.Parameter(from_numpy(weights))
        convolution.bias = nn.Parameter(full((units,), BIASES[layer]))
        chain.add_module(f"conv{depth}", convolution)
        chain.add_module(layer, nn.ReLU())
        if layer != "things":
            chain.add_module(f"pool{depth}", nn.MaxPool2d(3, stride=2, padding=1))
    return chain.eval()
