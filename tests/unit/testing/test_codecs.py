"""The laws of codecs: ours keep them, and what breaks one is found."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from layerscope.atlas.codecs import decode, encode, for_browsers
from layerscope.core.codecs import CODECS, Codec, is_lossy
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.registry import Registry
from layerscope.testing import codecs as laws

GRAY = np.full((3, 5, 3), 128, np.uint8)


def raw(pixels: np.ndarray, shows: str) -> bytes:
    return b"RAW!" + struct.pack("<HH", *pixels.shape[:2]) + zlib.compress(pixels.tobytes())


def raw_size(data: bytes) -> tuple[int, int]:
    height, width = struct.unpack_from("<HH", data, 4)
    return height, width


def unraw(data: bytes) -> np.ndarray:
    return np.frombuffer(zlib.decompress(data[8:]), np.uint8).reshape(*raw_size(data), 3)


RAW = Codec(name="raw", sentence="raw pixels", magic=b"RAW!", lossy=False, encode=raw, decode=unraw, size=raw_size)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch):
    """Puts a row among the codecs, as an installed package would."""

    def put(row: Codec) -> Codec:
        monkeypatch.setitem(CODECS.own, row.name, row)
        return row

    return put


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("row", CODECS.own.values(), ids=CODECS.own)
def test_our_codecs_keep_the_laws(row, law):
    """Every law, for every codec of the house."""
    law(row)


def test_a_codec_of_functions_keeps_the_laws(there):
    """A row that brings its own encode, decode and size is as good as one of Pillow's."""
    laws.laws(there(RAW))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (replace(RAW, encode=lambda pixels, shows: raw(pixels // 2 * 2, shows)), "off"),
        (replace(RAW, decode=lambda data: unraw(data)[::-1].copy()), "off"),
        (replace(RAW, size=lambda data: raw_size(data)[::-1]), "damaged"),
        (replace(RAW, lossy=True, encode=lambda pixels, shows: raw(np.roll(pixels, 20, 1), shows)), "off"),
        (replace(RAW, decode=lambda data: np.zeros((*raw_size(data), 3), np.uint8)), "off"),
        (replace(RAW, decode=lambda data: unraw(data + bytes(8))[:, :, :2]), "damaged"),
        (replace(RAW, sentence="Raw pixels."), "full stop"),
        (replace(RAW, media_type="text/html"), "no picture"),
        (replace(RAW, media_type="image/png"), "ending"),
        (replace(RAW, media_type="image/png", ending="png"), "is no|cannot identify"),
    ],
)  # fmt: skip
def test_what_breaks_a_law_is_found(there, broken, said):
    """One fault in a row, and some law does not hold."""
    there(broken)
    with pytest.raises((AssertionError, NotAnAtlas, OSError), match=said):
        laws.laws(broken)


def test_bytes_of_a_guest_that_no_browser_shows_become_a_png(there):
    """The pixels go out, exactly, under PNG's type; also where the row claims to be a script or a page."""
    for row in (RAW, replace(RAW, media_type="image/svg+xml", ending="svg")):
        there(row)
        shown, content = for_browsers(encode(GRAY, "raw"), "raw")
        assert shown.name == "png" and content.startswith(b"\x89PNG\r\n")
        assert np.array_equal(decode(content, "png"), GRAY)


def test_a_picture_of_a_codec_that_is_missing_says_what_to_install(there, monkeypatch):
    """Not installed at all, or without a package that it needs: one sentence, by name."""
    data = encode(GRAY, there(RAW).name)
    there(replace(RAW, needs=("nobody_has_this",), install="layerscope-raw"))
    with pytest.raises(
        NotAnAtlas, match=r"stored as .raw., and .* needs nobody_has_this: pip install 'layerscope-raw'"
    ):
        decode(data, "raw")
    monkeypatch.delitem(CODECS.own, "raw")
    with pytest.raises(NotAnAtlas, match='stored as "raw", which nothing here reads: install the package that adds'):
        decode(data, "raw")
    assert not is_lossy("raw") and is_lossy("jpeg") and not is_lossy("png")


@pytest.mark.parametrize("fails", [ValueError("odd"), RuntimeError(), ZeroDivisionError("x\ny")])
def test_a_codec_that_fails_is_told_in_one_sentence(there, fails):
    """Whatever a guest's functions raise; a lack of memory is not called damage."""

    def failing(*given):
        raise fails

    there(replace(RAW, encode=failing))
    with pytest.raises(UsageError, match=r'codec "raw" cannot encode \[3, 5, 3\]') as raised:
        encode(GRAY, "raw")
    assert "\n" not in str(raised.value)
    there(replace(RAW, decode=failing))
    with pytest.raises(NotAnAtlas, match="its raw bytes cannot be decoded"):
        decode(raw(GRAY, ""), "raw")


def test_a_lack_of_memory_is_not_called_damage(there):
    """It comes through as it is: the atlas is sound."""

    def failing(*given):
        raise MemoryError

    data = encode(GRAY, there(RAW).name)
    for row in (replace(RAW, decode=failing), replace(RAW, size=failing)):
        there(row)
        with pytest.raises(MemoryError):
            decode(data, "raw")


@pytest.mark.parametrize(
    "given", [{}, {"format": "PNG", "encode": raw}, {"encode": raw, "decode": unraw}, {"format": "PNG", "magic": b""}]
)
def test_a_row_that_is_not_whole_is_refused(given):
    """A format of Pillow, or all three functions; and bytes that can be told."""
    with pytest.raises(ValueError, match='the codec "half" needs'):
        Codec(**{"name": "half", "sentence": "half", "magic": b"HALF", "lossy": False, **given})


def test_every_codec_is_one_row():
    """The registry is one, and what it lists is what `build --codec` takes."""
    assert isinstance(CODECS, Registry) and CODECS.names[:4] == ("jpeg", "webp", "webp-lossless", "png")
