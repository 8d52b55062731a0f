"""A picture that somebody sends becomes one upright picture, or one sentence that says why it cannot.

Only JPEG and PNG are taken, and the size that the header claims is checked before any px is decoded: few bytes can
claim more px than memory holds. What passes is decoded as the files of a source are.
"""

import io

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.sources.decode import Unusable, decode, reason
from layerscope.sources.prepare import resized_size

# The formats that are taken, by Pillow's names.
UPLOADED = ("JPEG", "PNG")
OPENERS = {b"\xff\xd8\xff": JpegImageFile, b"\x89PNG\r\n\x1a\n": PngImageFile}


def read_upload(
    encoded: bytes, input: Input, *, most_bytes: int, most_px: int, most_side: int | None = None
) -> Image.Image:
    """The picture in these bytes, upright, in the mode that its file has; ready for `prepare`.

    most_bytes: of the encoded picture. most_px: of the picture, as it is and as `input` has it resized. most_side: of
    its longer side, px. Raises ImageError for anything else, before it is decoded, and for what is damaged.
    """
    if len(encoded) > most_bytes:
        raise ImageError(f"the picture has {_kib(len(encoded))} KiB, and at most {_kib(most_bytes)} are taken")
    width, height = _claimed_size(encoded)
    if most_side is not None and max(width, height) > most_side:
        raise ImageError(f"the picture has {width} x {height} px, and at most {most_side} x {most_side} are taken")
    if width * height > most_px:
        raise ImageError(f"the picture has {width} x {height} px, and at most {most_px / 1e6:.0f} million are taken")
    rows, cols = resized_size(input, height, width)
    if rows * cols > most_px:
        raise ImageError(f"the picture is too narrow: {width} x {height} px would be resized to {cols} x {rows} px")
    try:
        return decode(encoded)
    except Unusable as failure:
        raise ImageError(f"the picture cannot be used: {failure}") from None


def _claimed_size(encoded: bytes) -> tuple[int, int]:
    """Width and height by the header. Pillow's own `open` would do, but warns of large ones, in a global setting."""
    for signature, opener in OPENERS.items():
        if encoded.startswith(signature):
            try:
                with opener(io.BytesIO(encoded)) as header:
                    return header.size
            except Exception as failure:  # Pillow's readers raise many kinds of errors for damaged bytes
                raise ImageError(f"the picture cannot be used: its header is broken ({reason(failure)})") from None
    raise ImageError("the picture is neither a JPEG nor a PNG file, and no other kind is taken")


def _kib(size: int) -> int:
    return -(-size // 1024)
