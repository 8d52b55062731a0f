"""What is asked of a live network and what it answers: plain values, pictures as encoded bytes. No torch.

Boxes are (top, left, bottom, right), half-open; they lie in input px unless the field says otherwise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

PlainBox = tuple[int, int, int, int]
# The first classes, as (name or number, probability).
Top = tuple[tuple[str, float], ...]
# An activation is the scan's again where it differs by at most so much of it.
ALIKE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLayer:
    """A layer that can be watched. rows, cols: of its map; 1 and 1 for a dense layer."""

    name: str
    kind: str
    units: int
    rows: int
    cols: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What one viewer wants to know of a picture.

    layer: whose maps are wanted. unit: the chosen unit, None for none, of `pinned_layer`, which by default is `layer`.
    method: of its projection. mosaic: whether the layer's maps are wanted as one picture. visible: the units (first,
    one past the last) that are on the screen: all that is sent of a mosaic of many bytes. project: whether the chosen
    unit's projection is wanted. prepared: whether what the network gets of the picture is wanted.
    """

    layer: str
    unit: int | None = None
    pinned_layer: str | None = None
    method: str = "deconvnet"
    mosaic: bool = True
    visible: tuple[int, int] | None = None
    project: bool = False
    prepared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAgreement:
    """How far an image of the atlas excites now what it excited in the scan.

    peaks: the units whose activation the scan kept of this image, since they count it among their highest. back: how
    many of them have it again, to within 1 % (ALIKE). ratio: the median of their activations now over those of the
    scan; None without any.
    """

    peaks: int
    back: int
    ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What a network does with one picture.

    top: the first five classes, none where the network's output is not one number a class. maxima: of each unit of
    the layer. strongest: its units above zero with the largest maximum over the unit's own scale, at most nine. A
    unit's scale is its maximum over the atlas; where that is unknown or not above zero, the largest value of its
    layer in this picture.
    mosaic: the layer's maps as a grid in one gray JPEG, 255 at the unit's scale, 0 at zero and below; None where it
    was not asked for. mosaic_shape: rows and columns of the grid, rows and columns of one map in it, the first unit.
    unit_map: the chosen unit's map in the same gray levels, unit_scale: the activation that 255 stands for. value,
    row, col: its highest activation and where in the map; box: what that position sees, cut to the input. projection:
    a PNG of that activation carried back, natural view, zero mid-gray; it shows the input px tile_box and is None
    where it was not asked for, or where a rectified unit is not above zero. None for all of these without a unit.
    prepared: what the network got of the picture, as PNG; None where it was not asked for. original: of an image of the
    atlas whether it was its original file, and not the copy that is kept; agreement: with the scan, on this layer. None
    of both for other pictures.
    seen: what the network got of the picture, (top, left, bottom, right) in px of the upright picture; it crosses the
    border where the picture is smaller than the crop. picture_size: its height and width.
    milliseconds: per stage: decode, prepare, forward, project, encode.
    """

    top: Top
    maxima: list[float]
    strongest: tuple[int, ...]
    mosaic: bytes | None = None
    mosaic_shape: tuple[int, int, int, int, int] | None = None
    unit_map: UInt8[np.ndarray, "rows cols"] | None = None
    unit_scale: float | None = None
    value: float | None = None
    row: int | None = None
    col: int | None = None
    box: PlainBox | None = None
    projection: bytes | None = None
    tile_box: PlainBox | None = None
    prepared: bytes | None = None
    original: bool | None = None
    agreement: ScanAgreement | None = None
    seen: tuple[float, float, float, float]
    picture_size: tuple[int, int]
    milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A unit that fires in a picture.

    value: its highest activation there, relative: over its scale (see Look). row, col: where in the map. box: what that
    position sees, cut to the input. tile_box: what the tiles show. tiles: by method, a PNG of the activation
    carried back, natural view, on the rules of the atlas.
    """

    unit: int
    value: float
    relative: float
    row: int
    col: int
    box: PlainBox
    tile_box: PlainBox
    tiles: dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTile:
    """A tile of a peak that the atlas holds, made now.

    rank: of the peak, 0 for the highest. image: its id; original: whether its original file was looked at, and not the
    kept copy. scanned: the activation in the scan, value: that of now at the same place, row and col of the map. patch:
    what the network gets there, as PNG; tiles: by method, a PNG of the activation carried back, as in Firing.
    """

    rank: int
    image: int
    original: bool
    scanned: float
    value: float
    row: int
    col: int
    patch: bytes
    tiles: dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFirings:
    """The strongest units of one layer in a picture, by their relative value, largest first. agreement: as in Look."""

    layer: str
    firings: tuple[Firing, ...]
    agreement: ScanAgreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """One picture at every layer.

    picture: what the network saw, as PNG; size: its height and width, px. top: the first five classes. layers: in
    execution order. seen, picture_size, milliseconds, original: as in Look. agreement: over all layers.
    """

    picture: bytes
    size: tuple[int, int]
    top: Top
    layers: tuple[LayerFirings, ...]
    seen: tuple[float, float, float, float]
    picture_size: tuple[int, int]
    milliseconds: dict[str, float]
    original: bool | None = None
    agreement: ScanAgreement | None = None
