"""A layer of the atlas as it is watched: what each of its units has reached before, and how its tiles are cut."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.live import LiveLayer, PlainBox
from layerscope.core.records import Input, LayerRecord
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import tile_size


@dataclass(frozen=True, kw_only=True, eq=False)
class WatchedLayer:
    """One layer. id: in the atlas. maxima: each unit's over the atlas, 0 where unknown. side: of its tiles' boxes, px
    of the input, 0 for all of it. size: rows and columns of a tile. plate_method: the method by whose energy its tiles
    were placed.
    """

    record: LayerRecord
    id: int
    maxima: Float32[np.ndarray, " units"]
    side: int
    size: tuple[int, int]
    plate_method: str

    @property
    def plain(self) -> LiveLayer:
        """As a viewer knows it."""
        rows, cols = self.record.map or (1, 1)
        return LiveLayer(name=self.record.name, kind=self.record.kind, units=self.record.units, rows=rows, cols=cols)

    def scales(self, maxima: Float32[np.ndarray, " units"]) -> Float32[np.ndarray, " units"]:
        """What each unit's values are compared with: its maximum over the atlas, or the layer's largest in `maxima`,
        those of this picture, where that is unknown or not above zero; 1 where nothing is above zero.
        """
        largest = np.float32(maxima.max(initial=0)) or np.float32(1)
        return np.where(self.maxima > 0, self.maxima, largest)

    def strongest(
        self, maxima: Float32[np.ndarray, " units"], scales: Float32[np.ndarray, " units"], count: int
    ) -> tuple[int, ...]:
        """The units above zero with the largest maximum over their scale; of equals the first."""
        order = np.argsort(-(maxima / scales), kind="stable")
        return tuple(order[maxima[order] > 0][:count].tolist())

    def box(self, row: int, col: int, input_size: tuple[int, int]) -> PlainBox:
        """What a position sees, cut to the input."""
        box = self.record.field.box(row, col).clipped(*input_size)
        return box.top, box.left, box.bottom, box.right


def watched_layers(file: AtlasFile, input: Input) -> tuple[WatchedLayer, ...]:
    """The layers that the atlas holds, in execution order."""
    largest = int(file.run.settings.get("tile", Settings.tile))
    return tuple(_watched(file, layer, input, largest) for layer in file.layers)


def _watched(file: AtlasFile, layer: AtlasLayerRecord, input: Input, largest: int) -> WatchedLayer:
    known = file.scanned(layer.id).maximum
    side = (layer.tile or 0) if layer.record.map else 0
    return WatchedLayer(
        record=layer.record,
        id=layer.id,
        maxima=known if len(known) else np.zeros(layer.record.units, np.float32),
        side=side,
        size=tile_size(side, input, largest),
        plate_method=layer.method or "deconvnet",
    )
