"""Feature evolution: per layer, units by epochs, their projections beside their patches, and the curves of settling.

As Figure 4 of Zeiler & Fergus 2013, which shows the projections; a bar marks where another image has taken over.
"""

import numpy as np
from jaxtyping import Bool, UInt8

from layerscope.core.evolution import Evolution, LayerEvolution
from layerscope.core.numbers import in_words
from layerscope.core.version import __version__
from layerscope.figures import words
from layerscope.figures.grids import label_width
from layerscope.figures.layout import MARGIN, UNEQUAL_GAP
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Chart, Curve, Grid, Panel, Tile

LARGEST, SMALLEST = 0.36, 0.25  # a tile's side, inches
MOST_PAGE = 7.0  # inches, unless the tiles would be smaller than SMALLEST
CHART = (1.5, 2.4)  # a chart's width, inches: at least, at most
ROOM = 0.24 + 2 * MARGIN + 2 * UNEQUAL_GAP  # inches: unit numbers, margins and gaps
DEAD = "dead"


def evolution(found: Evolution) -> Sheet:
    """The figure: one row of grids and curves for each layer, in the order of the record."""
    columns = len(found.epochs)
    side = max(SMALLEST, min(LARGEST, (MOST_PAGE - ROOM - CHART[0]) / (2 * columns)))
    tiles = 2 * columns * side
    page = ROOM + tiles + min(max(MOST_PAGE - ROOM - tiles, CHART[0]), CHART[1])
    return Sheet(
        panels=tuple(_panel(found, layer, page, side) for layer in found.layers),
        columns=1,
        width=page,
        title=f"How the features of {found.network} develop",
        caption=_caption(found),
        footer=f"layerscope {__version__} · last checkpoint {found.checkpoints[-1][:8]}",
        provenance=_provenance(found),
    )


def _panel(found: Evolution, layer: LayerEvolution, page: float, side: float) -> Panel:
    epochs = tuple(map(str, found.epochs))
    jumps = layer.jumps
    shown = {"columns": len(epochs), "column_labels": epochs}
    left = Grid(
        tiles=_tiles(layer, layer.projections, jumps), kind="projections", method=found.method, view=found.view,
        row_labels=tuple(map(str, layer.sample)), corner="unit", **shown,
    )  # fmt: skip
    right = Grid(tiles=_tiles(layer, layer.patches, jumps), kind="patches", **shown)
    # Of tiles of one size, whatever room the unit numbers take.
    grids = label_width(left) + len(epochs) * side, len(epochs) * side
    shares = (*grids, page - 2 * MARGIN - 2 * UNEQUAL_GAP - sum(grids))
    return Panel(
        parts=(left, right, _chart(found, layer)), section=layer.name, section_note=_note(found, layer), shares=shares
    )


def _note(found: Evolution, layer: LayerEvolution) -> str:
    """The field, the tiles, the dead."""
    note = words.seen_words(layer.field, found.input_size)
    if layer.side:
        note += f"  ·  tiles of {layer.side} × {layer.side} px"
    dead = layer.units - layer.alive
    if dead:
        note += f"  ·  {dead:,} of {layer.units:,} units dead at epoch {found.epochs[-1]}"
    return note


def _tiles(
    layer: LayerEvolution, pictures: UInt8[np.ndarray, "n e h w 3"], jumps: Bool[np.ndarray, "n e"]
) -> tuple[Tile, ...]:
    """Unit by unit, epoch by epoch."""
    places = np.ndindex(jumps.shape)
    return tuple(
        Tile(picture=pictures[at], note="" if layer.image[at] >= 0 else DEAD, changed=bool(jumps[at])) for at in places
    )


def _chart(found: Evolution, layer: LayerEvolution) -> Chart:
    named = {
        f"strongest image is that of epoch {found.epochs[-1]}": layer.same_image,
        f"correlation with epoch {found.epochs[-1]}": layer.correlation,
        "… with other units there": layer.correlation_of_others,
    }
    return Chart(
        kind="curves",
        curves=tuple(Curve(label=label, values=tuple(values.tolist())) for label, values in named.items()),
        ticks=tuple((float(place), str(epoch)) for place, epoch in enumerate(found.epochs)),
        axis="epoch",
    )


def _caption(found: Evolution) -> str:
    last, most = found.epochs[-1], max(len(layer.sample) for layer in found.layers)
    over = "all" if found.correlated == found.count else f"{found.correlated:,} of them, evenly spaced"
    return " ".join(
        (
            "For units (rows) at the checkpoints of a training run (columns, the epoch above): the projection of the "
            "unit's highest activation (left) beside the patch of the image that causes it (right). A red bar marks a "
            "jump: since the checkpoint before, another image has become the strongest.",
            f"Units: up to {in_words(most)} of each layer, a seeded sample (seed {found.seed}) of those above "
            f"zero in some image at epoch {last}.",
            f"Curves, over all of those: the share of units whose strongest image is that of epoch {last}; the mean "
            "correlation, over the images, of the image's highest activation with that of the same unit at epoch "
            f"{last}; and with that of the layer's other units, which is what the pictures alone bring about.",
            f"Images: {found.count:,} of {found.images}; correlations over {over}.",
            f"Method: {found.method}. View: {words.VIEWS.get(found.view, found.view)}; zero is mid-gray, each tile on "
            "a scale of its own.",
        )
    )


def _provenance(found: Evolution) -> dict[str, object]:
    shown = {layer.name: list(layer.sample) for layer in found.layers}
    said = ("network", "images", "count", "method", "view", "seed")
    return {
        **{name: getattr(found, name) for name in said},
        "checkpoints": dict(zip(map(str, found.epochs), found.checkpoints, strict=True)),
        "versions": {"layerscope": __version__},
        "figure": {"kind": "evolution", "layers": shown},
    }
