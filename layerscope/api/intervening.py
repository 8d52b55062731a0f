"""Taking concepts out of an atlas's own pictures: which world drew them, where its peaks lie, and what is kept.

Only pictures that are drawn can be drawn again. An atlas does not say of which world its pictures are: the first of
them is drawn with every likely seed, and compared by its hash.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import Dissection, Interventions
from layerscope.core.errors import UsageError
from layerscope.core.geometry import Box
from layerscope.core.records import Input, LayerRecord
from layerscope.dissect import TriedNetwork, intervene, record_interventions, subjects_of
from layerscope.graph import Carrier
from layerscope.world import World
from layerscope.world.finding import SEEDS, world_with

if TYPE_CHECKING:
    from layerscope.core.progress import Progress


def world_of(path: str | Path) -> World:
    """The world that an atlas's pictures are drawn in. Raises UsageError where it is none of the first seeds'."""
    with AtlasFile(path) as file:
        ends, count = file.ends(), file.image_count()
    found = world_with(ends[0], ends[-1], count) if ends else None
    if found is not None:
        return found
    raise UsageError(
        f'the pictures of "{path}" were not drawn by layerscope (a World of seed 0 to {SEEDS - 1}), so no concept can '
        "be taken out of them: leave interventions out, or build an atlas of a World, as layerscope demo does"
    )


def intervene_in(
    path: str | Path,
    world: World,
    found: Dissection,
    programs: tuple[Carrier, Carrier | None],
    input: Input,
    layers: Sequence[LayerRecord],
    *,
    further: Sequence[TriedNetwork] = (),
    seed: int = 0,
    say: Callable[[str], Any] = lambda sentence: None,
    progress: "Progress | None" = None,
) -> Interventions:
    """Try the names of a dissection on the atlas's own pictures, and keep what came of it in the atlas.

    programs: the network, and the untrained one if there is one. further: other trainings, with their names.
    """
    subjects = [*subjects_of(found, *programs), *further]
    result = intervene(
        subjects, input, layers, world, places=_places(path, layers), seed=seed, progress=progress
    )  # fmt: skip
    if result.absent:
        say(f"not judged, since no picture of the atlas shows them: {', '.join(result.absent)}")
    record_interventions(path, result)
    return result


def _places(path: str | Path, layers: Sequence[LayerRecord]) -> dict[int, list[tuple[str, int, Box]]]:
    """By image the peaks in it: layer, unit, and the receptive field in input px."""
    found = defaultdict[int, list[tuple[str, int, Box]]](list)
    with AtlasFile(path) as file:
        for layer in (one for one in layers if one.map is not None):
            peaks = file.all_peaks(file.layer(layer.name).id)
            for unit, rank in np.argwhere(peaks.image >= 0).tolist():
                box = layer.field.box(int(peaks.row[unit, rank]), int(peaks.col[unit, rank]))
                found[int(peaks.image[unit, rank])].append((layer.name, unit, box))
    return dict(found)
