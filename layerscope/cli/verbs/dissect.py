"""`layerscope dissect`: which unit of an atlas's network detects which concept, against pictures with known masks."""

from typing import Any

import layerscope as ls
from layerscope.cli import labelled, words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.core.concepts import BAR, Dissection, Figures, LayerDissection
from layerscope.core.labels import LabelDissection

HEADER = ("layer", "measured on", ">units", ">dead", ">detectors", ">concepts", ">mean level", ">median score")
BEST = ("layer", ">unit", "concept", ">level", ">score", ">IoU", "Bau's concept")
SHOWN = 5


def run(command: Command, output: Output) -> int:
    """Dissect, keep it in the atlas, and print the figures of every layer with its best units."""
    with output.bars() as progress:
        found = ls.dissect(**command.values, progress=progress)
    if isinstance(found, LabelDissection):
        output.result(labelled.data_of(command.values["atlas"], found), labelled.text_of(found))
        return 0
    output.result(data_of(command.values["atlas"], found), text_of(found))
    return 0


def text_of(found: Dissection) -> str:
    """The figures of every layer above those of its baselines, then its best units."""
    rows = [row for layer in found.layers for row in _rows(layer)]
    best = [row for layer in found.layers for row in _best_rows(layer)]
    counts = f"{words.counted(found.images, 'image')}, {words.counted(found.settings['concepts'], 'concept')}"
    head = f"{counts}; a unit is named by the concept of the highest score, at least {BAR}"
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
