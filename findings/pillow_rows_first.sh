#!/usr/bin/env bash
# Pillow 13.0.0: Image.resize gives other px than Pillow 12.0.0 did, by one level of 255 and more, for tall pictures.
#
# A good guess: a minor matter such as the order of its two passes does not show, so a network's inputs, hashes of pictures and
# reference images are those of before.
# What it does: from 13 on the rows are resized first where they lose more than twice as many px as the columns do (a picture
# of 165 x 100 px to 64 x 50, and none of 164 x 100); before, the columns always were. Each pass rounds to whole levels, so
# that the order tells. Landscape pictures keep their px. Whoever resizes like Pillow, in a browser or elsewhere, must know
# for which one. Linux x86-64, Python 3.11, numpy 2.4.6.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import numpy as np
import PIL
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR


def order(rows, cols):
    """Which axis goes first, told by two resizings of one axis each."""
    drawn = np.random.default_rng(0).integers(0, 256, (rows, cols, 3)).astype(np.uint8)
    picture = Image.fromarray(drawn)
    whole = np.asarray(picture.resize((50, 64), BILINEAR))
    columns = np.asarray(picture.resize((50, rows), BILINEAR).resize((50, 64), BILINEAR))
    lines = np.asarray(picture.resize((cols, 64), BILINEAR).resize((50, 64), BILINEAR))
    return "columns" if np.array_equal(whole, columns) else "rows" if np.array_equal(whole, lines) else "neither"


print(f"Pillow {PIL.__version__}: 164 x 100 px, {order(164, 100)} first; 165 x 100 px, {order(165, 100)} first")
PYTHON
found=""
for version in 12.0.0 13.0.0; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/pip" install --quiet --disable-pip-version-check "pillow==$version" "numpy==2.4.6"
    found+=$("$place/$version/bin/python" "$place/ask.py")$'\n'
done
printf '%s' "$found"
[ "$found" = "Pillow 12.0.0: 164 x 100 px, columns first; 165 x 100 px, columns first
Pillow 13.0.0: 164 x 100 px, columns first; 165 x 100 px, rows first
" ]
echo "as seen"
