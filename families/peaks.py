"""Peaks of a small build beside a plain loop over the same picture files through the network's own eager forward."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import layerscope as ls
from families.eager import outputs
from families.kinds import Given
from families.steep import allowed, moved
from layerscope.sources import open_source

COUNT, KEPT = 5, 3
# What float32's rounding may do to a value, as a share of the layer's largest.
BOUND = 1e-5


def check(net: ls.Network, given: Given, layers: list[ls.Layer]) -> dict[str, Any]:
    """wrong: units whose peaks are other images, or other values by more than float32's rounding. steep: where rounding
    of the pictures moves the loop itself by more than that, how far the peaks are off and how far it does; such a layer
    is held to the loop over the build's own pixels. eager: how many of the
    layers were looped over by the eager module, the others by the graph, picture by picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _written(folder / "pictures", net.input)
        inputs = [_prepared(file, net.input) for file in files]
        atlas = ls.build(
            net, folder / "pictures", folder / "a.atlas", layers=[layer.name for layer in layers], k=KEPT,
            methods=["deconvnet"], units=1, progress=False,
        )  # fmt: skip
        with atlas:
            pixels = open_source(folder / "pictures").load(range(COUNT), net.input).pixels
            return _compared(net, given, layers, inputs, list(pixels.astype(inputs[0].dtype)), atlas)


def _compared(
    net: ls.Network,
    given: Given,
    layers: list[ls.Layer],
    inputs: list[np.ndarray],
    pixels: list[np.ndarray],
    atlas: Any,
) -> dict[str, Any]:
    """pixels: the inputs as the build itself made them, to the last bit."""
    maxima, eager = _maxima(net, given, layers, inputs)
    wrong, units, worst, at, steep = 0, 0, 0.0, "", {}
    for layer in layers:
        best = maxima[layer.name]
        gaps = _gaps(best, layer, atlas)
        unit, gap = max(gaps.items(), key=lambda one: one[1])
        if gap >= BOUND:
            other, _ = _maxima(net, given, [layer], [moved(x, np.float32) for x in inputs])
            rounding = allowed(best, other[layer.name], float(np.abs(best).max()))
            if gap <= rounding or (gap == np.inf and rounding >= BOUND):
                # The last digit of a picture decides: then the loop is held to the build over the very same pixels.
                steep[layer.name] = [gap, rounding]
                best, finer = (
                    _maxima(net, given, [layer], own)[0][layer.name]
                    for own in (pixels, [moved(x, np.float64) for x in pixels])
                )
                gaps = _gaps(best, layer, atlas)
                unit, gap = max(gaps.items(), key=lambda one: one[1])
                rounding = allowed(best, finer, float(np.abs(best).max()))
                if BOUND <= gap <= rounding:  # float64's own last digit decides
                    steep[f"{layer.name}, the same pixels"] = [gap, rounding]
                    units += len(gaps)
                    continue
        units += len(gaps)
        wrong += sum(not found < BOUND for found in gaps.values())
        if not gap <= worst:
            worst, at = gap, f"{layer.name} {unit}"
    found = {"wrong": wrong, "units": units, "worst": worst, "at": at, "eager": len(eager), "layers": len(layers)}
    return found | {"steep": steep}


def _gaps(best: np.ndarray, layer: ls.Layer, atlas: Any) -> dict[int, float]:
    """By unit, how far its peaks are from the loop's."""
    scale = float(np.abs(best).max()) or 1.0
    return {
        unit: _gap(best[:, unit], atlas[layer.name][unit].peaks, layer.rectified, scale)
        for unit in range(0, layer.units, max(1, layer.units // 16))
    }


def _maxima(
    net: ls.Network, given: Given, layers: list[ls.Layer], inputs: list[np.ndarray]
) -> tuple[dict[str, np.ndarray], set[str]]:
    """By layer, every unit's maximum in each picture; and the layers that the eager module gave."""
    maxima: dict[str, list[np.ndarray]] = {layer.name: [] for layer in layers}
    eager: set[str] = set()
    for x in inputs:
        found = outputs(given.module, x, layers) if given.module is not None else {}
        eager |= set(found)
        for layer in layers:
            values = found.get(layer.name)
            if values is None:
                values = net.activations(x[None], layer.name)[0]
            maxima[layer.name].append(values.reshape(layer.units, -1).max(1))
    return {name: np.stack(found) for name, found in maxima.items()}, eager


def _gap(best: np.ndarray, kept: Any, rectified: bool, scale: float) -> float:
    """How far the peaks of a unit are from the loop's, as a share of the layer's largest; infinite where an image is
    missing, or is one of a lower maximum."""
    order = sorted(range(len(best)), key=lambda image: (-best[image], image))[:KEPT]
    order = [image for image in order if best[image] > 0 or not rectified]
    if len(order) != len(kept):
        close = rectified and float(np.sort(np.abs(best))[0]) / scale < 1e-6
        return 0.0 if close else float("inf")
    gaps = [
        max(abs(peak.value - best[image]), abs(best[peak.image] - best[image])) / scale
        for image, peak in zip(order, kept, strict=True)
    ]
    return max(gaps, default=0.0)


def _written(folder: Path, expected: ls.Input) -> list[Path]:
    """Pictures of the input's own size, so that none is resized."""
    folder.mkdir()
    random, files = np.random.default_rng(3), []
    shape = (expected.height, expected.width) + ((3,) if expected.channels == 3 else ())
    for number in range(COUNT):
        small = random.integers(0, 256, (4, 4, *shape[2:]))
        drawn = small.repeat(shape[0] // 4 + 1, 0).repeat(shape[1] // 4 + 1, 1)[: shape[0], : shape[1]]
        mixed = np.clip(drawn * 0.7 + random.integers(0, 77, shape), 0, 255).astype(np.uint8)
        files.append(folder / f"{number}.png")
        Image.fromarray(mixed).save(files[-1])
    return files


def _prepared(file: Path, expected: ls.Input) -> np.ndarray:
    """A picture as its Input says, by plain arithmetic."""
    pixels = np.asarray(Image.open(file), np.float64) / 255
    planes = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None]
    planes = planes[::-1] if expected.order == "BGR" else planes
    mean, std = (np.reshape(values, (-1, 1, 1)) for values in (expected.mean, expected.std))
    return (planes.astype(np.float32) - mean) / std
