"""`layerscope dissect`: which unit of an atlas's network detects which concept, against pictures with known masks."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import layerscope as ls
from layerscope.cli import labelled, worded, words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.core.concept_words import CLOSEST, NOT_CLOSE, concept_words
from layerscope.core.concepts import (
    BAR,
    SIGNIFICANT,
    Dissection,
    Figures,
    Interventions,
    LayerDissection,
    LayerInterventions,
)
from layerscope.core.labels import LabelDissection
from layerscope.core.words import WordDissection

HEADER = ("layer", "measured on", ">units", ">dead", ">detectors", ">concepts")
# How drawn concepts rank, and how those of photographs do, which have no level.
BY_LEVEL, BY_CATEGORY = (">mean level", ">median score"), (">median score", "categories")
BEST = ("layer", ">unit", CLOSEST, "{kind}", ">score", ">IoU", "Bau's concept")
NAMES = ("layer", "names of", ">units", ">named", ">judged", ">necessary", ">sufficient", ">both", ">any concept, both")
STANDING = ("layer", ">unit", "concept", "verdict", ">taken out", ">control", ">p", ">alone", "next", ">its", ">p")
SHOWN = 5


def run(command: Command, output: Output) -> int:
    """Dissect, keep it in the atlas, and print the figures of every layer with its best units."""
    with output.bars() as progress:
        found = ls.dissect(**command.values, progress=progress)
    if isinstance(found, LabelDissection):
        output.result(labelled.data_of(command.values["atlas"], found), labelled.text_of(found))
        return 0
    if isinstance(found, WordDissection):
        output.result(worded.data_of(command.values["atlas"], found), worded.text_of(found))
        return 0
    output.result(data_of(command.values["atlas"], found), text_of(found))
    return 0


def text_of(found: Dissection) -> str:
    """The figures of every layer above those of its baselines, then its best units."""
    drawn = not any(layer.figures.categories or layer.bau.categories for layer in found.layers)
    rows = [row for layer in found.layers for row in _rows(layer, drawn)]
    best = [row for layer in found.layers for row in _best_rows(layer)]
    columns = (*HEADER, *(BY_LEVEL if drawn else BY_CATEGORY))
    titles = [title.format(kind=">level" if drawn else "category") for title in BEST]
    counts = f"{words.counted(found.images, 'image')}, {words.counted(found.settings['concepts'], 'concept')}"
    head = f"{counts}; a unit is named by the concept of the highest score, at least {BAR}"
    parts = [head, words.table(columns, rows)]
    parts += ["", words.table(titles, best)] if best else [f"{NOT_CLOSE} to any unit"]
    return "\n".join([*parts, *_interventions(found.interventions)])


def _interventions(found: Interventions | None) -> list[str]:
    """How many names of every layer stand, then its units whose names stand best."""
    if found is None:
        return []
    counts = f"{words.counted(found.pictures, 'picture')} of the atlas, {found.drawn:,} drawn again"
    head = f"{counts}; a name stands where its concept is necessary and sufficient, each at p < {SIGNIFICANT}"
    rows = [row for layer in found.layers for row in _standing_rows(layer)]
    best = [row for layer in found.layers for row in _stand_rows(layer)]
    fixed = [
        f"judged by overlap alone, as each {why}: {', '.join(map(concept_words, names))}"
        for why, names in _by_reason(found.fixed)
    ]
    table = [words.table(STANDING, best)] if best else ["no name stands"]
    return ["", head, words.table(NAMES, rows), "", *table, *fixed]


def _by_reason(fixed: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    return [(why, [name for name in fixed if fixed[name] == why]) for why in dict.fromkeys(fixed.values())]


def _standing_rows(layer: LayerInterventions) -> list[tuple[object, ...]]:
    every = {"its units": layer.standing} | dict(layer.baselines)
    return [(layer.layer if not row else "", name, *astuple(one)) for row, (name, one) in enumerate(every.items())]


def _stand_rows(layer: LayerInterventions) -> list[tuple[object, ...]]:
    """The units whose concepts passed most, then reached most alone."""
    tried = [
        (unit.unit, one, one.necessity, one.sufficiency)
        for unit in layer.units
        for one in unit.tried
        if one.stands and one.necessity and one.sufficiency
    ]
    tried.sort(key=lambda found: (-found[3].reached, found[0]))
    rows = []
    for place, (unit, one, n, s) in enumerate(tried[:SHOWN]):
        numbers = (f"{n.gone:.0%}", f"{n.control:.0%}", f"{n.p:.1g}", f"{s.reached:.0%}")
        rival = (concept_words(s.rival or ""), f"{s.rival_reached:.0%}", f"{s.p:.1g}")
        rows.append((layer.layer if not place else "", unit, concept_words(one.concept), one.verdict, *numbers, *rival))
    return rows


def _rows(layer: LayerDissection, drawn: bool) -> list[tuple[object, ...]]:
    measured = {"its units": layer.figures} | {name: one.figures for name, one in layer.baselines.items()}
    measured["Bau's measure"] = layer.bau
    return [(layer.layer if not row else "", name, *_cells(f, drawn)) for row, (name, f) in enumerate(measured.items())]


def _cells(figures: Figures, drawn: bool) -> tuple[object, ...]:
    level, median = figures.mean_concept_level, figures.median_score
    counts = (figures.units, figures.dead, figures.detectors, figures.distinct_concepts)
    score = "" if median is None else f"{median:.3f}"
    if drawn:
        return *counts, "" if level is None else f"{level:.2f}", score
    first = list(figures.categories.items())[:SHOWN]
    more = ["..."] if len(figures.categories) > SHOWN else []
    return *counts, score, ", ".join([*(f"{name} {count}" for name, count in first), *more])


def _best_rows(layer: LayerDissection) -> list[tuple[object, ...]]:
    rows = []
    for place, unit in enumerate(layer.strongest(SHOWN)):
        assert unit.best is not None
        level = unit.best.category if unit.best.level is None else unit.best.level
        numbers = (level, f"{unit.best.score:.3f}", f"{unit.best.iou:.3f}")
        bau = concept_words(unit.bau.concept) if unit.bau else ""
        rows.append((layer.layer if not place else "", unit.unit, concept_words(unit.best.concept), *numbers, bau))
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

    tried = found.interventions
    return {
        "atlas": path,
        **({"interventions": asdict(tried)} if tried is not None else {}),
        "images": found.images,
        "settings": dict(found.settings),
        "layers": [layer_data(layer) for layer in found.layers],
        "left_out": list(found.left_out),
    }
