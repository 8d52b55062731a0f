"""What `layerscope dissect --words` prints: figures of every layer, and its best units."""

from dataclasses import asdict
from typing import Any

from layerscope.cli import words
from layerscope.cli.named import best_rows, named_units
from layerscope.core.words import LayerWords, WordDissection, WordFigures

HEADER = ("layer", "measured on", ">units", ">dead", ">named", ">words", ">median AUC")
BEST = ("layer", ">unit", "word", ">AUC", ">z", ">p", ">nearest images")
SHOWN = 5


def text_of(found: WordDissection) -> str:
    """The figures of every layer above those of shuffled images, and its best units."""
    least, alpha = found.settings["least_auc"], found.settings["alpha"]
    head = (
        f"{words.counted(found.images, 'image')}, {words.counted(found.words, 'word')}, compared by "
        f"{found.settings['model']}; a unit is named by the word on whose nearest images p (Mann-Whitney, corrected "
        f"for ties) is lowest, with p below {alpha} ({found.settings['correction']}) and an AUC of at least {least}"
    )
    rows = [row for layer in found.layers for row in _rows(layer)]
    best = [row for layer in found.layers for row in best_rows(layer, "word", SHOWN)]
    return "\n".join((head, words.table(HEADER, rows), "", words.table(BEST, best) if best else "no word names a unit"))


def _rows(layer: LayerWords) -> list[tuple[object, ...]]:
    rows = [(layer.layer, "its units", *_cells(layer.figures)), ("", "shuffled images", *_cells(layer.shuffled))]
    return rows if layer.untrained is None else [*rows, ("", "untrained network", *_cells(layer.untrained))]


def _cells(figures: WordFigures) -> tuple[object, ...]:
    median = "" if figures.median_auc is None else f"{figures.median_auc:.3f}"
    return figures.units, figures.dead, figures.named, figures.distinct, median


def data_of(path: str, found: WordDissection) -> dict[str, Any]:
    """The same as plain values, with every named unit."""

    def layer_data(layer: LayerWords) -> dict[str, Any]:
        beside = {
            "shuffled": asdict(layer.shuffled),
            "untrained": None if layer.untrained is None else asdict(layer.untrained),
        }
        return {"name": layer.layer, **asdict(layer.figures), **beside, "named_units": named_units(layer)}

    return {
        "atlas": path,
        "images": found.images,
        "words": found.words,
        "settings": dict(found.settings),
        "layers": [layer_data(layer) for layer in found.layers],
        "left_out": list(found.left_out),
    }
