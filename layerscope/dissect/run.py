"""Which unit detects which concept: two passes over images whose content is known (Bau et al. 2017, as changed).

The first pass counts every unit's values, which gives its threshold for each concept; the second counts where the
unit is above it inside the concept's masks. Units and baselines go through the same code.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int16, Int64
from torch import Tensor

from layerscope.core.concepts import BAR, Dissection, LayerDissection, LayerFigures, UnitConcept
from layerscope.core.engines import Piece
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.pieces import Job, NoMarks, make
from layerscope.core.progress import Progress, Silent
from layerscope.core.records import Input, LayerRecord
from layerscope.core.stages import OVERLAPS, THRESHOLDS
from layerscope.dissect.baselines import derangement, rotation
from layerscope.dissect.grid import EvaluationGrid, Upsampling
from layerscope.dissect.maps import Activations, BatchMaps, Maps
from layerscope.dissect.masks import MaskedImages, Masks, PlanedImages
from layerscope.dissect.overlap import Members, overlaps, overlaps_at_one
from layerscope.dissect.score import BAU_QUANTILE, figures, iou, units_named
from layerscope.dissect.thresholds import Counts
from layerscope.graph import Carrier
from layerscope.sources import Source

SHUFFLED, MIXED, UNTRAINED = "shuffled masks", "random mixtures", "untrained network"
# Bytes of float16 maps that are cached between the two passes; what does not fit is computed again.
MEMORY = 2**30
# One thread per core of a small machine; layers are counted side by side, each by one thread, so nothing depends on it.
_THREADS = 2


@plain_failures("the dissection")
def dissect(
    program: Carrier,
    input: Input,
    layers: Sequence[LayerRecord],
    source: Source,
    masked: MaskedImages | PlanedImages,
    *,
    untrained: Carrier | None = None,
    baselines: bool = True,
    every: int = 2,
    seed: int = 0,
    memory: int = MEMORY,
    progress: Progress | None = None,
) -> Dissection:
    """Find for every unit of these layers the concepts that it detects.

    layers: those without positions (dense) are left out, said so. source, masked: the same images, by their number in
    the source. untrained: the same architecture with other weights, for that baseline. baselines: measure shuffled
    masks and random mixtures too. every: evaluate every so many px of the input plane, in rows and columns. seed: of
    the baselines. memory: bytes of maps cached between the passes; the result does not depend on it.
    Raises ImageError where no image can be used or masks do not fit, UsageError for what cannot be dissected.
    """
    if every < 1:
        raise UsageError(f"every must be at least 1 px, got {every}")
    with_maps = [layer for layer in layers if layer.map is not None]
    if not with_maps:
        raise UsageError("none of these layers has positions: dense layers cannot be dissected")
    if untrained is not None:
        _check_same_architecture(program, untrained, with_maps)
    grid = EvaluationGrid.of(input, every)
    programs = [program] if untrained is None else [program, untrained]
    activations = Activations(programs, with_maps, source, input, memory)
    with closing(Masks(masked, grid)) as masks, ThreadPoolExecutor(_THREADS) as pool:
        subjects = _subjects(with_maps, masks, len(source), seed, mixed=baselines, untrained=untrained is not None)
        reporter = progress or Silent()
        make(_Counting(activations, masks, subjects, pool), NoMarks(), reporter)
        _cut(activations.source, masks, subjects)
        orders = _orders(masks, seed, shuffled=baselines)
        make(_Comparing(activations, masks, subjects, pool, orders), NoMarks(), reporter)
    return Dissection(
        layers=tuple(_layer(layer, subjects, masks) for layer in with_maps),
        images=len(masks),
        settings=_settings(masks, source, every, seed),
        left_out=tuple(f"{one.name} is left out: it has no positions" for one in layers if one.map is None),
    )


@dataclass(eq=False)
class _Subject:
    """One layer under one program, in its own basis or a mixed one: what is counted of it.

    name: "" for the units themselves, else the baseline's. sets: of concepts, as of PlanedImages. most: values that a
    unit may have. thresholds: per concept; single: Bau's. above, above_single: px above them, of those of the concept's
    set. found: per order of the masks the overlaps at either kind of threshold.
    """

    name: str
    layer: LayerRecord
    program: int
    upsampling: Upsampling
    sets: int
    most: int
    mixing: Tensor | None = None

    def __post_init__(self) -> None:
        # The last of all images, where that is not the only set.
        self.counts = [Counts(self.layer.units, self.most) for _ in range(self.sets + (self.sets > 1))]
        self.thresholds: Int16[np.ndarray, "u c"] = np.empty((0, 0), np.int16)
        self.above: Int64[np.ndarray, "u c"] = np.empty((0, 0), np.int64)
        self.found: dict[str, list[Int64[np.ndarray, "u c"]]] = {}

    def bits(self, maps: tuple[Maps, ...]) -> Int16[np.ndarray, "npx u"]:
        own = maps[self.program][self.layer.node]
        return self.upsampling.bits(own if self.mixing is None else own.float() @ self.mixing)

    def count(self, maps: tuple[Maps, ...], known: Bool[np.ndarray, "n sets"]) -> None:
        """Count a batch's values, of each set in the images in which it is known."""
        bits = self.bits(maps)
        self.counts[-1].add(bits)
        by_image = bits.reshape(len(known), -1, bits.shape[1])
        for counts, inside in zip(self.counts[:-1], known.T, strict=False):
            counts.add(by_image[inside].reshape(-1, bits.shape[1]))

    def cut(self, masks: Masks) -> None:
        """Turn the counts into thresholds and let go of them."""
        shape, every = (self.layer.units, len(masks.concepts)), self.counts[-1]
        self.alive = every.above_zero
        self.thresholds, self.above = np.empty(shape, np.int16), np.empty(shape, np.int64)
        single, _ = every.thresholds(np.array([int(BAU_QUANTILE * len(masks) * masks.grid.px)]))
        self.single, self.above_single = single[:, 0], np.empty(shape, np.int64)
        for number in range(masks.set_count):
            own, counts = masks.sets == number, self.counts[number]
            self.thresholds[:, own], self.above[:, own] = counts.thresholds(masks.area[own])
            self.above_single[:, own] = counts.exceeding(self.single)[:, None]
        del self.counts

    def compare(self, maps: tuple[Maps, ...], members: dict[str, Members]) -> None:
        bits = self.bits(maps)
        # Masks are shuffled for the units themselves only: what the other subjects add would say nothing new.
        for order, those in members.items() if not self.name else [("", members[""])]:
            new = [overlaps(bits, those, self.thresholds), overlaps_at_one(bits, those, self.single)]
            self.found[order] = (
                [a + b for a, b in zip(self.found[order], new, strict=True)] if self.found.get(order) else new
            )

    def units(self, order: str, masks: Masks) -> tuple[UnitConcept, ...]:
        own, single = self.found[order]
        return units_named(
            masks.concepts,
            masks.area,
            masks.px,
            iou(own, self.above, masks.area),
            iou(single, self.above_single, masks.area),
            self.alive,
        )


def _subjects(
    layers: Sequence[LayerRecord], masks: Masks, images: int, seed: int, *, mixed: bool, untrained: bool
) -> list[_Subject]:
    found = []
    for layer in layers:
        same = Upsampling(layer, masks.grid), masks.set_count, images * masks.grid.px
        found.append(_Subject("", layer, 0, *same))
        if mixed:
            found.append(_Subject(MIXED, layer, 0, *same, rotation(layer.units, seed)))
        if untrained:
            found.append(_Subject(UNTRAINED, layer, 1, *same))
    return found


class _Counting(Job[range, BatchMaps]):
    """The first pass: values and masks."""

    stage = THRESHOLDS

    def __init__(
        self, activations: Activations, masks: Masks, subjects: list[_Subject], pool: ThreadPoolExecutor
    ) -> None:
        self.pieces, self.work = activations.pieces(), activations.first
        self.masks, self.subjects, self.pool = masks, subjects, pool

    def put(self, piece: Piece[range], part: BatchMaps) -> int:
        """Count a batch's values, and take its masks."""
        ids = part.batch.ids.tolist()
        known = self.masks.known_of(ids)
        counting = self.pool.map(lambda subject: subject.count(part.maps, known), self.subjects)
        # Meanwhile, since masks may have to be drawn.
        for image, placement in zip(ids, part.batch.placements, strict=True):
            self.masks.add(image, placement)
        list(counting)
        return 0


def _cut(source: Source, masks: Masks, subjects: list[_Subject]) -> None:
    """Turn the counts of all subjects into thresholds. Raises ImageError where nothing was counted."""
    if not len(masks):
        raise ImageError(f"none of the {len(source)} images in {source.name} can be used")
    if not masks.area.any():
        raise ImageError(f"no mask of {source.name} marks any px: there is nothing to find")
    for subject in subjects:
        subject.cut(masks)


def _orders(masks: Masks, seed: int, *, shuffled: bool) -> dict[str, Int64[np.ndarray, " n"]]:
    """In which order the masks are laid on the images; a single image has no other masks.

    Images change masks with those of which the same is known; one that has no such other gets none, -1.
    """
    orders = {"": np.arange(len(masks))}
    if not shuffled or len(masks) < 2:
        return orders
    order = np.full(len(masks), -1)
    for kind in np.unique(masks.known, axis=0):
        alike = np.flatnonzero((masks.known == kind).all(1))
        if len(alike) > 1:
            order[alike] = alike[derangement(len(alike), seed)]
    return orders | {SHUFFLED: order}


class _Comparing(Job[Int64[np.ndarray, " n"], tuple[Maps, ...]]):
    """The second pass: where units and masks meet. orders: in which the masks are laid on the images, by name."""

    stage = OVERLAPS

    def __init__(
        self, activations: Activations, masks: Masks, subjects: list[_Subject], pool: ThreadPoolExecutor,
        orders: dict[str, Int64[np.ndarray, " n"]],
    ) -> None:  # fmt: skip
        self.pieces = [Piece(number, len(ids), ids) for number, ids in enumerate(activations.runs)]
        self.work = activations.again
        self.masks, self.subjects, self.pool, self.orders = masks, subjects, pool, orders
        self._first = 0

    def put(self, piece: Piece[Int64[np.ndarray, " n"]], part: tuple[Maps, ...]) -> int:
        """Compare a batch's maps with the masks."""
        here = slice(self._first, self._first + piece.size)
        shape = self.masks.grid.px, len(self.masks.concepts)
        members = {name: Members.of(self.masks.of(order[here]), *shape) for name, order in self.orders.items()}
        list(self.pool.map(lambda subject: subject.compare(part, members), self.subjects))
        self._first = here.stop
        return 0


def _layer(layer: LayerRecord, subjects: Sequence[_Subject], masks: Masks) -> LayerDissection:
    of_layer = {subject.name: subject for subject in subjects if subject.layer is layer}
    every = {
        order or name: subject.units(order, masks) for name, subject in of_layer.items() for order in subject.found
    }
    units = every.pop("")
    return LayerDissection(
        layer=layer.name,
        units=units,
        figures=figures(units),
        bau=figures(units, bau=True),
        baselines={
            name: LayerFigures(figures=figures(every[name]), bau=figures(every[name], bau=True))
            for name in (SHUFFLED, MIXED, UNTRAINED)
            if name in every
        },
        others=every,
    )


def _settings(masks: Masks, source: Source, every: int, seed: int) -> dict[str, object]:
    return {
        "source": source.name,
        "concepts": len(masks.concepts),
        "absent": int((masks.area == 0).sum()),
        "every": every,
        "seed": seed,
        "bar": BAR,
        "bau_quantile": BAU_QUANTILE,
    }


def _check_same_architecture(program: Carrier, other: Carrier, layers: Sequence[LayerRecord]) -> None:
    nodes = other.graph.nodes
    for layer in layers:
        own = program.graph.nodes[layer.node]
        if layer.node >= len(nodes) or (nodes[layer.node].name, nodes[layer.node].shape) != (own.name, own.shape):
            raise UsageError(
                f"the untrained network has no layer {layer.name} of the same shape; give the same network"
            )
