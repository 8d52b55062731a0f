"""How well an atlas of the known network answers: do a unit's strongest patches hold the pattern it was built for?

What is in the known pictures was noted when they were drawn, so nobody has to judge by eye.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from layerscope.atlas.read import AtlasFile
from layerscope.core.geometry import Box
from layerscope.known.network import UNIT_NAMES
from layerscope.known.pictures import Picture

# How far, in px, a pattern's place may lie from the middle of the field: half a line's length, a part, two parts.
SLACK = {"strokes": 2.5, "shapes": 4.0, "things": 6.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One layer.

    units: how many it has. patches: how many were looked at: of each unit the strongest, as many as there are pictures
    with its pattern, at most nine. holding: those of them that hold it.
    """

    layer: str
    units: int
    patches: int
    holding: int


def answers(file: AtlasFile, drawn: Sequence[Picture]) -> list[Answer]:
    """One answer per layer. drawn: the pictures in the order of their numbers, which their file names are."""
    shown = Counter(name for picture in drawn for name in {plant.name for plant in picture.plants})
    found: list[Answer] = []
    for layer, names in UNIT_NAMES.items():
        stored = file.layer(layer)
        sources = file.peak_sources(stored.id)
        numbers = {image: int(PurePosixPath(source).stem) for image, source in sources.items()}
        held = [
            _holds(drawn[numbers[peak.image]], name, peak.box, SLACK[layer])
            for unit, name in enumerate(names)
            for peak in file.peaks(stored.id, unit)[: shown[name]]
        ]
        found.append(Answer(layer=layer, units=len(names), patches=len(held), holding=sum(held)))
    return found


def _holds(picture: Picture, name: str, field: Box, slack: float) -> bool:
    """Whether the pattern lies in the middle of the field; input px and picture px are the same here."""
    row, col = (field.top + field.bottom - 1) / 2, (field.left + field.right - 1) / 2
    return any(plant.holds(row, col, slack) for plant in picture.plants if plant.name == name)
