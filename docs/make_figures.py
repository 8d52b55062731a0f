"""The pictures of the docs: `PYTHONPATH=. python docs/make_figures.py [FOLDER]`, by default into docs/images.

From the known network and from the demo's network over the visual world. Known pictures only: what they show was
drawn, so what a projection should show is known too.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

import layerscope as ls
from layerscope.api import demonstrating as demo
from layerscope.api.dissecting import dissect_atlas
from layerscope.core.records import Statistics
from layerscope.figures import Grid, Panel, Sheet, Tile, plate
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import write_pictures
from layerscope.project.extents import Extent
from layerscope.project.tiling import boxes_for, patch_tile, view_tiles
from layerscope.project.views import NaturalView
from layerscope.report import LayerFacts, facts_of
from layerscope.report.facts import UnitFacts
from layerscope.sources import open_source, show
from layerscope.world import CLASSES, CONCEPTS, World

IMAGES = Path(__file__).parent / "images"
PICTURES = 288
METHODS = ("deconvnet", "guided", "gradient")
VIEWS = ("signal", "natural")
SIDES = {"shapes": 29, "things": 48}
DPI = 150
DPIS = {"world-classes": 80}  # one px of its pictures is about one of the figure
NAMED = 5  # concepts of each layer of the demo's network that are shown
EACH = 6  # pictures of each class of the visual world
# A picture of the world, and the concepts whose masks are shown.
SCENE = 12
SHOWN = ("edge -67.5", "yellow", "stripes", "checker", "corner", "cross", "window", "door")


def main(folder: Path = IMAGES, pictures: int = PICTURES, scenes: int = demo.COUNT) -> list[Path]:
    """Make every figure; where they are. pictures: for the known network; scenes: of the visual world."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        write_pictures(Path(place) / "pictures", pictures)
        handset, random = networks()
        known = built(Path(place), handset, tuple(UNIT_NAMES), k=9)
        chance = built(Path(place), random, ("things",), k=1)
        sheets = {
            "demo-overview": demo_sheet(Path(place), scenes),
            "trust-specificity": specificity_sheet(known, chance),
            "trust-natural-view": natural_sheet(known, chance),
            "world-classes": classes_sheet(),
            "world-masks": masks_sheet(),
        }
        saved = [sheet.save(folder / f"{name}.png", dpi=DPIS.get(name, DPI)) for name, sheet in sheets.items()]
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


def demo_sheet(place: Path, scenes: int) -> Sheet:
    """What each layer of the demo's network detects: for its most frequent concepts the unit that finds them best."""
    world, path = World(scenes, seed=demo.SEED), place / "demo.atlas"
    ls.build(demo.NETWORK, world, path, methods=("deconvnet",), progress=False).close()
    found = dissect_atlas(path, None, open_source(world), world, drawn=world)
    with ls.open(path) as atlas:
        facts = facts_of(atlas.file, [found])
        return Sheet(
            panels=tuple(panel for layer in facts.layers for panel in most_frequent(atlas, layer)),
            columns=NAMED,
            title="What the layers of a trained network detect",
            caption=(
                f"The network {demo.NETWORK}, trained on drawn scenes of {len(CLASSES)} kinds of objects, over "
                f"{scenes:,} new ones. For each layer the {NAMED} concepts that name most of its units, and for each "
                "of them the unit that finds it best: its nine strongest activations carried back to pixels by the "
                "deconvnet (left, natural view) beside the patches at which it fired (right). Where the name of every "
                "such unit is doubtful: how many peaks show which kinds of things."
            ),
        )


def most_frequent(atlas: ls.Atlas, layer: LayerFacts) -> list[Panel]:
    """One row: the layer's most frequent concepts, each by its best unit, one without a doubtful name before others."""
    chosen = {
        concept: max((unit for unit in layer.all_units if unit.concept == concept), key=by_doubt_and_score)
        for concept in list(layer.concepts)[:NAMED]
    }
    if not chosen:
        return []
    shown = plate(atlas.file, layer.name, units=[unit.unit for unit in chosen.values()], captions=False).panels
    first, *rest = (
        replace(panel, heading=panel.heading if doubtful(unit) else f"{concept}, unit {unit.unit}", slots=2)
        for panel, (concept, unit) in zip(shown, chosen.items(), strict=True)
    )
    own = layer.figures
    named = f"{own.detectors} of {own.units} units named, mean level {own.mean_concept_level:.1f}"
    note = f"sees {layer.field:g} × {layer.field:g} px  ·  {named}"
    return [replace(first, section=f"Layer {layer.place}", section_note=note), *rest]


def doubtful(unit: UnitFacts) -> bool:
    """Whether it is told by the kinds of things at its peaks."""
    return unit.standing is not None and bool(unit.standing.kinds)


def by_doubt_and_score(unit: UnitFacts) -> tuple[bool, float]:
    return not doubtful(unit), unit.score or 0.0


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


def classes_sheet() -> Sheet:
    """The first pictures of each class of the visual world."""
    world = World(EACH * len(CLASSES))
    order = sorted(range(len(world)), key=lambda index: (world.targets[index], index))
    tiles = tuple(Tile(picture=np.asarray(world[index][0])) for index in order)
    grid = Grid(tiles=tiles, columns=EACH, row_labels=CLASSES)
    return Sheet(panels=(Panel(parts=(grid,)),), columns=1, title="The visual world: six pictures of each class")


def masks_sheet() -> Sheet:
    """One picture, and where some of the concepts are seen in it."""
    picture, name = World(SCENE + 1)[SCENE]
    pixels, masks = np.asarray(picture), World(SCENE + 1).masks(SCENE)
    names = [concept.name for concept in CONCEPTS]
    tiles = [captioned(pixels, "the picture")]
    for concept in (*SHOWN, name):
        seen = masks[names.index(concept)][..., None]
        tiles.append(captioned(np.where(seen, pixels, pixels // 5).astype(np.uint8), concept))
    grid = Grid(tiles=tuple(tiles), columns=5, spaced=True)
    return Sheet(
        panels=(Panel(parts=(grid,)),), columns=1, title="One picture of the visual world and some of its masks"
    )


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
    for path in main(*map(Path, sys.argv[1:2])):
        print(path)
