"""Peaks by an engine that only proposes beside those of a plain scan: the same images, places and values, bit for bit.

Pictures differ in strength, as photographs do, so that a bound leaves some of them out; and they are more than a bound
is measured on, so that it has not seen them all.
"""

import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import layerscope as ls
from families.cast import cast
from families.kinds import Given
from layerscope.atlas.write import AtlasWriter
from layerscope.core.engines import ENGINES, opened
from layerscope.core.progress import Clock
from layerscope.core.records import Peaks
from layerscope.graph import Program
from layerscope.pipeline.beginning import note
from layerscope.pipeline.scanning import Scanning
from layerscope.pipeline.settings import Settings
from layerscope.sources import open_source
from layerscope.testing.watching import Log

# So many pictures lie in two shards, and are twice those that a bound is measured on.
ENGINE, COUNT, KEPT = "bfloat16", 140, 3
# What the engine says, and what it means.
SAID = {"does not propose here": "declined", "go without it": "declined", "further off than its bound": "fell back"}


def check(net: ls.Network, given: Given, layers: list[ls.Layer]) -> dict[str, Any]:
    """Of all layers that `auto` means, and of the narrowest of them alone: of thousands of units one or the other may
    need any picture, of few units most pictures are left out. Each has differ: units whose peaks are other ones; at:
    the first layer of such. outcome: "decided", "declined" where the engine proposed nothing, "fell back" where a bound
    did not hold and every picture was run again; why: what it said of that. images: how many pictures. again: how many
    of them were run again. share: of the pairs of units and pictures, those that might have been a peak."""
    program, everything = _in_float32(net, given)
    auto = [layer for layer in everything if layer.auto] or list(everything)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _written(folder / "pictures", net.input)
        whole = _compared(program, net.input, auto, folder)
        narrow = _compared(program, net.input, [min(auto, key=lambda layer: layer.units)], folder)
    return whole | {"narrow": narrow}


def _in_float32(net: ls.Network, given: Given) -> tuple[Program, Sequence[ls.Layer]]:
    """The same program, and its layers; opened anew where a call of its own names the type that it was opened in."""
    named = any(value is torch.float64 for node in net.program.graph.nodes for value in node.args.values())
    if named and given.module is not None:
        net = ls.trace(deepcopy(given.module).float(), given.input)
    return cast(net.program, torch.float32), net.layers


def _compared(program: Program, input: ls.Input, layers: list[ls.Layer], folder: Path) -> dict[str, Any]:
    """Some layers by both; see `check`."""
    exact, _, _ = _scanned(program, input, layers, folder, "local")
    found, said, kept = _scanned(program, input, layers, folder, ENGINE)
    differ = {layer.name: _differing(exact[layer.node], found[layer.node]) for layer in layers}
    units, (outcome, why) = sum(layer.units for layer in layers), _telling(said)
    return {
        "differ": sum(differ.values()), "at": next((name for name, count in differ.items() if count), ""),
        "layers": len(layers), "units": units, "outcome": outcome, "why": why, "images": COUNT,
        "again": kept["run again"], "share": round(kept["candidates"] / (units * COUNT), 4),
    }  # fmt: skip


def _scanned(
    program: Program, input: ls.Input, layers: list[ls.Layer], folder: Path, engine: str
) -> tuple[dict[int, Peaks], list[str], dict[str, int]]:
    """The peaks by node, what was said, and how much was run again."""
    log, source, settings = Log(), open_source(folder / "pictures"), Settings(k=KEPT)
    with AtlasWriter.create(folder / "a.atlas", overwrite=True) as writer, opened(ENGINES[engine], 1) as at_work:
        note(
            writer, program.graph, network="", images=source.name, input=input, settings=settings, fingerprint={},
            replay=None,
        )  # fmt: skip
        scanning = Scanning(writer, program, layers, source, input, k=KEPT, seed=0, engine=at_work, threads=1)
        scanning.run(log, Clock())
        kept = writer.statistic("engine") or {"run again": 0}
        by_layer = [writer.statistic("engine", layer=layer.node) or {"candidates": 0} for layer in layers]
    peaks = {layer.node: scanning.totals.peaks(layer.node) for layer in layers}
    return peaks, log.said, {**kept, "candidates": sum(one["candidates"] for one in by_layer)}


def _telling(said: list[str]) -> tuple[str, str]:
    """The outcome, and the sentence that tells it."""
    for words, outcome in SAID.items():
        for sentence in said:
            if words in sentence:
                return outcome, sentence
    return "decided", ""


def _differing(exact: Peaks, found: Peaks) -> int:
    """Units of a layer whose peaks are not the same; where there is no peak there is no value and no place."""
    there = exact.image >= 0
    same = exact.image == found.image
    for name in ("value", "row", "col"):
        same &= ~there | (getattr(exact, name) == getattr(found, name))
    return int((~same.all(1)).sum())


def _written(folder: Path, expected: ls.Input) -> None:
    """Pictures of the input's own size, of patches and noise: of other patches, colours and strengths each."""
    folder.mkdir()
    random, colours = np.random.default_rng(5), 3 if expected.channels == 3 else 1
    size = expected.height, expected.width
    for number in range(COUNT):
        cells = int(random.integers(2, 9))
        coarse = random.uniform(-1, 1, (cells, cells, colours))
        rows, cols = (np.arange(side) * cells // side for side in size)
        drawn = coarse[rows][:, cols] + random.uniform(0, 1) * random.uniform(-1, 1, (*size, colours))
        level, strength = random.uniform(60, 195, colours), random.uniform(10, 100)
        pixels = np.clip(level + strength * drawn, 0, 255).astype(np.uint8)
        Image.fromarray(pixels if colours == 3 else pixels[:, :, 0]).save(folder / f"{number:03}.png")
