"""A shard on a GPU: the host asks for nothing until its last batch is on its way.

Calls on a GPU stand in a queue, and whoever reads a number of it waits until the queue is empty, which then stays empty
until the host has made the next call. So maxima, their places and sums stay on the device; what is no number, and which
are the k highest, is found when the shard is over, and all of it is copied at once. Who enters the k highest is not
known before, so the place is looked up for every image: in the same pass over the map as the maximum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int32, Int64
from torch import Tensor

from layerscope.core.records import LayerRecord, Peaks
from layerscope.graph.sent import sent
from layerscope.scan.finite import channels_last, require_numbers
from layerscope.scan.peaks import NOBODY, in_order, no_peak
from layerscope.scan.reduced import sums_of
from layerscope.scan.result import LayerResult


def is_deferred(device: torch.device) -> bool:
    """True where reading a number means waiting: everywhere but on the processor itself."""
    return device.type != "cpu"


@dataclass(frozen=True, eq=False, kw_only=True)
class _Taken:
    """What is kept on the device of some images at one layer.

    sampled: of which images all places are wanted. entered: whether any may enter the k highest. in_order: whether they
    are later than all before. highest, lowest: [n, u], of each map, in the network's dtype; no lowest where a rectifier
    leaves nothing below. place: int32[n, u], row * cols + col of the first maximum; None where nobody asks.
    """

    node: int
    ids: Int64[np.ndarray, " n"]
    sampled: Bool[np.ndarray, " n"]
    entered: bool
    in_order: bool
    highest: Float[Tensor, "n u"]
    lowest: Float[Tensor, "n u"] | None
    place: Int32[Tensor, "n u"] | None


class _Found(NamedTuple):
    """What a shard found for one layer, still on the device.

    value, row, place: of each unit's k highest, or fewer, falling: the maxima, of which images as they were taken, and
    where in their maps. numbers: whether all activations are numbers.
    """

    maxima: Float32[Tensor, "n u"]
    value: Float32[Tensor, "k u"]
    row: Int32[Tensor, "k u"]
    place: Int32[Tensor, "k u"]
    argmax: Int32[Tensor, "m u"]
    sums: Float64[Tensor, "3 u"]
    numbers: Bool[Tensor, ""]


class Deferred:
    """All layers of one shard. floors: by node, what a peak must exceed. Keeps 12 bytes for each image and unit."""

    def __init__(
        self, layers: Sequence[LayerRecord], k: int, floors: Mapping[int, Float32[np.ndarray, " u"]],
        device: torch.device,
    ) -> None:  # fmt: skip
        self.layers, self.k, self.device = {layer.node: layer for layer in layers}, k, device
        self._floors = {node: self._sent(floors[node]) for node in self.layers}
        self._sums = {
            node: torch.zeros((3, layer.units), dtype=torch.float64, device=device)
            for node, layer in self.layers.items()
        }
        self._positions = dict.fromkeys(self.layers, 0)
        self._last = dict.fromkeys(self.layers, NOBODY)
        self._taken: list[_Taken] = []

    def take(
        self, node: int, ids: Int64[np.ndarray, " n"], values: Float[Tensor, "n *map"],
        sampled: Bool[np.ndarray, " n"], *, summed: bool, enter: bool,
    ) -> None:  # fmt: skip
        """One batch's activations of a layer; sampled: the images for which all places are kept. enter: into the k
        highest."""
        rectified = self.layers[node].rectified
        maps = channels_last(values)
        flat = maps.flatten(1, 2)
        # Of equal values `max` names the first, as PyTorch documents.
        highest, place = flat.max(1) if enter or sampled.any() else (flat.amax(1), None)
        before, self._last[node] = self._last[node], max(self._last[node], int(ids.max()))
        self._taken.append(
            _Taken(
                node=node, ids=ids, sampled=sampled, entered=enter, in_order=in_order(ids, before), highest=highest,
                lowest=None if rectified else flat.amin(1), place=None if place is None else place.int(),
            )
        )  # fmt: skip
        if summed:
            self._positions[node] += maps[..., 0].numel()
            self._sums[node] += sums_of(maps)

    def results(self) -> dict[int, LayerResult]:
        """What was found, by node. Raises TraceError for the number that would have been met first, had each batch been
        looked at when it came."""
        taken = {node: [one for one in self._taken if one.node == node] for node in self.layers}
        found = {node: self._found(node, some) for node, some in taken.items()}
        copied = dict(zip(found, _on_host([*found.values()]), strict=True))
        if not all(bool(one.numbers) for one in copied.values()):
            for one in self._taken:
                require_numbers(self.layers[one.node], one.ids, one.highest, one.lowest)
        return {node: self._result(node, some, copied[node]) for node, some in taken.items()}

    def _found(self, node: int, taken: Sequence[_Taken]) -> _Found:
        none = torch.empty((0, self.layers[node].units), dtype=torch.int32, device=self.device)
        maxima = torch.cat([none.float(), *(one.highest.float() for one in taken)])
        lowest = torch.cat([none.float(), *(one.lowest for one in taken if one.lowest is not None)])
        numbers = torch.isfinite(maxima).all() & ~torch.isinf(lowest).any()
        places = [self._chosen(one.place, one.sampled) for one in taken if one.place is not None]
        peaks = self._highest(node, maxima, taken) if taken and taken[0].entered else (none.float(), none, none)
        return _Found(maxima, *peaks, torch.cat([none, *places]), self._sums[node], numbers)

    def _highest(
        self, node: int, maxima: Float32[Tensor, "n u"], taken: Sequence[_Taken]
    ) -> tuple[Float32[Tensor, "k u"], Int32[Tensor, "k u"], Int32[Tensor, "k u"]]:
        """The k highest that exceed the floors; among equals that of the smaller id comes first."""
        ids, floor = np.concatenate([one.ids for one in taken]), self._floors[node]
        high = maxima > floor
        if not all(one.in_order for one in taken):
            # What comes behind a later image may take its place at the floor.
            late = self._sent(np.concatenate([np.full(len(one.ids), not one.in_order) for one in taken]))
            high |= late[:, None] & (maxima == floor) & (maxima > no_peak(self.layers[node]))
            high &= self._sent(ids != NOBODY)[:, None]
        by_id = self._sent(np.argsort(ids, kind="stable"))
        value, order = torch.where(high, maxima, -torch.inf)[by_id].sort(dim=0, descending=True, stable=True)
        row = by_id[order[: self.k]]
        place = torch.cat([one.place for one in taken if one.place is not None]).gather(0, row)
        return value[: self.k], row.int(), place

    def _result(self, node: int, taken: Sequence[_Taken], found: _Found) -> LayerResult:
        """The same as plain arrays."""
        layer = self.layers[node]
        peaks, width = Peaks.empty(layer.units, self.k), layer.map[1] if layer.map else 1
        ids = np.concatenate([one.ids for one in taken]) if taken else np.empty(0, np.int64)
        value = found.value.numpy().T
        there = value > -np.inf
        row, col = np.divmod(found.place.numpy().T, width)
        held = {"value": value, "image": ids[found.row.numpy().T], "row": row, "col": col}
        for name, values in held.items():
            np.copyto(getattr(peaks, name)[:, : value.shape[1]], values, where=there)
        above, total, squares = found.sums.numpy()
        maxima, argmax = found.maxima.numpy(), found.argmax.numpy()
        return LayerResult(maxima, peaks, self._positions[node], above, total, squares, argmax)

    def _chosen(self, place: Int32[Tensor, "n u"], sampled: Bool[np.ndarray, " n"]) -> Int32[Tensor, "m u"]:
        """The places in the sampled images."""
        return place if sampled.all() else place[self._sent(np.flatnonzero(sampled))]

    def _sent(self, array: np.ndarray) -> Tensor:
        values = torch.from_numpy(array)
        return sent(values, self.device, values.dtype)


def _on_host(found: Sequence[_Found]) -> list[_Found]:
    """The same on the processor, by one copy for each number type."""
    tensors = [tensor for one in found for tensor in one]
    copied: dict[int, Tensor] = {}
    for dtype in {tensor.dtype for tensor in tensors}:
        same = [place for place, tensor in enumerate(tensors) if tensor.dtype == dtype]
        flat = torch.cat([tensors[place].flatten() for place in same]).cpu()
        parts = flat.split([tensors[place].numel() for place in same])
        copied |= {place: part.view(tensors[place].shape) for place, part in zip(same, parts, strict=True)}
    width = len(_Found._fields)
    return [_Found(*(copied[first + place] for place in range(width))) for first in range(0, len(tensors), width)]
