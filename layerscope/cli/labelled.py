"""What `layerscope dissect --labels` prints: figures of every layer, its best units, and images that do not fit."""

from dataclasses import asdict
from typing import Any

from layerscope.cli import words
from layerscope.cli.named import best_rows, named_units
from layerscope.core.labels import LabelDissection, LabelFigures, LayerLabels

HEADER = ("layer", "measured on", ">units", ">dead", ">named", ">labels", ">compounds", ">median AUC", ">margin")
BEST = ("layer", ">unit", "label", ">AUC", ">z", ">p", ">images")
MISFIT = ("image", "label", "fires for", ">own", ">other")
SHOWN = 5


def text_of(found: LabelDissection) -> str:
    """The figures of every layer above those of shuffled labels, its best units, and the first misfits."""
    least, alpha = found.settings["least_auc"], found.settings["alpha"]
    head = (
        f"{words.counted(found.images, 'image')}, {words.counted(found.labels, 'label')}; a unit is named by the label "
        f"of the lowest p (Mann-Whitney, corrected for ties) with p below {alpha} ({found.settings['correction']}) and "
        f"an AUC of at least {least}"
    )
    rows = [row for layer in found.layers for row in _rows(layer)]
    best = [row for layer in found.layers for row in best_rows(layer, "label", SHOWN)]
    parts = [head, words.table(HEADER, rows), ""]
    parts += [words.table(BEST, best)] if best else ["no unit is named by a label"]
    return "\n".join((*parts, "", *_misfits(found)))


def _rows(layer: LayerLabels) -> list[tuple[object, ...]]:
    return [
        (layer.layer, "its units", *_cells(layer.figures), f"{layer.margin:.2f}"),
        ("", "shuffled labels", *_cells(layer.shuffled), ""),
    ]


def _cells(figures: LabelFigures) -> tuple[object, ...]:
    median = "" if figures.median_auc is None else f"{figures.median_auc:.3f}"
    return figures.units, figures.dead, figures.named, figures.distinct, figures.compounds, median


def _misfits(found: LabelDissection) -> list[str]:
    misfits = found.misfits
    if not misfits.images:
        return ["no label has images enough to say which do not fit"]
    rows = [(one.image, one.label, one.other, f"{one.own:.1f}", f"{one.others:.1f}") for one in misfits.images[:SHOWN]]
    trial = "" if misfits.found is None else (
        f"; of {misfits.planted:,} wrong labels planted in a trial {words.percent(misfits.found)} stood in this tenth"
    )  # fmt: skip
    head = f"{words.counted(len(misfits.images), 'image')} that fit their labels least, a tenth of them{trial}:"
    return [head, words.table(MISFIT, rows)]


def data_of(path: str, found: LabelDissection) -> dict[str, Any]:
    """The same as plain values, with every named unit and all misfits."""

    def layer_data(layer: LayerLabels) -> dict[str, Any]:
        return {
            "name": layer.layer,
            **asdict(layer.figures),
            "shuffled": asdict(layer.shuffled),
            "margin": layer.margin,
            "named_units": named_units(layer),
        }

    return {
        "atlas": path,
        "images": found.images,
        "labels": found.labels,
        "settings": dict(found.settings),
        "layers": [layer_data(layer) for layer in found.layers],
        "misfits": asdict(found.misfits),
        "left_out": list(found.left_out),
    }
