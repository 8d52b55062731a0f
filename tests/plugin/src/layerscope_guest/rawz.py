"""A codec: raw pixels behind their height and width, compressed by zlib."""

import struct
import zlib

import numpy as np

from layerscope.core.codecs import Codec

MAGIC, HEAD = b"RAWZ", 8


def encode(pixels, shows):
    return MAGIC + struct.pack("<HH", *pixels.shape[:2]) + zlib.compress(pixels.tobytes(), 1)


def size(data):
    return struct.unpack_from("<HH", data, len(MAGIC))


def decode(data):
    height, width = size(data)
    raw = zlib.decompressobj().decompress(data[HEAD:], 3 * height * width)
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


rawz = Codec(
    name="rawz", sentence="exact: raw pixels, compressed by zlib", magic=MAGIC, lossy=False,
    encode=encode, decode=decode, size=size,
)  # fmt: skip
