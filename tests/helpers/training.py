"""Small training runs: drawn pictures of three classes, a recipe of a few short steps, weights to compare."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.torch import load_file

from layerscope.training import train
from layerscope.training.checkpoint import RunFolder
from layerscope.training.recipe import Phase, Recipe
from tests.helpers.building import Hook, die, dies_at_call

CLASSES = ("n00000001", "n00000002", "n00000003")
EACH = 8  # pictures of a class
# Two sizes, dropout, a last batch that is smaller than the others: 2 epochs of 3 steps over 21 pictures.
RECIPE = Recipe(phases=(Phase(side=16, epochs=1), Phase(side=24, epochs=1)), batch=8, dropout=0.2, shift=8)
STEPS = 3


def drawn(folder: Path, each: int = EACH, side: int = 20) -> Path:
    """Noise in red, green or blue, a folder for each class."""
    draws = np.random.default_rng(0)
    for channel, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = draws.integers(0, 120, (side, side, 3))
            pixels[..., channel] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


def small_run(data: Path, out: Path, **options: Any) -> list[dict[str, Any]]:
    """Train zfnet64 for a few steps."""
    return train("zfnet64", data, out, **{"recipe": RECIPE, **options})


def killed_run(data: Path, out: Path, *, step: int = 0, write: int = 0, keep_seconds: float = 0.0) -> int:
    """The same in a process that ends after so many steps, or in the middle of a write; the signal that ended it.

    A process of its own, for one forked from here could not train where autograd has run before.
    """
    words = [str(value) for value in (data, out, step, write, keep_seconds)]
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return -subprocess.run(
        [sys.executable, "-m", __name__, *words], env={**os.environ, **paths}, check=False
    ).returncode


def weights(out: Path) -> bytes:
    """The last weights of a run, bit for bit. (In a file's header the order of the notes is drawn by lot.)"""
    held = load_file(out / "last.safetensors")
    return b"".join(name.encode() + held[name].numpy().tobytes() for name in sorted(held))


if __name__ == "__main__":
    data, out, step, write, keep_seconds = sys.argv[1:]
    if int(write):
        dies_at_call(RunFolder, "_write", int(write))
    hook = Hook(stage_name="train", after=int(step) or -1, do=die)
    small_run(Path(data), Path(out), reporter=hook, keep_seconds=float(keep_seconds))
