"""Small training runs: drawn pictures of three classes, a recipe of a few short steps, weights to compare."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.torch import load_file

from layerscope.training import train
from layerscope.training.recipe import Phase, Recipe

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


def weights(out: Path) -> bytes:
    """The last weights of a run, bit for bit. (In a file's header the order of the notes is drawn by lot.)"""
    held = load_file(out / "last.safetensors")
    return b"".join(name.encode() + held[name].numpy().tobytes() for name in sorted(held))
