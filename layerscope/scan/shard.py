"""One shard of images through the network: the highest peaks and the sums of every unit.

The maximum over each map comes first: it is nearly free on channels-last maps. Where in the map it lies is looked up
only for images that enter a unit's k highest, which soon are few. A shard depends on its own images alone; `floors`,
the k-th values found elsewhere, only spare it the look-ups of peaks that could not stay. On a GPU everything is looked
up when the shard is over (`scan/deferred.py`).
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from layerscope.core.records import Batch, LayerRecord, Peaks
from layerscope.graph import Runner, visit
from layerscope.scan.argmax import first_argmax, place_of
from layerscope.scan.deferred import Deferred, is_deferred
from layerscope.scan.finite import channels_last, finite_maxima
from layerscope.scan.input_statistics import add_images
from layerscope.scan.peaks import NOBODY, in_order, no_peak
from layerscope.scan.proposed import Candidates, Proposing
from layerscope.scan.reduced import maxima_of_rows, sums_of
from layerscope.scan.result import LayerResult

# Sums over all positions are taken on one batch in so many; the maxima on all.
SUMMED_EVERY = 4


@dataclass(frozen=True, eq=False)
class ShardResult:
    """What a shard found.

    images: int64[n], the ids in order, the skipped ones left out. layers: by node. input_sums: sums over the images
    themselves (scan/input_statistics.py), for the first shards only. candidates: by node, where peaks were proposed
    alone: the layers have none then. sampled: int64[2, m], ids and keys of the images that may be sampled, in order.
    """

    images: Int64[np.ndarray, " n"]
    layers: dict[int, LayerResult]
    input_sums: dict[str, np.ndarray]
    candidates: Mapping[int, Candidates] = field(default_factory=dict[int, Candidates])
    sampled: Int64[np.ndarray, "2 m"] = field(default_factory=lambda: np.empty((2, 0), np.int64))


def scan_shard(
    program: Runner,
    layers: Sequence[LayerRecord],
    batches: Iterable[Batch],
    *,
    k: int,
    batch_size: int,
    floors: dict[int, Float32[np.ndarray, " u"]] | None = None,
    with_input_sums: bool = False,
    sample: Mapping[int, int] | None = None,
) -> ShardResult:
    """Run one shard's batches through the network.

    batch_size: batches are padded to it, so that an image's activations do not depend on how many came with it; larger
    ones are taken in pieces.
    floors: by node, the k-th highest value of every unit elsewhere. with_input_sums: sum up the images themselves too.
    sample: by id, the keys of images for which the place of every unit's maximum is kept; those of a batch are known
    when it comes.
    Raises TraceError for activations that are NaN, infinite or beyond float32.
    """
    steps = scan_in_steps(
        program, layers, batches, k=k, batch_size=batch_size, floors=floors,
        with_input_sums=with_input_sums, sample=sample,
    )  # fmt: skip
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def scan_in_steps(
    program: Runner,
    layers: Sequence[LayerRecord],
    batches: Iterable[Batch],
    *,
    k: int,
    batch_size: int,
    floors: dict[int, Float32[np.ndarray, " u"]] | None = None,
    with_input_sums: bool = False,
    sample: Mapping[int, int] | None = None,
    proposing: Proposing | None = None,
) -> Generator[int, None, ShardResult]:
    """`scan_shard`, which stops behind each batch, with the number of its images, so that others may look in.

    proposing: the program only proposes, and no peaks are looked up. Raises ValueError where its numbers are none.
    """
    floored = {layer.node: _floor(layer, (floors or {}).get(layer.node)) for layer in layers}
    scan = Deferred(layers, k, floored, program.device) if is_deferred(program.device) else _AtOnce(layers, k, floored)
    wanted = set(floored) | (proposing.inside if proposing else set())
    images: list[np.ndarray] = []
    slots: list[np.ndarray] = []
    input_sums: dict[str, np.ndarray] = {}
    for number, batch in enumerate(batches):
        if not len(batch.ids):
            continue
        for first in range(0, len(batch.ids), batch_size):
            ids, pixels = batch.ids[first : first + batch_size], batch.pixels[first : first + batch_size]
            sampled = np.isin(ids, list(sample or ()))
            take = partial(_taken, scan, proposing, ids, sampled, number % SUMMED_EVERY == 0)
            visit(program, _padded(pixels, batch_size), wanted, take)
            slots.append(np.arange(len(ids), dtype=np.int32))
        images.append(batch.ids)
        if with_input_sums:
            input_sums = add_images(input_sums, batch.pixels)
        yield len(batch.ids)
    ids = np.concatenate(images) if images else np.empty(0, np.int64)
    found = scan.results()
    places = np.concatenate(slots) if slots else np.empty(0, np.int32)
    maxima = {node: layer.maxima for node, layer in found.items()}
    candidates = proposing.found(ids, places, maxima) if proposing else {}
    keys = [(id, sample[id]) for id in ids.tolist() if id in sample] if sample else []
    return ShardResult(ids, found, input_sums, candidates, np.array(keys, np.int64).reshape(-1, 2).T)


def _taken(
    scan: "_AtOnce | Deferred", proposing: Proposing | None, ids: Int64[np.ndarray, " n"],
    sampled: Bool[np.ndarray, " n"], summed: bool, node: int, first: int, values: Tensor,
) -> None:  # fmt: skip
    part = slice(first, first + len(values))
    if not len(ids[part]):
        return
    values = values[: len(ids[part])]
    if proposing is not None and node in proposing.inside:
        proposing.take(node, values)
    if node in scan.layers:
        scan.take(node, ids[part], values, sampled[part], summed=summed, enter=proposing is None)


def _padded(pixels: np.ndarray, size: int) -> Tensor:
    tensor = torch.from_numpy(pixels)
    if len(tensor) >= size:
        return tensor
    padded = tensor.new_zeros((size, *tensor.shape[1:])).contiguous(memory_format=torch.channels_last)
    padded[: len(tensor)] = tensor
    return padded


def _floor(layer: LayerRecord, known: Float32[np.ndarray, " u"] | None) -> Float32[np.ndarray, " u"]:
    """What a maximum must exceed to be one of a unit's k highest."""
    least = np.full(layer.units, no_peak(layer), np.float32)
    return least if known is None else np.maximum(known, least)


class _AtOnce:
    """All layers of one shard, each looked at as soon as its maps are there."""

    def __init__(self, layers: Sequence[LayerRecord], k: int, floors: Mapping[int, Float32[np.ndarray, " u"]]) -> None:
        self.layers = {layer.node: _LayerScan(layer, k, floors[layer.node]) for layer in layers}

    def take(
        self, node: int, ids: Int64[np.ndarray, " n"], values: Float[Tensor, "n *map"],
        sampled: Bool[np.ndarray, " n"], *, summed: bool, enter: bool,
    ) -> None:  # fmt: skip
        """One batch's activations of a layer; as `Deferred.take`."""
        self.layers[node].take(ids, values, sampled, summed=summed, enter=enter)

    def results(self) -> dict[int, LayerResult]:
        """What was found, by node."""
        return {node: layer.result() for node, layer in self.layers.items()}


class _LayerScan:
    """The running state of one layer within a shard."""

    def __init__(self, layer: LayerRecord, k: int, floor: Float32[np.ndarray, " u"]) -> None:
        self.layer, self.k, self.none = layer, k, no_peak(layer)
        self.floor = torch.from_numpy(floor)
        self.last = NOBODY
        empty = Peaks.empty(layer.units, k)
        self.value, self.image = torch.from_numpy(empty.value), torch.from_numpy(empty.image)
        self.place = torch.zeros((layer.units, k), dtype=torch.int64)
        self.maxima: list[Tensor] = []
        self.argmax: list[Tensor] = []
        self.positions = 0
        self.sums = torch.zeros((3, layer.units), dtype=torch.float64)

    def take(
        self, ids: np.ndarray, values: Float[Tensor, "n *map"], sampled: Bool[np.ndarray, " n"], *, summed: bool,
        enter: bool,
    ) -> None:  # fmt: skip
        """One batch's activations; sampled: the images for which all places are kept. enter: into the k highest."""
        # What proposes computes in fewer bits than sums are taken in.
        maps = channels_last(values if enter else values.float())
        of_rows = maxima_of_rows(maps)
        highest = of_rows.amax(1)
        maxima = finite_maxima(self.layer, ids, maps, highest)
        self.maxima.append(maxima)
        if enter:
            self._enter(ids, maxima, maps, of_rows)
        if summed:
            self.positions += maps[..., 0].numel()
            self.sums += sums_of(maps).cpu()
        if sampled.any():
            # A whole batch is taken as it lies: picking images copies their maps.
            which = slice(None) if sampled.all() else torch.from_numpy(sampled)
            self.argmax.append(first_argmax(maps[which], of_rows[which], highest[which]).int().cpu())

    def _enter(
        self, images: Int64[np.ndarray, " n"], maxima: Float32[Tensor, "n u"], maps: Float[Tensor, "n rows cols u"],
        of_rows: Float[Tensor, "n rows u"],
    ) -> None:  # fmt: skip
        """Let the batch's images into the k highest; among equals that of the smaller id stays."""
        ordered, ids = in_order(images, self.last), torch.from_numpy(images)
        self.last = max(self.last, int(images.max()))
        lowest = torch.maximum(self.floor, self.value[:, -1])
        high = maxima > lowest
        if not ordered:
            high |= (maxima == lowest) & (maxima > self.none)
            high &= (ids != NOBODY)[:, None]
        units = high.any(0).nonzero()[:, 0]
        if not len(units):
            return
        eligible = torch.where(high[:, units], maxima[:, units], -torch.inf)
        value = torch.cat([self.value[units], eligible.T], 1)
        image = torch.cat([self.image[units], ids.expand(len(units), -1)], 1)
        order = _falling(value, None if ordered else image)[:, : self.k]
        value, image = value.gather(1, order), image.gather(1, order)
        place = torch.cat([self.place[units], torch.zeros(len(units), len(ids), dtype=torch.int64)], 1).gather(1, order)
        entered = (order >= self.k) & (value > -torch.inf)
        which, rank = entered.nonzero(as_tuple=True)
        place[which, rank] = place_of(maps, of_rows, order[which, rank] - self.k, units[which]).cpu()
        image[value == -torch.inf] = -1
        self.value[units], self.image[units], self.place[units] = value, image, place

    def result(self) -> LayerResult:
        """The shard's values as plain arrays."""
        width = self.layer.map[1] if self.layer.map else 1
        place = self.place.numpy().astype(np.int32)
        above, total, squares = self.sums.numpy()
        maxima = torch.cat(self.maxima).numpy() if self.maxima else np.empty((0, self.layer.units), np.float32)
        argmax = torch.cat(self.argmax).numpy() if self.argmax else np.empty((0, self.layer.units), np.int32)
        peaks = Peaks(value=self.value.numpy(), image=self.image.numpy(), row=place // width, col=place % width)
        return LayerResult(maxima, peaks, self.positions, above, total, squares, argmax)


def _falling(value: Float32[Tensor, "u n"], image: Int64[Tensor, "u n"] | None) -> Int64[Tensor, "u n"]:
    """The order in which values fall; among equals by the images' ids, or as they come where those are given in order
    already."""
    if image is None:
        return value.argsort(dim=1, descending=True, stable=True)
    by_id = image.argsort(dim=1, stable=True)
    return by_id.gather(1, value.gather(1, by_id).argsort(dim=1, descending=True, stable=True))
