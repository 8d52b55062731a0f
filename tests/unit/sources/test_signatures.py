"""Bytes are named for what they are; each sample is written by hand, by the format's own specification or library."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import wave
import zipfile

import numpy as np
import pytest
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.sources import open_source
from layerscope.sources.decode import Unusable, decode
from layerscope.sources.signatures import KINDS, format_of_bytes, format_of_name

INPUT = Input(height=8, width=8)


def saved(save):
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def zipped(name):
    return saved(lambda file: zipfile.ZipFile(file, "w").writestr(name, b"words"))


def tarred():
    return saved(lambda file: tarfile.open(fileobj=file, mode="w").addfile(tarfile.TarInfo("a")))


def sound(file):
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 1, 8000, 0, "NONE", ""))


def box(brands):
    """The first box of an ISO media file."""
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands


PICTURE = Image.new("RGB", (4, 4))
UNREAD = {
    "HEIC": box(b"heic\0\0\0\0mif1heic"),
    "HEIC ": box(b"mif1\0\0\0\0mif1heicmiaf"),
    "JPEG XL": b"\xff\x0a\xfa\x1f",
    "JPEG XL ": b"\0\0\0\x0cJXL \r\n\x87\n",
    "JPEG XR": b"II\xbc\x01",
    "Photoshop": b"8BPS\0\1" + b"\0" * 20,
    "GIMP": b"gimp xcf v011\0",
    "OpenEXR": b"v/1\x01\2\0\0\0",
    "Radiance": b"#?RADIANCE\n",
    "Windows icon": saved(lambda file: PICTURE.save(file, "ICO", sizes=[(4, 4)])),
    "Mac icon": saved(lambda file: PICTURE.resize((32, 32)).save(file, "ICNS")),
    "QOI": b"qoif" + struct.pack(">II", 4, 4),
    "DDS": saved(lambda file: PICTURE.save(file, "DDS")),
    "SGI": saved(lambda file: PICTURE.save(file, "SGI")),
    "PCX": saved(lambda file: PICTURE.save(file, "PCX")),
    "raw": b"II*\0\x10\0\0\0CR\2\0",
    "raw ": box(b"crx \0\0\0\1crx isom"),
    "DICOM": b"\0" * 128 + b"DICM\2\0",
    "FITS": b"SIMPLE  =                    T",
    "NIfTI": struct.pack("<I", 348) + b"\0" * 340 + b"n+1\0",
}
NO_IMAGES = {
    "SVG": b'<?xml version="1.0"?>\n<!-- by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "web page": b"<!DOCTYPE html><html><body>403 Forbidden</body></html>",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    "SQLite": b"SQLite format 3\0" + b"\0" * 90,
    "PDF": saved(lambda file: PICTURE.save(file, "PDF")),
    "PostScript": saved(lambda file: PICTURE.save(file, "EPS")),
    "NumPy": saved(lambda file: np.save(file, np.zeros(3))),
    "NumPy ": saved(lambda file: np.savez(file, x=np.zeros(3))),
    "ZIP": zipped("a.jpg"),
    "gzip": gzip.compress(saved(lambda file: PICTURE.save(file, "JPEG"))),
    "bzip2": bz2.compress(b"words"),
    "xz": lzma.compress(b"words"),
    "Zstandard": b"\x28\xb5\x2f\xfd\x04\0",
    "7-Zip": b"7z\xbc\xaf\x27\x1c\0\4",
    "RAR": b"Rar!\x1a\x07\x01\0",
    "tar": tarred(),
    "Parquet": b"PAR1\x15\4",
    "HDF5": b"\x89HDF\r\n\x1a\n\0",
    "MATLAB": b"MATLAB 5.0 MAT-file, Platform: GLNXA64",
    "pickle": pickle.dumps([1, 2]),
    "video": box(b"isom\0\0\2\0isommp41"),
    "video ": b"\x1a\x45\xdf\xa3\x01",
    "sound": saved(sound),
    "Mac's side file": b"\0\5\x16\x07\0\2\0\0Mac OS X",
    "zero bytes": b"\0" * 700,
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_picture_that_is_not_read_is_named_with_a_way_out(name):
    """Whatever the file is called."""
    with pytest.raises(Unusable, match=name.strip()) as failure:
        decode(UNREAD[name], name="photo.png")
    assert ": " in str(failure.value) and "not an image" not in str(failure.value)


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_picture_is_named_for_what_it_is(name):
    """In place of "not an image" alone."""
    with pytest.raises(Unusable, match=f"^not an image but .*{name.strip()}.*: "):
        decode(NO_IMAGES[name], name="photo.jpg")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_is_read_is_told_as_that(format, mode):
    """The table knows what Pillow writes, and holds nothing against it."""
    encoded = saved(lambda file: PICTURE.convert(mode).save(file, format))
    kind = format_of_bytes(encoded)
    assert kind is not None and kind.image and not kind.advice and decode(encoded).size == (4, 4)


@pytest.mark.parametrize(
    "content", [b"file, class\n", json.dumps({"a": 1}).encode(), b"BMW 3\n", b"P1 of 3\n", b"ID3,x"]
)
def test_text_is_told_as_nothing(content):
    """However it begins."""
    assert format_of_bytes(content) is None


def test_every_suffix_stands_in_one_row():
    """So that a name tells one kind."""
    suffixes = [suffix for kind in KINDS for suffix in kind.suffixes.split()]
    assert len(set(suffixes)) == len(suffixes) and all(format_of_name(f"x{suffix.upper()}") for suffix in suffixes)


def test_a_raw_file_is_not_taken_for_its_thumbnail(draw, encode):
    """NEF and DNG are TIFFs, whose first picture is a thumbnail."""
    for name in ("DSC_0001.NEF", "photo.dng"):
        with pytest.raises(Unusable, match="raw file: develop it"):
            decode(encode(draw(0), "TIFF"), name=name)
    with pytest.raises(Unusable, match="raw file: develop it"):
        decode(encode(draw(0), "TIFF", tiffinfo={50706: b"\1\4\0\0"}), name="renamed.tif")


def tiff(bands, bits, format):
    """A TIFF of 2 x 2 px by hand, of any kind of samples."""
    tags = {256: 2, 257: 2, 258: bits, 259: 1, 262: 1, 273: 200, 277: bands, 278: 2, 279: 4 * bands * bits // 8,
            339: format}  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0"
    return head.ljust(200, b"\0") + b"\1" * (4 * bands * bits // 8)


@pytest.mark.parametrize(
    "bands, bits, format, reason",
    [
        (1, 16, 2, "16-bit signed gray values"),
        (1, 32, 2, "32-bit signed gray values have no known range"),
        (1, 32, 1, "32-bit unsigned gray values have no known range"),
        (1, 32, 3, "32-bit floating-point gray values have no known range"),
        (1, 64, 3, "64-bit floating-point gray values have no known range"),
        (13, 16, 1, "a TIFF of 13 bands of 16-bit unsigned values, which is not read: give the arrays as a Dataset"),
        (5, 32, 3, "a TIFF of 5 bands of 32-bit floating-point values"),
    ],
)
def test_a_tiff_is_refused_for_what_its_samples_are(capfd, bands, bits, format, reason):
    """By their type, not by the values of one slice; and Pillow says nothing on the screen."""
    with pytest.raises(Unusable, match=reason):
        decode(tiff(bands, bits, format))
    assert capfd.readouterr() == ("", "")


def test_all_slices_of_a_series_fare_alike(tmp_path):
    """Signed 16-bit slices are refused whether or not one holds a value below zero; unsigned ones are read."""
    for number, value in enumerate((-1000, -20, 40, 1200)):
        Image.fromarray(np.full((8, 8), abs(value), np.uint16)).save(tmp_path / f"u{number}.tif")
        (tmp_path / f"s{number}.tif").write_bytes(tiff(1, 16, 2)[:200] + struct.pack("<4h", *[value] * 4))
    skipped = {record.source: record.skipped for record in open_source(tmp_path).check()}
    assert set(skipped) == {f"s{number}.tif" for number in range(4)} and len(set(skipped.values())) == 1


@pytest.mark.parametrize(
    "name, reason",
    [
        ("photos.zip", "a ZIP archive: name it zip://FOLDER::FILE.zip, or unpack it"),
        ("data.npz", "NumPy arrays: give its arrays as a Dataset"),
        ("IMG_0001.HEIC", "an HEIC photograph: convert it"),
        ("scan.TGA", "a TGA picture: convert it"),
        ("notes.txt", "not an image$"),
    ],
)
def test_what_is_given_alone_is_named(tmp_path, name, reason):
    """One file that holds no picture is one sentence."""
    contents = {"photos.zip": NO_IMAGES["ZIP"], "data.npz": NO_IMAGES["NumPy "], "IMG_0001.HEIC": UNREAD["HEIC"]}
    (tmp_path / name).write_bytes(contents.get(name, b"words"))
    for images in (tmp_path / name, tmp_path):
        with pytest.raises(ImageError, match=f'no image can be read in .*"{name}": .*{reason}'):
            open_source(images)


@pytest.mark.parametrize("name", ["photos.tar.bz2", "photos.tar.zst", "photos.tar.xz"])
def test_a_compressed_archive_is_told_as_one(tmp_path, name):
    """Whatever its ending, but those of gzip, which are read."""
    (tmp_path / name).write_bytes(gzip.compress(tarred()))
    with pytest.raises(ImageError, match=r"is not a plain \.tar file"):
        open_source(tmp_path / name)
