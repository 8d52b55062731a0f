"""Pictures of `zfnet64` over photographs: `PYTHONPATH=. python docs/make_photograph_figures.py ATLAS [FOLDER]`.

ATLAS: made of zfnet64 over Tiny ImageNet's validation pictures. Projections and filters only: the photographs are not
ours to show, and no pixel of them goes into the docs.
"""

import sys
from pathlib import Path

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.numbers import in_words
from layerscope.facts.run import images_of_layer
from layerscope.figures import Panel, Sheet, filters, words
from layerscope.figures.gather import choose_units, projections

IMAGES = Path(__file__).parent / "images"
UNITS = 6  # of each layer, a seeded sample
DPI = 150


def main(atlas: Path, folder: Path = IMAGES) -> list[Path]:
    """Draw both figures; where they are."""
    with ls.open(atlas) as opened:
        sheets = {"zfnet64-filters": filters(opened.file), "zfnet64-projections": projections_sheet(opened.file)}
        return [sheet.save(folder / f"{name}.png", dpi=DPI) for name, sheet in sheets.items()]


def projections_sheet(file: AtlasFile) -> Sheet:
    """A row of units for each layer with positions, their projections alone."""
    layers = [layer for layer in file.layers if layer.method is not None]
    panels = [panel for layer in layers for panel in _row(file, layer)]
    return Sheet(
        panels=tuple(panels),
        columns=UNITS,
        title=f"What the layers of {file.run.network} respond to in photographs",
        caption=(
            f"For each layer {UNITS} units, a seeded sample of those that have a peak: the projections of their "
            f"{in_words(file.run.k)} highest activations over {images_of_layer(file, layers[0]):,} photographs "
            "of Tiny ImageNet, by the deconvnet, in the natural view. The photographs themselves are not shown. "
            f"{words.meaning_words(file, layers)}"
        ),
        footer=words.footer(file),
        provenance=words.provenance(file, kind="projections", layers=[layer.name for layer in layers]),
    )


def _row(file: AtlasFile, layer: AtlasLayerRecord) -> list[Panel]:
    panels = []
    for place, unit in enumerate(choose_units(file, layer, None, UNITS, 0).units):
        note = f"{words.field_words(layer, file)}  ·  {words.brief_method_words(file, layer)}"
        opening = {"section": layer.name, "section_note": note} if place == 0 else {}
        grid = projections(file, layer, unit, "deconvnet", "natural")
        panels.append(Panel(parts=(grid,), heading=f"unit {unit}", **opening))
    return panels


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
