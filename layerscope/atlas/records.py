"""What only an atlas knows, as records: its run, its graph as rows, its layers with their plates, its peaks and
what lies below them."""

from dataclasses import dataclass, field
from typing import Any

from layerscope.core import settings as table
from layerscope.core.geometry import Box
from layerscope.core.records import Input, LayerRecord
from layerscope.core.settings import VIEWS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What made an atlas.

    network: spec, or class of the traced module. images: the source, in words. k: peaks kept per unit. settings:
    every option with its value. fingerprint: what must be equal to go on (graph, weights, input, images, ...).
    versions: layerscope, torch, python. started, finished: ISO 8601, UTC; finished is None until it is.
    """

    network: str
    images: str
    k: int
    methods: tuple[str, ...] = table.METHODS.default
    views: tuple[str, ...] = VIEWS
    input: Input
    settings: dict[str, Any] = field(default_factory=dict)
    fingerprint: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    started: str = ""
    finished: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """One operation of the network. shape: of its output, without the batch. args: by name, JSON values."""

    id: int
    name: str
    op: str
    module: str
    shape: tuple[int, ...]
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRecord:
    """An input of a node: at `position` it takes what the node `source` gives."""

    node: int
    position: int
    source: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasLayerRecord:
    """A layer of an atlas: the layer itself, and how it is shown.

    tile: side of the tiles' boxes in input px. method: what its plate shows by default, method_why: and why. All
    three are None until the layer's tiles are made, the last two also where it has no projections.
    """

    id: int
    record: LayerRecord
    tile: int | None = None
    method: str | None = None
    method_why: str | None = None

    @property
    def name(self) -> str:
        return self.record.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One of a unit's highest activations.

    rank: 0 is the highest. value: the activation. image: its id. row, col: in the layer's map. box: the receptive
    field, input px, may cross the border. tile_box: what the tiles show, input px. source_box: the same on the
    source picture, source px. Both are None until the peak is projected.
    """

    rank: int
    value: float
    image: int
    row: int
    col: int
    box: Box
    tile_box: Box | None = None
    source_box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """An image around a percentile of a unit's image maxima, among the sampled images.

    percentile: 99, 95, 90 or 50. rank: 0 to 3, 0 is the highest of its row. value: the image's maximum. image: its id.
    row, col: where, in the layer's map; the first place in reading order. tile_box: a square of the layer's tile side
    on the field's centre, moved inside the picture, input px; the whole input for a dense layer. source_box: the same
    on the source picture, source px. Both are None until the build has come to it.
    """

    percentile: int
    rank: int
    value: float
    image: int
    row: int
    col: int
    tile_box: Box | None = None
    source_box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A unit of the same layer whose image maxima rise and fall with those of `unit`.

    rank: 0 is the highest. other: its number. correlation: Pearson's, over the sampled images, 0.2 to 1; from 0.95 on
    the two are near duplicates.
    """

    unit: int
    rank: int
    other: int
    correlation: float
