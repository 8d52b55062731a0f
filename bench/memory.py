"""The peak memory of a scan of ten times as many images, each in a fresh process (bench/memory_child.py).

The files are one small picture each, made different by a number behind its end mark, which decoders do not read: what
a scan remembers of each image is what it would remember of different photographs.
"""

import io
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from bench.pictures import picture
from bench.report import Aim, Line
from bench.timing import Ratio, alternate
from bench.workshop import Workshop

AIM = Aim(shown="1.0", at_most=1.05)
SIDE = 64


def measure(workshop: Workshop) -> list[Line]:
    """One line: the peak memory at the larger number of images over that at the smaller."""
    few, many = workshop.sizes.scans
    folders = {count: workshop.folder / f"{count} small" for count in (few, many)}
    for count, folder in folders.items():
        write_small(folder, count)
    contenders = {f"{count:,} images": partial(peak_of_scan, folder) for count, folder in folders.items()}
    found = alternate(contenders, repeats=workshop.sizes.repeats)
    low, high = found.values()
    return [
        Line(
            what=f"peak memory of a scan: {many:,} / {few:,} images",
            medians={name: median(values) for name, values in found.items()},
            ratio=Ratio.of_pairs(high, low),
            aim=AIM,
            unit="MB",
        )
    ]


def write_small(folder: Path, count: int) -> None:
    """`count` JPEG files of 64 x 64 px, no two of the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = io.BytesIO()
    Image.fromarray(picture(np.random.default_rng(0))[:SIDE, :SIDE]).save(encoded, "JPEG")
    for index in range(count):
        (folder / f"{index:05d}.jpg").write_bytes(encoded.getvalue() + index.to_bytes(4, "big"))


def peak_of_scan(folder: Path) -> float:
    """The peak memory in MB of a process that scans all files of a folder."""
    command = [sys.executable, "-m", "bench.memory_child", str(folder)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=True)
    return float(done.stdout)
