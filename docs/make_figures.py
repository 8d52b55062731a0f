"""The pictures of the docs, all of them from the known network: `python docs/make_figures.py`.

Known pictures only: what they show was drawn, so what a projection should show is known too.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

import layerscope as ls
from layerscope.core.records import Statistics
from layerscope.figures import Grid, Panel, Sheet, Tile, overview
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import write_pictures
from layerscope.pipeline.tiling import boxes_for, patch_tile, view_tiles
from layerscope.project.extents import Extent
from layerscope.project.views import NaturalView
from layerscope.sources import show

IMAGES = Path(__file__).parent / "images"
PICTURES = 288
METHODS = ("deconvnet", "guided", "gradient")
VIEWS = ("signal", "natural")
SIDES = {"shapes": 29, "things": 48}
DPI = 150


def main(folder: Path = IMAGES, pictures: int = PICTURES) -> list[Path]:
    """Make every figure; where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        write_pictures(Path(place) / "pictures", pictures)
        handset, random = networks()
        known = built(Path(place), handset, tuple(UNIT_NAMES), k=9)
        chance = built(Path(place), random, ("things",), k=1)
        sheets = {
            "demo-overview": overview(known.atlas.file),
            "trust-specificity": specificity_sheet(known, chance),
            "trust-natural-view": natural_sheet(known, chance),
        }
        saved = [sheet.save(folder / f"{name}.png", dpi=DPI) for name, sheet in sheets.items()]
        for made in (known, chance):
            made.atlas.close()
    return saved


def networks() -> tuple[ls.Network, ls.Network]:
    """The known network, and the same architecture with PyTorch's random initial weights."""
    handset, chance = known_network(), known_network()
    torch.manual_seed(0)
    for module in chance:
        if isinstance(module, torch.nn.Conv2d):
            module.reset_parameters()
    found = ls.trace(handset, INPUT), ls.trace(chance, INPUT)
    for net, name in zip(found, ("the known network", "random weights"), strict=True):
        net.name = name
    return found


@dataclass(frozen=True)
class Built:
    """A network, its atlas by all three methods, and the pictures."""

    net: ls.Network
    atlas: ls.Atlas
    folder: Path

    def pixels(self, image: int) -> Float32[np.ndarray, "1 3 h w"]:
        """One picture as the network gets it."""
        return ls.images(self.folder).load([image], INPUT).pixels


def built(place: Path, net: ls.Network, layers: tuple[str, ...], *, k: int) -> Built:
    """The atlas of some layers of a network over the known pictures, by all methods."""
    out = place / f"{net.name.replace(' ', '-')}.atlas"
    atlas = ls.build(net, place / "pictures", out, layers=layers, k=k, methods=METHODS, progress=False)
    return Built(net, atlas, place / "pictures")


def specificity_sheet(known: Built, chance: Built) -> Sheet:
    """At one place of one picture: the projections of different units, by each method, in two networks."""
    shapes = [name.partition(",")[0].removeprefix("wide ") for name in UNIT_NAMES["shapes"]]
    cross = shapes.index("upright cross")
    panels = (
        same_place(known, "shapes", cross, "layer shapes, filters set by hand", shapes),
        same_place(chance, "things", 3, "layer things, random filters", [f"unit {unit}" for unit in range(8)]),
    )
    return Sheet(
        panels=panels,
        columns=2,
        title="One place of one picture, three units, three methods",
        caption=(
            "First column: the patch. The others: projections of three units that are all above zero at this place, "
            "in the signal view, with their cosine to the first of them. At the left, with each method, stands the "
            "specificity of the whole layer: one minus the median of such cosines over pairs of its units."
        ),
    )


def same_place(made: Built, layer: str, unit: int, heading: str, names: Sequence[str]) -> Panel:
    """The patch at a unit's first peak, and what the unit and the two strongest others there project to."""
    peak = made.atlas[layer][unit].peaks[0]
    x = made.pixels(peak.image)
    there = made.net.activations(x, layer)[0, :, peak.row, peak.col]
    others = [int(other) for other in np.argsort(-there) if other != unit and there[other] > 0]
    units, tiles, labels = [unit, *others[:2]], [], []
    for method in METHODS:
        projections = project(made.net, x, layer, units, peak, method)
        views, patch = shown(made, x, projections, SIDES[layer], ("signal",))
        cosines = [cosine(projections.signal[0], signal) for signal in projections.signal]
        words = [names[unit], *(f"{names[u]}\n{c:.2f}" for u, c in zip(units[1:], cosines[1:], strict=True))]
        tiles += [captioned(patch, "the patch"), *map(captioned, views[:, 0], words)]
        measured = made.atlas.file.statistic("specificity", made.atlas.file.layer(layer).id, method)
        labels.append(f"{method}\n{measured['median']:.2f}")
    grid = Grid(tiles=tuple(tiles), columns=1 + len(units), row_labels=tuple(labels), spaced=True)
    return Panel(parts=(grid,), heading=heading)


def natural_sheet(known: Built, chance: Built) -> Sheet:
    """Signal and natural view of a network whose filters mean something, and of one whose filters are random."""
    return Sheet(
        panels=tuple(
            two_views(made, heading) for made, heading in ((known, "filters set by hand"), (chance, "random filters"))
        ),
        columns=2,
        title="The natural view smooths whatever it is given",
        caption=(
            "The first peaks of three units of layer things: patch, deconvnet projection in the signal view, and the "
            "same in the natural view. Right: the same architecture with random weights."
        ),
    )


def two_views(made: Built, heading: str) -> Panel:
    """Three units of the last layer: patch, signal view, natural view."""
    layer, tiles = "things", []
    live = [unit for unit in made.atlas[layer] if unit.peaks][:3]
    for unit in live:
        peak = unit.peaks[0]
        x = made.pixels(peak.image)
        projections = project(made.net, x, layer, [unit.number], peak, "deconvnet")
        views, patch = shown(made, x, projections, SIDES[layer], VIEWS)
        tiles += [captioned(patch, "patch"), *map(captioned, views[0], VIEWS)]
    labels = tuple(f"unit {unit.number}" for unit in live)
    return Panel(parts=(Grid(tiles=tuple(tiles), columns=3, row_labels=labels, spaced=True),), heading=heading)


def project(net: ls.Network, x: np.ndarray, layer: str, units: list[int], peak: ls.Peak, method: str) -> ls.Projections:
    """Several units at the place of one peak."""
    count = len(units)
    rows, cols = [peak.row] * count, [peak.col] * count
    return net.project(x, layer, image=[0] * count, unit=units, row=rows, col=cols, method=method)


def shown(
    made: Built, x: np.ndarray, projections: ls.Projections, side: int, views: tuple[str, ...]
) -> tuple[UInt8[np.ndarray, "m v h w 3"], UInt8[np.ndarray, "h w 3"]]:
    """The projections as tiles in each view, and the patch, all in the box of the first."""
    signal = torch.from_numpy(projections.signal)
    tops, lefts = (np.array([getattr(box, edge) for box in projections.boxes]) for edge in ("top", "left"))
    extent = Extent(tops, lefts, *signal.shape[-2:], projections.input_size)
    boxes = boxes_for(signal, extent, side)[:1] * len(signal)
    colour, spectrum = (np.array(made.atlas.file.statistic(name)) for name in ("colour", "spectrum"))
    natural = NaturalView(Statistics(colour=colour, spectrum=spectrum))
    tiles, _ = view_tiles(signal, extent, boxes, (side, side), natural, views, INPUT.shown)
    return tiles, patch_tile(show(x, INPUT)[0], boxes[0], (side, side))


def captioned(picture: UInt8[np.ndarray, "h w 3"], words: str) -> Tile:
    """A tile with words below it."""
    return Tile(picture=picture, caption=words)


def cosine(a: Float32[np.ndarray, "c h w"], b: Float32[np.ndarray, "c h w"]) -> float:
    """The cosine between two signals."""
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


if __name__ == "__main__":
    for path in main():
        print(path)
