"""The peak memory of a scan of ten times as many images, each in a fresh process (bench/memory_child.py).

The files are one small picture each, made different by a number behind its end mark, which decoders do not read: what
a scan remembers of each image is what it would remember of different photographs. Of real networks, which see it at
64 x 64 px, one run of each length: nothing in it is drawn, and memory does not wait for others. Only the longer scan
joins shards (pipeline/scanning.py), so that what this takes is in the ratio.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from bench.pictures import picture
from bench.report import Aim, Line
from bench.timing import alternate
from bench.workshop import Workshop

AIM = Aim(shown="1.0", at_most=1.05)
SIDE = 64
TINY = "tiny"


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per network: the peak memory at the larger number of images over that at the smaller."""
    few, many = workshop.sizes.scans
    folders = {count: workshop.folder / f"{count} small" for count in (few, many)}
    for count, folder in folders.items():
        write_small(folder, count)
    for network, repeats in ((TINY, workshop.sizes.repeats), *((name, 1) for name in workshop.sizes.weighed)):
        peaks = {f"{count:,} images": partial(peak_of_scan, folder, network) for count, folder in folders.items()}
        low, high = peaks
        # Not counted: whoever reads a network first makes its graph, and still holds tens of MB of that when it scans.
        peak_of_scan(folders[few], network)
        yield Line(
            name=f"memory/{network}",
            what=f"peak memory of a scan: {many:,} / {few:,} images, {'a tiny network' if network == TINY else network}"
            f"{'' if repeats > 1 else ', one run'}",
            samples=alternate(peaks, repeats=repeats),
            above=(high,),
            below=(low,),
            aim=AIM,
            unit="MB",
        )


def write_small(folder: Path, count: int) -> None:
    """`count` JPEG files of 64 x 64 px, no two of the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = io.BytesIO()
    Image.fromarray(picture(np.random.default_rng(0))[:SIDE, :SIDE]).save(encoded, "JPEG")
    for index in range(count):
        (folder / f"{index:05d}.jpg").write_bytes(encoded.getvalue() + index.to_bytes(4, "big"))


def peak_of_scan(folder: Path, network: str) -> float:
    """The peak memory in MB of a process that scans all files of a folder."""
    command = [sys.executable, "-m", "bench.memory_child", str(folder), network]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=True)
    return float(done.stdout)
