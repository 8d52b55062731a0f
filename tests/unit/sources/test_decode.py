import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from layerscope.sources import decode as decoding
from layerscope.sources.decode import DecodeOptions, Unusable, as_mode, decode


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(draw, encode, orientation, format):
    """The decoded picture is what Pillow's own exif_transpose makes of the file."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    encoded = encode(draw(5, 6, 10), format, exif=exif)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))
    assert wanted.size == ((6, 10) if orientation > 4 else (10, 6))
    assert np.array_equal(np.asarray(decode(encoded)), np.asarray(wanted))


def test_a_damaged_exif_block_leaves_the_picture_as_stored(draw, encode):
    """Sound pixels are used even where the EXIF block beside them is not."""
    image = draw(6)
    damaged = encode(image, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f garbage")
    assert np.array_equal(np.asarray(decode(damaged)), np.asarray(image))


@pytest.mark.parametrize("mode, format", [("RGB", "PNG"), ("L", "PNG"), ("P", "GIF"), ("CMYK", "TIFF"), ("1", "PNG")])
def test_every_mode_becomes_rgb_and_gray_as_pillow_converts_it(draw, encode, mode, format):
    """Colours of any mode are those of Pillow's convert."""
    image = decode(encode(draw(7, mode=mode), format))
    for wanted in ("RGB", "L"):
        assert np.array_equal(np.asarray(as_mode(image.copy(), wanted)), np.asarray(image.convert(wanted)))


def test_alpha_is_dropped_not_composited(draw, encode):
    """A see-through picture keeps the colours that its file holds."""
    image = draw(8)
    image.putalpha(0)
    assert np.array_equal(np.asarray(as_mode(decode(encode(image)), "RGB")), np.asarray(image)[..., :3])


def test_sixteen_bit_gray_is_scaled_to_eight(encode):
    """0 and 65535 become 0 and 255, and 257 * v becomes v."""
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    image = decode(encode(Image.fromarray(levels)))
    assert np.array_equal(np.asarray(as_mode(image, "L")), np.arange(256).reshape(16, 16))


@pytest.mark.parametrize("pixels", [np.full((2, 2), 0.5, np.float32), np.full((2, 2), 70_000, np.int32)])
def test_gray_of_unknown_range_is_refused(encode, pixels):
    """Float gray, and integers beyond 16 bits, are not guessed at."""
    with pytest.raises(Unusable, match="no known range"):
        as_mode(decode(encode(Image.fromarray(pixels), "TIFF")), "RGB")


def test_the_first_frame_of_an_animation_is_taken(draw, encode):
    """An animated picture is its first frame."""
    frames = [draw(seed, mode="P") for seed in (9, 10)]
    moving = decode(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    still = decode(encode(frames[0], "GIF"))
    assert np.array_equal(np.asarray(moving.convert("RGB")), np.asarray(still.convert("RGB")))


def test_each_kind_of_bad_file_has_its_reason(draw, encode):
    """Empty, foreign, truncated and oversized files are told apart."""
    with pytest.raises(Unusable, match=r"^empty file$"):
        decode(b"")
    with pytest.raises(Unusable, match=r"^not an image$"):
        decode(b"file, class\n")
    with pytest.raises(Unusable, match=r"^broken: .*truncated"):
        decode(encode(draw(11), "JPEG")[:-400])
    with pytest.raises(Unusable, match=r"32 x 24 px, above the limit of 767 px .*decompression bombs.*--max-pixels"):
        decode(encode(draw(11)), reading=DecodeOptions(most_px=767))
    assert decode(encode(draw(11)), reading=DecodeOptions(most_px=768)).size == (32, 24)


def test_programs_are_never_run(encode, draw):
    """A PostScript file, which Pillow would hand to Ghostscript, is not an image here."""
    with pytest.raises(Unusable, match=r"^not an image but PostScript: render it to PNG$"):
        decode(encode(draw(12), "EPS"))


def test_a_reason_is_the_same_in_every_run():
    """One line, without the addresses that Python prints of objects."""
    assert decoding.reason(OSError("first\nsecond")) == "first"
    assert decoding.reason(ValueError(f"bad {object()}")) == "ValueError"
    assert decoding.reason(EOFError()) == "EOFError"


@pytest.mark.parametrize("seed", range(30))
def test_damaged_bytes_are_unusable_or_a_picture(draw, encode, seed):
    """Whatever a decoder raises for garbage, only Unusable comes out."""
    random = np.random.default_rng(seed)
    format = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")[seed % 6]
    encoded = bytearray(encode(draw(13), format))
    for place in random.integers(4, len(encoded), 12):
        encoded[place] = random.integers(0, 256)
    try:
        assert decode(bytes(encoded)).width > 0
    except Unusable as failure:
        assert "\n" not in str(failure) and str(failure)
