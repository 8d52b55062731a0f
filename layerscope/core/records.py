"""What travels between the rooms: small frozen records of plain values and NumPy arrays.

Rows and columns always name their plane: *node* (a layer's map), *input* (what the network gets) or *source* (the
picture as its file shows it, upright). Boxes are half-open. Weights and tensors stay home.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64, UInt8

from layerscope.core import settings as table
from layerscope.core.errors import UsageError
from layerscope.core.geometry import Box, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a network expects to be given, and how a picture is made into it.

    channels: 1 is gray, 3 are colours, any other number needs `show`. height, width: px. mean, std: one number per
    channel, of values in 0..1 (empty: 0 and 1). order: "RGB" or "BGR". resize: the picture's short side in px before
    the crop; None takes the smallest size that covers height x width. crop: "center"; "squash" to resize to
    height x width exactly, losing the aspect; or "letterbox" to resize the whole picture into height x width, with
    gray (114 of 255) beside it or above and below. interpolation: "bilinear", "bicubic", "nearest" or "lanczos".
    show: three channels to be shown as red, green, blue.
    Raises UsageError for values that make no sense.
    """

    channels: int = table.CHANNELS.default
    height: int
    width: int
    mean: tuple[float, ...] = table.MEAN.default
    std: tuple[float, ...] = table.STD.default
    order: table.Order = table.ORDER.default
    resize: int | None = table.RESIZE.default
    crop: table.Crop = table.CROP.default
    interpolation: table.Interpolation = table.INTERPOLATION.default
    show: tuple[int, int, int] | None = table.SHOW.default

    def __post_init__(self) -> None:
        for setting in table.OF_AN_INPUT:
            object.__setattr__(self, setting.name, setting.check(getattr(self, setting.name), of="Input: "))
        object.__setattr__(self, "mean", self.mean or (0.0,) * self.channels)
        object.__setattr__(self, "std", self.std or (1.0,) * self.channels)
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise UsageError(
                f"Input: mean and std need one number per channel ({self.channels}), "
                f"got {len(self.mean)} and {len(self.std)}"
            )
        if self.show is None and self.channels not in (1, 3):
            raise UsageError(
                f"Input: {self.channels} channels cannot be shown as a picture; say which three to show: show=(0, 1, 2)"
            )
        if self.show is not None and not all(channel < self.channels for channel in self.show):
            raise UsageError(f"Input: show needs three channels in 0..{self.channels - 1}, got {self.show}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def shown(self) -> tuple[int, ...]:
        """The channels in the order red, green, blue; one channel for gray."""
        if self.show is not None:
            return self.show
        if self.channels == 1:
            return (0,)
        return (0, 1, 2) if self.order == "RGB" else (2, 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How the input px of one image lie on its source picture (upright, after its EXIF orientation).

    source row = top + input row * row_scale; source column = left + input column * col_scale. height, width: the
    source picture's size in px.
    """

    row_scale: float
    col_scale: float
    top: float
    left: float
    height: int
    width: int

    def source_box(self, box: Box) -> Box:
        """A box of input px as the smallest box of source px that holds it, inside the source picture."""
        low = np.floor([self.top + box.top * self.row_scale, self.left + box.left * self.col_scale])
        high = np.ceil([self.top + box.bottom * self.row_scale, self.left + box.right * self.col_scale])
        whole = Box(top=int(low[0]), left=int(low[1]), bottom=int(high[0]), right=int(high[1]))
        return whole.clipped(self.height, self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image of a source, as the atlas keeps it.

    id: its place in the image order. source: path or key. sha256: of the encoded bytes, hex. size: encoded bytes.
    height, width: source px, upright. label: class name, or None. skipped: why it could not be used, or None.
    duplicate_of: id of the first image with the same bytes, or None.
    """

    id: int
    source: str
    sha256: str | None = None
    size: int | None = None
    height: int | None = None
    width: int | None = None
    label: str | None = None
    skipped: str | None = None
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of decoded images, ready for the network, in the image order; broken ones are left out.

    ids: int64[b]. pixels: float32[b, c, h, w], normalised as the Input says. placements: one per image.
    records: one ImageRecord for every image of the run, the skipped ones included. pictures: for each image its small
    whole picture, where it was asked for; empty where none was. cuts: for each image the bytes that were normalised
    into its pixels, uint8[h, w, c], where they were asked for and there are any; empty where none were asked for.
    """

    ids: Int64[np.ndarray, " b"]
    pixels: Float32[np.ndarray, "b c h w"]
    placements: tuple[Placement, ...]
    records: tuple[ImageRecord, ...]
    pictures: tuple[UInt8[np.ndarray, "_ _ 3"] | None, ...] = ()
    cuts: tuple[UInt8[np.ndarray, "h w c"] | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecord:
    """A layer, as a user sees it.

    name: as shown; path: the node's canonical name; aliases: further names that mean it. units: channels, or outputs
    of a dense layer. map: rows and columns of its map, None for a dense layer. field: what a position sees, in input
    px. auto: chosen by "auto". rectified: a value of 0 or less is no peak. scan_only: why it has patches and statistics
    and no projections, as a clause; empty where it can have them. part: backbone, neck or head, encoder or decoder, of
    a network that has them; else empty. own_rules: through which operations methods go back from it by rules that no
    paper states, as (method, operation, the rule's word); an atlas knows them of the layers that it scanned.
    """

    name: str
    path: str
    node: int
    kind: str
    units: int
    map: tuple[int, int] | None
    field: Field
    auto: bool = False
    aliases: tuple[str, ...] = ()
    rectified: bool = False
    scan_only: str = ""
    part: str = ""
    own_rules: tuple[tuple[str, str, str], ...] = ()

    @property
    def positions(self) -> int:
        """The number of positions in the map; 1 for a dense layer."""
        return self.map[0] * self.map[1] if self.map else 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """The k highest peaks of every unit of one layer, best first; at most one per image.

    Total order: larger value, then smaller image, row, column. Empty places hold value -inf and image -1.
    value: float32[u, k]. image: int64[u, k]. row, col: int32[u, k], in the layer's map.
    """

    value: Float32[np.ndarray, "u k"]
    image: Int64[np.ndarray, "u k"]
    row: Int32[np.ndarray, "u k"]
    col: Int32[np.ndarray, "u k"]

    @classmethod
    def empty(cls, units: int, k: int) -> "Peaks":
        shape = (units, k)
        return cls(
            value=np.full(shape, -np.inf, np.float32),
            image=np.full(shape, -1, np.int64),
            row=np.zeros(shape, np.int32),
            col=np.zeros(shape, np.int32),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projections:
    """Projections of m activations, by one method, as the method gives them.

    signal: float32 or float64[m, c, h, w], in activation per unit of the network's input, 0 outside the picture;
    h and w are the same for all. boxes: where each lies, in input px; a box may cross the border. values: the
    activations that were carried back. input_size: height, width of the input plane.
    """

    method: str
    signal: np.ndarray
    boxes: tuple[Box, ...]
    values: np.ndarray
    input_size: tuple[int, int]

    def full(self) -> np.ndarray:
        """The signals on the whole input plane, [m, c, H, W]."""
        height, width = self.input_size
        out = np.zeros((*self.signal.shape[:2], height, width), self.signal.dtype)
        for plane, signal, box in zip(out, self.signal, self.boxes, strict=True):
            inside = box.clipped(height, width)
            cut = np.s_[
                :, inside.top - box.top : inside.bottom - box.top, inside.left - box.left : inside.right - box.left
            ]
            plane[:, inside.top : inside.bottom, inside.left : inside.right] = signal[cut]
        return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitStatistics:
    """What a scan counted for every unit of a layer.

    mean, std: over all positions of every fourth batch. maximum: over all images. images_above, positions_above:
    shares in 0..1 above zero (positions: every fourth batch). histogram: int64[u, bins], counts of the images'
    maxima: bin i holds those above edge i - 1 and at most edge i of HISTOGRAM_EDGES, the outermost bins are open.
    class_means: float32[u, classes], the mean over a class's images of the image's maximum; no columns without labels.
    """

    mean: Float32[np.ndarray, " u"]
    std: Float32[np.ndarray, " u"]
    maximum: Float32[np.ndarray, " u"]
    images_above: Float32[np.ndarray, " u"]
    positions_above: Float32[np.ndarray, " u"]
    histogram: Int64[np.ndarray, "u bins"]
    class_means: Float32[np.ndarray, "u classes"]


# Eight bins an octave from 2^-12 to 2^12 on either side of zero: fixed, so that the counts of two shards just add.
_OCTAVES = 2.0 ** (np.arange(-96, 97) / 8.0)
HISTOGRAM_EDGES: Float64[np.ndarray, " edges"] = np.concatenate([-_OCTAVES[::-1], [0.0], _OCTAVES])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statistics:
    """What a scan learned of the images themselves, on the first 256 of them, over input px.

    colour: float64[c, c], covariance between channels of the normalised input. spectrum: float64[n], mean power of
    the input at radial frequency i / (2 * (n - 1)) cycles per pixel, i = 0..n-1. images: how many were used.
    """

    colour: Float64[np.ndarray, "c c"]
    spectrum: Float64[np.ndarray, " n"]
    images: int = field(default=0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitSheet:
    """The tiles of one unit in one picture: nine (k) tiles in reading order, in a grid of ceil(sqrt(k)) columns.

    pixels: uint8[rows * side_rows, cols * side_cols, 3]. Blank tiles are mid-gray (128). scales: per tile the signal
    amplitude q that 2q = 256 gray levels stand for; 0 is "no signal"; all 1 for patches.
    """

    kind: str
    method: str
    view: str
    scales: Float32[np.ndarray, " k"]
    pixels: UInt8[np.ndarray, "h w 3"]
