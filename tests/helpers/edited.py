"""worldnet with units changed by hand, and atlases of it: what a comparison of two atlases has to find is known.

The atlases hold what a scan finds, from one forward pass of PyTorch: no tiles.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from layerscope.atlas.records import NodeRecord, RunRecord
from layerscope.atlas.write import AtlasWriter
from layerscope.core.geometry import Field, Window
from layerscope.core.records import HISTOGRAM_EDGES, ImageRecord, Input, LayerRecord, Peaks, UnitStatistics
from layerscope.models.named import NAMED, further_weights, shipped_weights
from layerscope.scan import SampledMaxima, most_sampled, neighbours_of, strata_of
from layerscope.world import CLASSES, World

K, SEED = 9, 3
LAYERS = tuple(f"layer{place}.relu" for place in range(1, 6))
# The shipped weights of three trainings.
TRAININGS = (shipped_weights("worldnet"), *further_weights("worldnet"))
Weights = dict[str, Tensor]


@dataclass
class Edited:
    """A training's weights, and what was done to them. layer: 1 to 5. touched: units of that layer."""

    weights: Weights
    layer: int
    touched: set[int] = field(default_factory=set)

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights and biases of the layer, and the weights that take its units further."""
        name, onward = f"layer{self.layer}.conv", f"layer{self.layer + 1}.conv" if self.layer < 5 else "classes"
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], self.weights[f"{onward}.weight"]

    def swap(self, one: int, other: int, *, onward: bool = True) -> None:
        """Two units change places. onward: with the weights that take them further, so that nothing else changes."""
        weight, bias, further = self._parts()
        for part in (weight, bias, *([further.transpose(0, 1)] if onward else [])):
            part[[one, other]] = part[[other, one]].clone()
        self.touched |= {one, other}

    def copy(self, one: int, onto: int) -> None:
        """A unit becomes the same as another."""
        for part in self._parts()[:2]:
            part[onto] = part[one].clone()
        self.touched.add(onto)

    def kill(self, unit: int) -> None:
        """A unit that never fires."""
        for part in self._parts()[:2]:
            part[unit] = 0
        self.touched.add(unit)

    def replace(self, unit: int, other: Weights) -> None:
        """A unit becomes that of another training."""
        name = f"layer{self.layer}.conv"
        for part, kind in zip(self._parts()[:2], ("weight", "bias"), strict=True):
            part[unit] = other[f"{name}.{kind}"][unit].clone()
        self.touched.add(unit)


def weights_of(training: int) -> Weights:
    """The weights of a training, by name, to be changed."""
    found = load_file(TRAININGS[training])
    return {name: value.float().clone() for name, value in found.items()}


@cache
def pictures(count: int) -> tuple[Tensor, tuple[int, ...]]:
    """Pictures of the world as the network takes them, and their classes."""
    world, expected = World(count, seed=SEED), NAMED["worldnet"].input
    pixels = np.stack([np.asarray(world[place][0]) for place in range(count)]).astype(np.float32) / 255
    normed = (pixels - np.float32(expected.mean)) / np.float32(expected.std)
    return torch.from_numpy(normed).permute(0, 3, 1, 2).contiguous(), tuple(world.targets)


def atlas_of(weights: Weights, path: Path, *, count: int, classes: bool = True, images: Iterable[int] = ()) -> Path:
    """The atlas of these weights over so many pictures, or over these; its path. classes: the pictures have any."""
    pixels, labels = pictures(count)
    kept = list(images) or list(range(count))
    maxima = _maxima(weights, pixels[kept])
    digest = hashlib.sha256()
    for value in weights.values():
        digest.update(value.numpy().tobytes())
    run = RunRecord(
        network="worldnet", images=f"World ({len(kept)} items)", k=K, methods=(), input=Input(height=64, width=64),
        fingerprint={"weights": digest.hexdigest(), "images": f"{kept}"},
    )  # fmt: skip
    with AtlasWriter.create(path) as writer:
        writer.start_run(run)
        with writer.transaction():
            names = [CLASSES[labels[image]] if classes else None for image in kept]
            writer.put_images(
                ImageRecord(id=place, source=f"{image}.png", sha256=f"{image:064x}", height=64, width=64, label=name)
                for place, (image, name) in enumerate(zip(kept, names, strict=True))
            )
            numbers = np.array([labels[image] for image in kept]) if classes else np.full(len(kept), -1)
            writer.put_statistic("classes", list(CLASSES) if classes else [])
            counts = np.bincount(numbers, minlength=len(CLASSES)) if classes else np.zeros(0, int)
            writer.put_statistic("class_counts", counts.tolist())
            for place, (name, (highest, where)) in enumerate(zip(LAYERS, maxima, strict=True)):
                _put_layer(writer, place, name, highest, where, numbers)
        writer.finish_run()
    return path


@torch.no_grad()
def _maxima(weights: Weights, pixels: Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each layer the maximum of every image and unit, and its place in the map."""
    model = NAMED["worldnet"].plain(len(CLASSES)).eval()
    model.load_state_dict(weights)
    found: list[Any] = []
    parts = []
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda m, i, o: found.append(o.flatten(2).max(2)))
        for name in LAYERS
    ]
    for batch in pixels.split(64):
        model(batch)
        parts.append(list(found))
        found.clear()
    for hook in hooks:
        hook.remove()
    return [
        (
            torch.cat([part[place].values for part in parts]).numpy(),
            torch.cat([part[place].indices for part in parts]).int().numpy(),
        )
        for place in range(len(LAYERS))
    ]


def _put_layer(
    writer: AtlasWriter, place: int, name: str, highest: np.ndarray, where: np.ndarray, labels: np.ndarray
) -> None:
    images, units = highest.shape
    side = 32 if place == 0 else 16
    window = Window(size=(7, 19, 27, 35, 43)[place], step=2 if place == 0 else 4, start=-3)
    layer = LayerRecord(
        name=name, path=name, node=place, kind="relu", units=units, map=(side, side),
        field=Field(rows=window, cols=window), auto=True, rectified=True,
    )  # fmt: skip
    order = np.argsort(-highest, axis=0, kind="stable")[:K].T
    values = np.take_along_axis(highest.T, order, 1)
    peaks = Peaks.empty(units, K)
    there = values > 0
    peaks.value[there], peaks.image[there] = values[there], order[there]
    rows, cols = np.divmod(np.take_along_axis(where.T, order, 1), side)
    peaks.row[there], peaks.col[there] = rows[there], cols[there]
    bins = np.searchsorted(HISTOGRAM_EDGES, highest)
    histogram = np.stack([np.bincount(column, minlength=len(HISTOGRAM_EDGES) + 1) for column in bins.T])
    means = np.stack([highest[labels == number].sum(0) for number in range(len(CLASSES))], 1)
    means /= np.maximum([(labels == number).sum() for number in range(len(CLASSES))], 1)
    writer.put_nodes([NodeRecord(id=place, name=name, op="relu", module=name, shape=(units, side, side))])
    writer.put_layer(place, layer)
    writer.put_units(
        place,
        UnitStatistics(
            mean=highest.mean(0), std=highest.std(0), maximum=highest.max(0),
            images_above=(highest > 0).mean(0).astype(np.float32),
            positions_above=(highest > 0).mean(0).astype(np.float32), histogram=histogram,
            class_means=means.astype(np.float32) if labels.max() >= 0 else np.zeros((units, 0), np.float32),
        ),
    )  # fmt: skip
    writer.put_peaks(place, peaks, layer.field)
    chosen = np.sort(np.random.default_rng(0).permutation(images)[: most_sampled([layer])])
    sampled = SampledMaxima(chosen, highest[chosen], where[chosen])
    writer.put_strata(place, strata_of(sampled, layer))
    writer.put_neighbours(place, neighbours_of(sampled))


def edited(training: int, layer: int, other: Weights, units: Sequence[int]) -> Edited:
    """A training in one of whose layers, of eight units, two changed places with all that hangs on them, two without,
    one is a copy of another, one is dead, and one is that of another training."""
    made = Edited(weights_of(training), layer)
    made.swap(units[0], units[1])
    made.swap(units[2], units[3], onward=False)
    made.copy(units[4], onto=units[5])
    made.kill(units[6])
    made.replace(units[7], other)
    return made
