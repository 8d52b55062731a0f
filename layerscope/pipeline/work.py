"""What there is to project: per layer the methods, the units and how large a tile is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerscope.core.records import Input, LayerRecord, Peaks
from layerscope.graph import Graph
from layerscope.pipeline.scratch import Slots
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.sharing import LayerSharing


@dataclass(frozen=True, kw_only=True)
class LayerWork:
    """One layer's share of a build.

    methods: to be made now, the plate's own first; none for a dense layer that nobody asked to project. patches:
    whether the patches are to be made too. units: those that get sheets. peaks: of all units. side: of the square
    boxes, input px; 0 where every tile is the whole input. size: rows and columns of a stored tile. shared: how the
    peaks are shared out among earlier layers, None where they are not.
    """

    layer: LayerRecord
    methods: tuple[str, ...]
    patches: bool
    units: tuple[int, ...]
    peaks: Peaks
    side: int
    size: tuple[int, int]
    shared: LayerSharing | None = None

    @property
    def node(self) -> int:
        return self.layer.node

    @property
    def carried(self) -> bool:
        """Whether its peaks are carried back, to be seen or to be shared out."""
        return bool(self.methods or self.shared)

    @property
    def label(self) -> str:
        """What is to be made of the layer, as pieces of a build are marked by."""
        among = ",".join(str(one.node) for one in self.shared.earlier) if self.shared else ""
        return f"{self.node}:{','.join(self.methods)}{'<' if among else ''}{among}"

    def slots(self, start: int, k: int, views: int) -> Slots:
        """This layer's place in the scratch file: a patch and each method's views for every peak."""
        shares = self.shared.dtype.itemsize if self.shared else 0
        return Slots(start, self.units, k, self.size, 1 + len(self.methods) * views, shares)


def sampled_units(layer: LayerRecord, settings: Settings) -> tuple[int, ...]:
    """The units that get sheets: all, or a seeded sample."""
    if settings.units is None or settings.units >= layer.units:
        return tuple(range(layer.units))
    chosen = np.random.default_rng([settings.seed, layer.node]).choice(layer.units, settings.units, replace=False)
    return tuple(sorted(chosen.tolist()))


def plate_method(graph: Graph, node: int, methods: Sequence[str], *, cut_by: str | None = None) -> tuple[str, str]:
    """The method that a layer's plate shows, and why, as a clause.

    cut_by: the method on whose energy the layer's finished tiles are centred. It stays the plate's, since another's
    tiles show the same boxes.

    A plain chain shows the deconvnet, as the paper does. Behind a residual sum it gives grids, since nothing keeps
    its signal on the paths that were open (captum#1290): there guided is shown.
    """
    sums = [n for n in graph.ancestors({node}) if graph.nodes[n].op == "add" and len(graph.nodes[n].sources) > 1]
    wanted = "guided" if sums else "deconvnet"
    if cut_by not in (None, wanted) and wanted in methods:
        return cut_by, f"made before {wanted}: the tiles are centred on its energy"
    if wanted not in methods:
        return methods[0], "the only method asked for" if len(methods) == 1 else "the first method asked for"
    if sums:
        return wanted, "behind residual sums the deconvnet gives grids that say little"
    return wanted, "a plain chain, as in the paper"


def tile_size(side: int, input: Input, largest: int) -> tuple[int, int]:
    """Rows and columns at which a tile is stored: the network's resolution, reduced to `largest` px."""
    rows, cols = (side, side) if side else (input.height, input.width)
    shrink = min(1.0, largest / max(rows, cols))
    return max(1, round(rows * shrink)), max(1, round(cols * shrink))
