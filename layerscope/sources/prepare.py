"""A picture becomes the network's input, and it stays known where each input px lies on the picture.

The steps are torchvision's Resize(int), CenterCrop, ToTensor and Normalize on Pillow images, number for number:
pixels are equal to the last bit. A letterbox has the sizes, places and gray of ultralytics'. Below, pixels lie
channels-last in memory, as the network runs them.
"""

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input, Placement
from layerscope.sources.decode import LARGEST_PICTURE, Unusable, as_mode

# The longer side of the small whole pictures that an atlas keeps, px.
PICTURE_SIDE = 160

# What lies beyond the picture, of 0..255: in a crop what torchvision lays there, in a letterbox what ultralytics does.
BEYOND = {"center": 0, "squash": 0, "letterbox": 114}

RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
}


def prepare(image: Image.Image, input: Input) -> tuple[Float32[np.ndarray, "c h w"], Placement]:
    """An upright picture as the network's input, normalised, in the channel order of `input`; and its placement.

    Raises ImageError where `input` has other than 1 or 3
    channels, or where the picture cannot be used.
    """
    require_picture_channels(input)
    out = empty_rows(1, input)[0]
    try:
        placement, _ = fill(image, input, out)
    except Unusable as failure:
        raise ImageError(f"the picture cannot be used: {failure}") from None
    return out.transpose(2, 0, 1), placement


def show(pixels: Float32[np.ndarray, "b c h w"], input: Input) -> UInt8[np.ndarray, "b h w 3"]:
    """The network's input as red, green and blue in 0..255: mean and std undone, clipped; gray is repeated."""
    planes = []
    for channel in input.shown:
        plane = pixels[:, channel] * np.float32(input.std[channel]) + np.float32(input.mean[channel])
        planes.append(np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8))
    return np.stack(planes * 3 if len(planes) == 1 else planes, axis=-1)


def placement_of(input: Input, height: int, width: int) -> Placement:
    """Where the input px lie on a source picture of height x width px."""
    rows, cols = resized_size(input, height, width)
    row_scale, col_scale = height / rows, width / cols
    return Placement(
        row_scale=row_scale,
        col_scale=col_scale,
        top=_first(rows, input.height) * row_scale,
        left=_first(cols, input.width) * col_scale,
        height=height,
        width=width,
    )


def small(
    picture: Image.Image | UInt8[np.ndarray, "rows cols bands"] | Float32[np.ndarray, "bands rows cols"],
    input: Input,
    side: int,
) -> UInt8[np.ndarray, "h w 3"]:
    """A whole picture with its longer side at most `side` px, to be looked at."""
    if not isinstance(picture, Image.Image):
        if picture.dtype == np.uint8:
            bands = picture[..., list(input.shown) if picture.shape[-1] == input.channels else [0]]
        else:
            bands = show(picture[None], input)[0]
        picture = Image.fromarray(np.ascontiguousarray(np.repeat(bands, 3 // bands.shape[-1], axis=-1)))
    shown = as_mode(picture, "RGB")
    scale = min(1.0, side / max(shown.size))
    size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
    return np.asarray(shown.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def to_bytes(row: Float32[np.ndarray, "h w c"], input: Input) -> UInt8[np.ndarray, "h w c"] | None:
    """The bytes that were normalised into this input; None where no bytes give the very same numbers."""
    lines = row.reshape(input.height, -1)
    shown = lines * np.tile(np.asarray(input.std, np.float32), input.width)
    shown += np.tile(np.asarray(input.mean, np.float32), input.width)
    cut = np.rint(np.clip(shown, 0, 1) * np.float32(255)).astype(np.uint8).reshape(row.shape)
    return cut if np.array_equal(from_bytes(cut, input).view(np.uint32), row.view(np.uint32)) else None


def from_bytes(cut: UInt8[np.ndarray, "h w c"], input: Input) -> Float32[np.ndarray, "h w c"]:
    """A picture's bytes, in the network's order of channels, as its input."""
    out = empty_rows(1, input)[0]
    _normalise(cut, input, out)
    return out


def resized_size(input: Input, height: int, width: int) -> tuple[int, int]:
    """The rows and columns that a picture of height x width px is resized to, before the crop."""
    if input.crop == "squash":
        return input.height, input.width
    if input.crop == "letterbox":
        scale = min(input.height / height, input.width / width)
        return max(1, round(height * scale)), max(1, round(width * scale))
    short, long = min(height, width), max(height, width)
    size = input.resize
    if size is None:
        along_short, along_long = (input.height, input.width) if height <= width else (input.width, input.height)
        size = max(along_short, -(-along_long * short // long))
    other = int(size * long / short)
    return (size, other) if height <= width else (other, size)


def empty_rows(count: int, input: Input) -> Float32[np.ndarray, "b h w c"]:
    """Room for the inputs of `count` images, channels-last."""
    return np.empty((count, input.height, input.width, input.channels), np.float32)


def require_picture_channels(input: Input) -> None:
    """Raises ImageError where picture files cannot make this input."""
    if input.channels not in (1, 3):
        raise ImageError(
            f"the network takes {input.channels} channels, but picture files give 1 or 3; "
            "give a torch Dataset of uint8 or float32 arrays instead"
        )


def fill(
    picture: Image.Image | UInt8[np.ndarray, "rows cols bands"],
    input: Input,
    out: Float32[np.ndarray, "h w c"],
) -> tuple[Placement, UInt8[np.ndarray, "h w c"]]:
    """Prepare one picture into `out`, a contiguous array: where it lies, and the bytes that were normalised, which
    `from_bytes` makes into the same numbers. Raises Unusable."""
    if isinstance(picture, Image.Image):
        width, height = picture.size
    else:
        height, width = picture.shape[:2]
    rows, cols = resized_size(input, height, width)
    if rows * cols > LARGEST_PICTURE:
        raise Unusable(f"too narrow: {height} x {width} px would be resized to {rows} x {cols} px")
    if isinstance(picture, Image.Image):
        cut = _cut(as_mode(picture, "L" if input.channels == 1 else "RGB"), input, (rows, cols))
        cut = cut[..., ::-1] if input.order == "BGR" and input.channels == 3 else cut
    else:
        bands = [Image.fromarray(np.ascontiguousarray(picture[..., c])) for c in range(input.channels)]
        cut = np.concatenate([_cut(band, input, (rows, cols)) for band in bands], axis=-1)
    _normalise(cut, input, out)
    return placement_of(input, height, width), cut


def _cut(image: Image.Image, input: Input, resized: tuple[int, int]) -> UInt8[np.ndarray, "h w c"]:
    """Resize and crop, or lay what there is beyond the picture around it."""
    rows, cols = resized
    if image.size != (cols, rows):
        image = image.resize((cols, rows), RESAMPLING[input.interpolation])
    top, left = _first(rows, input.height), _first(cols, input.width)
    if (top, left, rows, cols) != (0, 0, input.height, input.width):
        beyond = Image.new(image.mode, (input.width, input.height), (BEYOND[input.crop],) * len(image.getbands()))
        beyond.paste(image, (-left, -top))
        image = beyond
    cut = np.asarray(image)
    return cut[:, :, None] if cut.ndim == 2 else cut


def _first(resized: int, wanted: int) -> int:
    """The first resized px inside the crop, along one axis; negative where the crop is the larger one."""
    if resized < wanted:
        return -((wanted - resized) // 2)
    return round((resized - wanted) / 2.0)


def _normalise(cut: UInt8[np.ndarray, "h w c"], input: Input, out: Float32[np.ndarray, "h w c"]) -> None:
    # Three float32 steps in torch's order: one fused step would be as fast, but off by the last bit. Whole rows of
    # w * c numbers, because NumPy's inner loop would otherwise be only c long.
    lines = out.reshape(input.height, -1)
    np.divide(cut.reshape(input.height, -1), np.float32(255), out=lines)
    lines -= np.tile(np.asarray(input.mean, np.float32), input.width)
    lines /= np.tile(np.asarray(input.std, np.float32), input.width)
