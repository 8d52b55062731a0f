"""How features develop while a network is trained: each unit's strongest image by epoch, and when units settle.

Plain values: what a training run's checkpoints showed (Zeiler & Fergus 2013, Figure 4), ready to be drawn or printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

from layerscope.core.geometry import Field


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerEvolution:
    """One layer over the checkpoints e; all shares and correlations are over its `alive` units.

    name, field: as in LayerRecord. units: of the layer. alive: those with a peak at the last checkpoint. sample: the
    units shown, ascending. side: of the tiles' boxes, input px; 0 where a tile is the whole input.
    value, image, row, col: each shown unit's peak; -inf and -1 where it has none. projections, patches: its tiles,
    mid-gray where it has none.
    same_image: the share of units whose strongest image is the last checkpoint's. correlation: the mean over units of
    the correlation, over images, of the image's maximum with that at the last checkpoint; correlation_of_others: the
    same with another unit's at the last checkpoint, which is what the pictures alone bring about. NaN where there are
    no units, or no two, that vary.
    """

    name: str
    field: Field
    units: int
    alive: int
    sample: tuple[int, ...]
    side: int
    value: Float32[np.ndarray, "n e"]
    image: Int64[np.ndarray, "n e"]
    row: Int32[np.ndarray, "n e"]
    col: Int32[np.ndarray, "n e"]
    projections: UInt8[np.ndarray, "n e h w 3"]
    patches: UInt8[np.ndarray, "n e h w 3"]
    same_image: Float64[np.ndarray, " e"]
    correlation: Float64[np.ndarray, " e"]
    correlation_of_others: Float64[np.ndarray, " e"]

    @property
    def jumps(self) -> Bool[np.ndarray, "n e"]:
        """Where another image has become a unit's strongest since the checkpoint before; never at the first one."""
        before, now = self.image[:, :-1], self.image[:, 1:]
        changed = (before >= 0) & (now >= 0) & (before != now)
        return np.concatenate([np.zeros((len(self.image), 1), bool), changed], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evolution:
    """A training run, looked at at some of its epochs.

    network: its name; input_size: height and width of its input, px. epochs: ascending, all are held to the last.
    images: the source in words; count: how many could be used; correlated: how many of them the correlations are
    over. names: the shown images, by id. method, view: of the projections. seed: of the sample of units.
    checkpoints: per epoch the SHA-256 of its file, hex.
    """

    network: str
    input_size: tuple[int, int]
    epochs: tuple[int, ...]
    layers: tuple[LayerEvolution, ...]
    images: str
    count: int
    correlated: int
    names: Mapping[int, str]
    method: str
    view: str
    seed: int
    checkpoints: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """The numbers as plain values that JSON can hold; what is not defined is None."""
        said = ("network", "images", "count", "correlated", "method", "view", "seed")
        return {
            **{name: getattr(self, name) for name in said},
            "epochs": list(self.epochs),
            "layers": [self._layer(layer) for layer in self.layers],
        }

    def _layer(self, layer: LayerEvolution) -> dict[str, Any]:
        curves = ("same_image", "correlation", "correlation_of_others")
        return {
            **{name: getattr(layer, name) for name in ("name", "units", "alive")},
            **{name: [_defined(value) for value in getattr(layer, name).tolist()] for name in curves},
            "sample": [self._unit(layer, place) for place in range(len(layer.sample))],
        }

    def _unit(self, layer: LayerEvolution, place: int) -> dict[str, Any]:
        strongest = [
            {
                "epoch": epoch,
                "image": self.names[int(layer.image[place, at])],
                **{name: getattr(layer, name)[place, at].item() for name in ("value", "row", "col")},
            }
            for at, epoch in enumerate(self.epochs)
            if layer.image[place, at] >= 0
        ]
        jumps = [epoch for epoch, jumped in zip(self.epochs, layer.jumps[place], strict=True) if jumped]
        return {"unit": layer.sample[place], "strongest": strongest, "jumps": jumps}


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
