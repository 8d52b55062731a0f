"""Fast first, exact last: which images may hold a unit's k highest, from a runner that is faster and rounds more.

The runner's error is bounded for every unit by what it is on some images, with a margin. Each of its maxima then stands
for an interval that holds the exact one, and an image is a candidate for a unit unless k other images are certainly
higher. All candidates are run again by the network itself, which decides: peaks are those of a plain scan.

A rectifier's zero, and a ceiling such as ReLU6's, tell nothing of how far from it a number is. So the interval is taken
of what goes into such an activation, and both its ends pass through it: a unit that is far below zero stays at 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from layerscope.core.records import LayerRecord, Peaks
from layerscope.graph import Carrier, Graph, Runner

# A bound is so many times the root mean square of a unit's errors, and at least of half the layer's median. Of 7,664
# units of three trained networks the errors of one were larger, over 1,000 photographs; with 8, those of 60.
MARGIN = 12.0
# So many images are run by both for it.
MEASURED_ON = 64
# Activations that have flat parts and never fall.
FLAT = frozenset({"relu", "hardtanh", "clamp", "hardsigmoid", "softshrink"})


@dataclass(frozen=True)
class Standing:
    """Some neighbouring units of a layer. node: whose maxima stand for them. unit: the first. flat: the activation
    between that node and the layer, or None."""

    node: int
    unit: int
    flat: int | None


def parts_of(graph: Graph, node: int, unit: int = 0) -> tuple[Standing, ...]:
    """What stands for the units of a layer, whose own units begin at `unit`."""
    row = graph.nodes[node]
    if row.op in FLAT and row.sources != (0,) and not row.lies:
        return (Standing(row.sources[0], unit, node),)
    if row.op != "cat" or row.lies or graph.call(row).args.get("dim") not in (1, -len(row.shape)):
        return (Standing(node, unit, None),)
    found: list[Standing] = []
    for source in row.sources:
        if source == 0:
            return (Standing(node, unit, None),)
        found += parts_of(graph, source, unit)
        unit += graph.nodes[source].shape[0]
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Who may be among a layer's k highest.

    image: int64[c]. slot: int32[c], the image's place in the batch that it was scanned in. unit: int32[c]. low, high:
    float32[c], between which the exact maximum lies. lows: float32[u, k], the k highest lower ends of every unit,
    falling; -inf where there are fewer images.
    """

    image: Int64[np.ndarray, " c"]
    slot: Int32[np.ndarray, " c"]
    unit: Int32[np.ndarray, " c"]
    low: Float32[np.ndarray, " c"]
    high: Float32[np.ndarray, " c"]
    lows: Float32[np.ndarray, "u k"]

    @classmethod
    def none(cls, units: int, k: int) -> "Candidates":
        """No candidates, of so many units."""
        empty = np.empty(0, np.float32)
        lows = np.full((units, k), -np.inf, np.float32)
        none = np.empty(0, np.int32)
        return cls(np.empty(0, np.int64), none, none, empty, empty, lows)

    def joined(self, later: "Candidates") -> "Candidates":
        """With those of later images, whose ids are higher, without those that can no longer stay."""
        k = self.lows.shape[1]
        lows = -np.sort(-np.concatenate([self.lows, later.lows], 1), 1)[:, :k]
        # Among equals the earlier image stays.
        new = later.high > self.lows[later.unit, -1]
        found = {
            name: np.concatenate([getattr(self, name), getattr(later, name)[new]])
            for name in ("image", "slot", "unit", "low", "high")
        }
        stays = found["high"] >= lows[found["unit"], -1]
        return Candidates(**{name: values[stays] for name, values in found.items()}, lows=lows)

    def outside(self, ids: Int64[np.ndarray, " n"], maxima: Float32[np.ndarray, "n u"]) -> float:
        """How far the exact maxima of these images lie outside their candidates' intervals, at most; NaN counts as
        infinitely far."""
        mine = np.isin(self.image, ids)
        order = np.argsort(ids)
        place = order[np.searchsorted(ids, self.image[mine], sorter=order)]
        exact = maxima[place, self.unit[mine]].astype(np.float64)
        beyond = np.maximum(exact - self.high[mine], self.low[mine] - exact)
        return float(np.nan_to_num(beyond, nan=np.inf).max(initial=0.0))


def candidates_of(
    ids: Int64[np.ndarray, " n"], slots: Int32[np.ndarray, " n"], low: Float32[np.ndarray, "n u"],
    high: Float32[np.ndarray, "n u"], k: int, *, rectified: bool,
) -> Candidates:  # fmt: skip
    """The candidates among some images, whose ids grow. slots: as in Candidates. rectified: a zero is no peak."""
    lows = -np.sort(-low, 0)[:k].T
    lows = np.concatenate([lows, np.full((low.shape[1], k - lows.shape[1]), -np.inf, np.float32)], 1)
    floor = lows[:, -1]
    chosen = high >= floor
    # Of images that are all the same to a unit, k are enough.
    chosen &= (high > floor) | (np.cumsum(low >= floor, 0) - (low >= floor) < k)
    if rectified:
        chosen &= high > 0
    place, unit = np.nonzero(chosen)
    ends, lows = (low[place, unit], high[place, unit]), np.ascontiguousarray(lows)
    return Candidates(ids[place], slots[place], unit.astype(np.int32), *ends, lows)


def in_floats(peaks: Peaks) -> Candidates:
    """What exact peaks of some images say: their own lower ends, and nobody to be run again."""
    none = Candidates.none(*peaks.value.shape)
    return replace(none, lows=peaks.value.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Bounds:
    """How far a proposing runner's maxima are from the exact ones at most.

    by_node: float32[u], of each watched node.
    """

    by_node: Mapping[int, Float32[np.ndarray, " u"]]

    def largest(self, graph: Graph, node: int) -> float:
        """The largest bound of a layer's units."""
        return max(float(self.by_node[part.node].max(initial=0.0)) for part in parts_of(graph, node))


def bounds_of(exact: Mapping[int, Tensor], fast: Mapping[int, Tensor]) -> Bounds:
    """From both runners' maxima of some images [n, u], by watched node."""
    return Bounds({node: _bound((exact[node].double() - fast[node].double()).numpy()) for node in exact})


def _bound(errors: np.ndarray) -> Float32[np.ndarray, " u"]:
    spread = np.sqrt(np.square(errors).mean(0))
    # A unit that never differs is constant: the median would make every image its candidate.
    least = np.where(spread > 0, np.median(spread) / 2, 0)
    return (MARGIN * np.maximum(spread, least)).astype(np.float32)


def watched(graph: Graph, layers: Sequence[LayerRecord]) -> set[int]:
    """The nodes whose maxima stand for the units of these layers."""
    return {part.node for layer in layers for part in parts_of(graph, layer.node)}


def maxima_of(runner: Runner, x: Tensor, nodes: set[int]) -> dict[int, Float32[Tensor, "n u"]]:
    """The maxima over the maps of some nodes, for a batch, where the processor has them."""
    return {node: highest(value).cpu() for node, value in runner.run(x, nodes).items()}


def highest(values: Tensor) -> Float32[Tensor, "n u"]:
    """The maximum over each map, in float32, where the values lie."""
    return (values.amax((2, 3)) if values.dim() == 4 else values).float()


class Proposing:
    """What a shard's images are proposed for. program: the network itself, for its activations. inside: watched nodes
    that are no layers themselves, whose values are to be taken."""

    def __init__(self, program: Carrier, layers: Sequence[LayerRecord], bounds: Bounds, k: int) -> None:
        self.program, self.layers, self.bounds, self.k = program, layers, bounds, k
        self.inside = watched(program.graph, layers) - {layer.node for layer in layers}
        self._maxima: dict[int, list[Tensor]] = {node: [] for node in self.inside}

    def take(self, node: int, values: Tensor) -> None:
        """The proposing runner's values of a node inside, for some images that follow."""
        self._maxima[node].append(highest(values))

    def found(
        self, ids: Int64[np.ndarray, " n"], slots: Int32[np.ndarray, " n"], layers: Mapping[int, np.ndarray]
    ) -> dict[int, Candidates]:
        """The candidates by layer. ids, slots: of all images that were taken, as in Candidates. layers: by node, their
        maxima [n, u]. Raises ValueError for numbers that are none."""
        none = torch.empty((0, 0))
        maxima = {node: torch.cat(parts).cpu() if parts else none for node, parts in self._maxima.items()}
        maxima |= {node: torch.from_numpy(found) for node, found in layers.items()}
        if not all(bool(torch.isfinite(found).all()) for found in maxima.values()):
            raise ValueError("it gives numbers that are not finite")
        return {layer.node: self._layer(layer, ids, slots, maxima) for layer in self.layers}

    def _layer(
        self, layer: LayerRecord, ids: np.ndarray, slots: np.ndarray, maxima: Mapping[int, Tensor]
    ) -> Candidates:
        if not len(ids):
            return Candidates.none(layer.units, self.k)
        ends = [self._ends(part, maxima[part.node]) for part in parts_of(self.program.graph, layer.node)]
        low, high = (torch.cat(side, 1).numpy() for side in zip(*ends, strict=True))
        return candidates_of(ids, slots, low, high, self.k, rectified=layer.rectified)

    def _ends(self, part: Standing, maxima: Float32[Tensor, "n u"]) -> tuple[Tensor, Tensor]:
        bound = torch.from_numpy(self.bounds.by_node[part.node])
        infinity = torch.tensor(torch.inf)
        # Rounded outwards; what has no error stays the point that it is.
        low = torch.where(bound > 0, torch.nextafter(maxima - bound, -infinity), maxima)
        high = torch.where(bound > 0, torch.nextafter(maxima + bound, infinity), maxima)
        if part.flat is None:
            return low, high
        call = self.program.call(part.flat)
        return call.run(low), call.run(high)
