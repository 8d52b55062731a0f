"""Whole builds by this checkout and by another one, in turns: each in a process of its own (bench/build_child.py).

Both get the same pictures and the same random weights, and a cache folder of their own. What is timed is the build
alone, from a network that is open to an atlas that is finished. In full size that is all units of five layers over
1,000 images; in the quick form n of 1,000 images get n / 1,000 of the units.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.building import WHOLE
from bench.machine import ROOT, sources
from bench.report import LeftOut, Line, at_least
from bench.subjects import subject
from bench.timing import alternate
from bench.workshop import Workshop

# Of AlexNet all layers with maps; of MobileNetV2 what the last block of each width gives, from 24 to 160 channels.
NETWORKS = {"alexnet": (), "mobilenet_v2": tuple(f"features.{block}" for block in (3, 6, 10, 13, 16))}
AIM = at_least(1.6)
CHILD = Path(__file__).with_name("build_child.py")


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per network: the other checkout's seconds over ours. Raises LeftOut without another checkout."""
    if workshop.old is None:
        raise LeftOut("no other checkout was given with --old")
    images, turns = workshop.sizes.beside
    pictures = workshop.folder / "beside"
    pictures.mkdir()
    for path in workshop.paths[:images]:
        (pictures / path.name).symlink_to(path.absolute())
    checkouts = {f"old, {str(sources(workshop.old)['commit'])[:7]}": workshop.old, "new": ROOT}
    old, new = checkouts
    for name, chosen in NETWORKS.items():
        layers = [layer for layer in subject(name).layers if not chosen or layer.name in chosen]
        units = str(mean_units([layer.units for layer in layers], images / WHOLE)) if images < WHOLE else "all"
        asked = (name, ",".join(layer.name for layer in layers), units, str(pictures))
        yield Line(
            name=f"beside/{name}",
            what=f"a whole build, old / new, {name}, {images} images, {units} units of each of {len(layers)} layers",
            samples=alternate(
                {which: partial(seconds_of_build, root, workshop.folder / which[:3], asked)
                 for which, root in checkouts.items()},
                repeats=turns,
            ),
            above=(old,),
            below=(new,),
            aim=AIM,
        )  # fmt: skip


def mean_units(units: Sequence[int], share: float) -> int:
    """So many units of each layer are a share of all units; at least one."""
    return max(1, round(sum(units) / len(units) * share))


def seconds_of_build(root: Path, folder: Path, asked: Sequence[str]) -> float:
    """What one build by a checkout took. asked: network, layers, units and pictures.

    Raises LeftOut with its last words where it fails.
    """
    folder.mkdir(exist_ok=True)
    out = folder / "beside.atlas"
    # -P: the child's own folder, which is of this checkout, is no place to import from.
    command = [sys.executable, "-P", str(CHILD), *asked, str(out)]
    # The checkout first: what else the path names, packages beside the environment, stays.
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "LAYERSCOPE_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise LeftOut(f"the build by {'this' if root == ROOT else 'the other'} checkout failed: {_last(done.stderr)}")
    where, seconds = done.stdout.splitlines()[-1].split("\t")
    if not Path(where).is_relative_to(root.resolve()):
        raise LeftOut("the other checkout holds no layerscope: another one was imported in its place")
    return float(seconds)


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
