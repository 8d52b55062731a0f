"""The peaks that a build shows, as columns: every peak of the units that get sheets, in the order in which they are
projected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float32, Int64

from layerscope.pipeline.work import LayerWork


@dataclass(frozen=True, eq=False)
class ShownPeaks:
    """Peaks in the order image, node, unit, rank; each field is a column.

    image: its id. node: of the layer. unit, rank: which of the layer's peaks. row, col: in the layer's map. value: the
    activation that was scanned.
    """

    image: Int64[np.ndarray, " n"]
    node: Int64[np.ndarray, " n"]
    unit: Int64[np.ndarray, " n"]
    rank: Int64[np.ndarray, " n"]
    row: Int64[np.ndarray, " n"]
    col: Int64[np.ndarray, " n"]
    value: Float32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, which: slice | Bool[np.ndarray, " n"] | Int64[np.ndarray, " m"]) -> "ShownPeaks":
        return ShownPeaks(*(getattr(self, field.name)[which] for field in fields(self)))

    def of_layer(self, node: int) -> "ShownPeaks":
        """Those of one layer."""
        return self[self.node == node]

    def in_images(self, first: int, last: int) -> "ShownPeaks":
        """Those in the images with these ids, both included."""
        low, high = np.searchsorted(self.image, (first, last + 1))
        return self[slice(int(low), int(high))]

    def identities(self) -> Iterator[tuple[int, int, int]]:
        """Node, unit and rank of each."""
        return zip(self.node.tolist(), self.unit.tolist(), self.rank.tolist(), strict=True)

    @classmethod
    def of(cls, works: Sequence[LayerWork]) -> "ShownPeaks":
        """All peaks of these layers' units that are to be shown."""
        parts = [_of_layer(work) for work in works]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        image, node, unit, rank = columns[:4]
        order = np.lexsort((rank, unit, node, image))
        return cls(*(column[order] for column in columns))


def _of_layer(work: LayerWork) -> list[np.ndarray]:
    """The columns of one layer."""
    units = np.array(work.units, np.int64)
    which, rank = np.nonzero(work.peaks.image[units] >= 0)
    at = units[which], rank
    image, row, col = (getattr(work.peaks, name)[at].astype(np.int64) for name in ("image", "row", "col"))
    return [image, np.full(len(which), work.node), units[which], rank, row, col, work.peaks.value[at]]
