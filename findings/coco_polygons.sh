#!/usr/bin/env bash
# pycocotools 2.0.11 and Pillow 13.0.0: one polygon is two masks.
#
# A good guess: a polygon of a COCO file is drawn by Pillow's ImageDraw.polygon as pycocotools fills it, but for px on
# the border here and there.
# What they do: of polygons with 3 to 11 corners about the middle of pictures of 20 to 80 px, ImageDraw marks 11 % more px
# in the mean: it takes whole px for corners and marks the border on all sides, where pycocotools has corners as points
# between px and fills what they enclose. A square from 2 to 10 has 64 px in one and 81 in the other. Masks that were
# drawn with Pillow are no masks of COCO.
# Pillow also brings gray PNG of 2 and 4 bits to 0..255, so that a mask's number 3 is read as 255 or 51; of 8 bits it
# stays. Linux x86-64, Python 3.11, numpy 2.4.6.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco


def filled(polygon, side):
    return coco.decode(coco.merge(coco.frPyObjects([polygon], side, side))).astype(bool)


def drawn(polygon, side):
    picture = Image.new("1", (side, side))
    ImageDraw.Draw(picture).polygon(polygon, fill=1)
    return np.asarray(picture)


def png(numbers, bits):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    line = int("".join(f"{number:0{bits}b}" for number in numbers), 2).to_bytes(len(numbers) * bits // 8, "big")
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", len(numbers), 1, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" + line)) + chunk(b"IEND", b"")


square = [2, 2, 10, 2, 10, 10, 2, 10]
print(f"a square from 2 to 10: pycocotools {filled(square, 20).sum()} px, Pillow {drawn(square, 20).sum()} px")
rng = np.random.default_rng(0)
ratios = []
while len(ratios) < 500:
    side, corners = int(rng.integers(20, 81)), int(rng.integers(3, 12))
    angles, far = np.sort(rng.uniform(0, 2 * np.pi, corners)), rng.uniform(0.2, 0.5, corners) * side
    polygon = np.stack([side / 2 + far * np.cos(angles), side / 2 + far * np.sin(angles)], 1).ravel().tolist()
    if filled(polygon, side).sum() > 20:
        ratios.append(drawn(polygon, side).sum() / filled(polygon, side).sum())
print(f"of 500 polygons Pillow marks {100 * np.mean(ratios) - 100:.0f} % more in the mean")
for bits in (2, 4, 8):
    numbers = [0, 1, 2, 3]
    print(f"gray of {bits} bits, {numbers}: {np.asarray(Image.open(io.BytesIO(png(numbers, bits))))[0].tolist()}")
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check "pycocotools==2.0.11" "pillow==13.0.0" "numpy==2.4.6"
found=$("$place/env/bin/python" "$place/ask.py")
printf '%s\n' "$found"
[ "$found" = "a square from 2 to 10: pycocotools 64 px, Pillow 81 px
of 500 polygons Pillow marks 11 % more in the mean
gray of 2 bits, [0, 1, 2, 3]: [0, 85, 170, 255]
gray of 4 bits, [0, 1, 2, 3]: [0, 17, 34, 51]
gray of 8 bits, [0, 1, 2, 3]: [0, 1, 2, 3]" ]
echo "as seen"
