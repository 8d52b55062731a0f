"""From what was painted to pixels: antialiased paths, then light over the whole picture and a mild blur."""

from collections.abc import Callable, Sequence
from typing import Any

import aggdraw
import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8
from PIL import Image, ImageFilter

from layerscope.world.canvas import Clip, Outline, Stamp, Unclip
from layerscope.world.colours import Colour

NOBODY = 0xFFFFFF
WHITE = aggdraw.Brush(255)
# aggdraw.Draw is a function; the type of what it returns has no public name.
Drawing = Any
Stamps = Sequence[Stamp | Clip | Unclip]


def paint(stamps: Stamps, size: int) -> Image.Image:
    """The painting, RGB of size x size px, antialiased."""
    picture = Image.new("RGB", (size, size))
    return _painted(picture, stamps, lambda _, stamp: stamp.colour, smooth=True)


def owners(stamps: Stamps, size: int) -> Int[np.ndarray, "size size"]:
    """Which stamp is seen at each pixel: its number, or -1 where there is none."""
    picture = Image.new("RGB", (size, size), _digits(NOBODY))
    numbered = _painted(picture, stamps, lambda number, _: _digits(number), smooth=False)
    high, middle, low = np.moveaxis(np.asarray(numbered).astype(np.int64), 2, 0)
    number = (high << 16) + (middle << 8) + low
    return np.where(number == NOBODY, -1, number)


def _digits(number: int) -> Colour:
    return number >> 16, number >> 8 & 255, number & 255


def covered(outlines: Sequence[Outline], size: int) -> Bool[np.ndarray, "size size"]:
    """The pixels whose middle lies in one of the outlines."""
    drawing = aggdraw.Draw("L", (size, size), 0)
    drawing.setantialias(False)
    for outline in outlines:
        drawing.polygon(outline, WHITE)
    return np.frombuffer(drawing.tobytes(), np.uint8).reshape(size, size) > 0


def lit(
    picture: Image.Image, light: Float32[np.ndarray, "size size 1"], blur: float
) -> UInt8[np.ndarray, "size size 3"]:
    """The picture under a light that differs from place to place, a little out of focus. blur: radius [px]."""
    if blur:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(picture).astype(np.float32)
    return (pixels * light).clip(0, 255).round().astype(np.uint8)


def _painted(
    picture: Image.Image, stamps: Stamps, colour_of: Callable[[int, Stamp], Colour], *, smooth: bool
) -> Image.Image:
    """The stamps over a picture. smooth: antialiased, with gradients."""
    drawing, below = _drawing(picture, smooth), []
    for number, stamp in enumerate(stamps):
        if isinstance(stamp, Stamp) and (stamp.to is None or not smooth):
            _put(drawing, stamp, colour_of(number, stamp))
            continue
        drawing.flush()
        if isinstance(stamp, Clip):
            below.append((picture, stamp.outline))
            picture = picture.copy()
        elif isinstance(stamp, Unclip):
            clipped, (picture, outline) = picture, below.pop()
            picture.paste(clipped, mask=_mask(outline, picture.size, smooth))
        else:
            picture.paste(_ramp(stamp, picture.width), mask=_mask(stamp.outline, picture.size, smooth))
        drawing = _drawing(picture, smooth)
    drawing.flush()
    return picture


def _put(drawing: Drawing, stamp: Stamp, colour: Colour) -> None:
    if stamp.width is None:
        drawing.polygon(stamp.outline, aggdraw.Brush(colour))
    else:
        drawing.line(stamp.outline, aggdraw.Pen(colour, stamp.width))


def _drawing(picture: Image.Image, smooth: bool) -> Drawing:
    drawing = aggdraw.Draw(picture)
    drawing.setantialias(smooth)
    return drawing


def _mask(outline: Outline, size: tuple[int, int], smooth: bool) -> Image.Image:
    mask = Image.new("L", size)
    drawing = _drawing(mask, smooth)
    drawing.polygon(outline, WHITE)
    drawing.flush()
    return mask


def _ramp(stamp: Stamp, size: int) -> Image.Image:
    """A picture whose colour goes from the stamp's first to its second along its ramp."""
    assert stamp.ramp is not None and stamp.to is not None
    ends = stamp.ramp.view(np.complex128)
    along = ends[-1] - ends[0]
    places = np.arange(size) + 0.5
    offset = (places[None, :] + 1j * places[:, None] - ends[0]) * along.conjugate()
    share = (offset.real / abs(along) ** 2).clip(0, 1)[..., None]
    return Image.fromarray((stamp.colour + share * np.subtract(stamp.to, stamp.colour)).round().astype(np.uint8))
