#!/usr/bin/env bash
# datasets 5.2.0: save_to_disk cuts the folders off an image's name, to_parquet keeps them.
#
# A good guess: both write the rows as they are, so that a.jpg of two classes stays "cat/a.jpg" and "dog/a.jpg" either way.
# What it does, run here with pyarrow 26.0.1, Linux, Python 3.11: what load_from_disk gives back is called "a.jpg" twice;
# the Parquet file holds both names whole.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import io
import sys

import datasets
import pyarrow.parquet
from PIL import Image

content = io.BytesIO()
Image.new("RGB", (4, 3)).save(content, "PNG")
rows = {"image": [{"bytes": content.getvalue(), "path": f"{kind}/a.jpg"} for kind in ("cat", "dog")]}
made = datasets.Dataset.from_dict(rows, features=datasets.Features({"image": datasets.Image(decode=False)}))
made.save_to_disk(f"{sys.argv[1]}/saved")
made.to_parquet(f"{sys.argv[1]}/a.parquet")
saved = [row["image"]["path"] for row in datasets.load_from_disk(f"{sys.argv[1]}/saved")]
parquet = [one["path"] for one in pyarrow.parquet.read_table(f"{sys.argv[1]}/a.parquet")["image"].to_pylist()]
print(f"datasets {datasets.__version__}: saved {saved}, Parquet {parquet}")
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pillow==13.0.0 fsspec==2026.9.0
seen=$(HF_HUB_OFFLINE=1 HF_HOME="$place/home" "$place/env/bin/python" "$place/ask.py" "$place" 2>/dev/null)
echo "$seen"
expected="datasets 5.2.0: saved ['a.jpg', 'a.jpg'], Parquet ['cat/a.jpg', 'dog/a.jpg']"
[ "$seen" = "$expected" ]
