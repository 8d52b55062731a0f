"""`layerscope dissect`: which unit of an atlas's network detects which concept, against pictures with known masks."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.concepts import BAR, Dissection, Figures, LayerDissection
from layerscope.core.errors import ImageError, UsageError

if TYPE_CHECKING:
    from layerscope.core.records import Input
    from layerscope.dissect import MaskedImages
    from layerscope.sources import Source

HEADER = ("layer", "measured on", ">units", ">dead", ">detectors", ">concepts", ">mean level", ">median score")
BEST = ("layer", ">unit", "concept", ">level", ">score", ">IoU", "Bau's concept")
SHOWN = 5
IMAGES = 1500


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Dissect, keep it in the atlas, and print the figures of every layer with its best units."""
    from layerscope.api.bars import Bars
    from layerscope.api.dissecting import dissect_atlas

    source, masked = pictures(arguments)
    bars = None if output.quiet else Bars()
    with bars or nullcontext():
        found = dissect_atlas(
            arguments.atlas, arguments.network, source, masked,
            weights=arguments.weights, seed=arguments.seed, say=output.remark, progress=bars,
        )  # fmt: skip
    output.result(data_of(arguments.atlas, found), text_of(found))
    return 0


def pictures(arguments: argparse.Namespace) -> "tuple[Source, MaskedImages]":
    """The pictures that the command names, and their masks. Raises UsageError and ImageError."""
    from layerscope.atlas.read import AtlasFile
    from layerscope.sources import open_source
    from layerscope.world import World

    if arguments.masks is None:
        with AtlasFile(arguments.atlas) as file:
            world = World(arguments.images or IMAGES, seed=arguments.seed, size=_side(file.run.input))
        return open_source(world), world
    return _from_folder(Path(arguments.masks).expanduser(), arguments.images)


def _side(input: "Input") -> int:
    """The size at which a square picture is not resized on its way into the network."""
    wanted = input.resize if input.resize is not None and input.crop == "center" else max(input.height, input.width)
    return min(max(wanted, 16), 1024)


def _from_folder(folder: Path, limit: int | None) -> "tuple[Source, MaskedImages]":
    from layerscope.dissect import Keyed
    from layerscope.sources import open_source
    from layerscope.world import MaskFolder

    if not folder.is_dir():
        raise UsageError(f'--masks "{folder}" is no folder; give one that layerscope world wrote')
    masks = MaskFolder(folder)
    images = folder / "images"
    if not images.is_dir() and not any(folder.glob("*.tar")):
        raise ImageError(f'"{folder}" holds masks but no pictures; write the world anew')
    source = open_source(images if images.is_dir() else sorted(folder.glob("*.tar")), limit=limit)
    return source, Keyed(masks, source)


def text_of(found: Dissection) -> str:
    """The figures of every layer above those of its baselines, then its best units."""
    rows = [row for layer in found.layers for row in _rows(layer)]
    best = [row for layer in found.layers for row in _best_rows(layer)]
    told = f"{words.counted(found.images, 'image')}, {words.counted(found.settings['concepts'], 'concept')}"
    head = f"{told}; a unit is named by the concept of the highest score, at least {BAR}"
    parts = [head, words.table(HEADER, rows)]
    parts += ["", words.table(BEST, best)] if best else ["no concept found for any unit"]
    return "\n".join(parts)


def _rows(layer: LayerDissection) -> list[tuple[object, ...]]:
    measured = {"its units": layer.figures} | {name: one.figures for name, one in layer.baselines.items()}
    measured["Bau's measure"] = layer.bau
    return [(layer.layer if not row else "", name, *_cells(f)) for row, (name, f) in enumerate(measured.items())]


def _cells(figures: Figures) -> tuple[object, ...]:
    level, median = figures.mean_concept_level, figures.median_score
    return (
        *(figures.units, figures.dead, figures.detectors, figures.distinct_concepts),
        *("" if level is None else f"{level:.2f}", "" if median is None else f"{median:.3f}"),
    )


def _best_rows(layer: LayerDissection) -> list[tuple[object, ...]]:
    rows = []
    for place, unit in enumerate(layer.strongest(SHOWN)):
        assert unit.best is not None
        numbers = (unit.best.level, f"{unit.best.score:.3f}", f"{unit.best.iou:.3f}")
        bau = unit.bau.concept if unit.bau else ""
        rows.append((layer.layer if not place else "", unit.unit, unit.best.concept, *numbers, bau))
    return rows


def data_of(path: str, found: Dissection) -> dict[str, Any]:
    """The same as plain values, with every named unit."""
    from dataclasses import asdict

    def layer_data(layer: LayerDissection) -> dict[str, Any]:
        named = [{"unit": unit.unit, **asdict(unit.best)} for unit in layer.strongest(len(layer.units)) if unit.best]
        return {
            "name": layer.layer,
            **asdict(layer.figures),
            "bau": asdict(layer.bau),
            "baselines": {name: asdict(one) for name, one in layer.baselines.items()},
            "named": named,
        }

    return {
        "atlas": path,
        "images": found.images,
        "settings": dict(found.settings),
        "layers": [layer_data(layer) for layer in found.layers],
        "left_out": list(found.left_out),
    }
