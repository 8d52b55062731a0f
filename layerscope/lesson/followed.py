"""One picture followed through the chapters: how much of it a unit sees at each depth, drawn to scale."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord, Placement
from layerscope.facts.places import place_of, placement_in
from layerscope.facts.wrapping import Reader

# Of so many pictures, those that most chapters have a peak in, the first is taken that can be shown.
TRIED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedStep:
    """One depth. unit, rank: which of a unit's peaks lies in the picture, both None where none does: then the field is
    that of the middle of the map. field: the receptive field, px of the source picture, inside it; whole: that is all
    of it."""

    layer: AtlasLayerRecord
    unit: int | None
    rank: int | None
    field: Box
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPicture:
    """A picture, with a step for each chapter. height, width: of the source picture, px."""

    image: int
    label: str | None
    height: int
    width: int
    steps: tuple[FollowedStep, ...]


def followed_picture(
    file: Reader, layers: Sequence[AtlasLayerRecord], chosen: Mapping[int, Sequence[int]]
) -> FollowedPicture | None:
    """The picture that units with patches have a peak in, in most of these layers; of these one of the last chapter's
    units, then of most chapters', the earliest.

    chosen: by layer's id the units of its chapter. None where the atlas keeps no picture that could be shown.
    """
    found = {layer.id: file.all_peaks(layer.id).image for layer in layers}
    seen, covered, wanted, last = Counter[int](), Counter[int](), Counter[int](), set[int]()
    for layer in layers:
        # A step without patches shows next to nothing: the picture again, and a box.
        seen.update(_images(found[layer.id][sorted(file.units_with_sheets(layer.id, "patches"))]))
        covered.update(_images(found[layer.id]))
        last = set(_images(found[layer.id][list(chosen.get(layer.id, ()))]))
        wanted.update(last)
    order = sorted(covered, key=lambda image: (-seen[image], -covered[image], image not in last, -wanted[image], image))
    for image in order[:TRIED]:
        record = file.image(image)
        if record.height and record.width and file.has_picture(image):
            steps = tuple(_steps(file, layers, chosen, record))
            if steps:
                return FollowedPicture(
                    image=image, label=record.label, height=record.height, width=record.width, steps=steps
                )
    return None


def _images(of: np.ndarray) -> list[int]:
    return np.unique(of[of >= 0]).tolist()


def _steps(
    file: Reader, layers: Sequence[AtlasLayerRecord], chosen: Mapping[int, Sequence[int]], image: ImageRecord
) -> Iterator[FollowedStep]:
    """A step for each layer; none where it is not known how the network's input lay on this picture."""
    peaks, placement = file.peaks_in(image.id), placement_in(file, image)
    if placement is None:
        return
    for layer in layers:
        here = [(unit, peak) for number, unit, peak in peaks if number == layer.id]
        own = chosen.get(layer.id, ())
        with_tiles = file.units_with_sheets(layer.id, "patches")
        order = sorted(here, key=lambda one: (one[0] not in own, one[0] not in with_tiles, one[1].rank, one[0]))
        unit, peak = order[0] if order else (None, None)
        field = place_of(file, layer, peak, image).field if peak is not None else None
        yield FollowedStep(
            layer=layer,
            unit=unit,
            rank=peak.rank if peak is not None else None,
            field=field or _in_the_middle(file, layer, placement),
            whole=layer.record.field.sees_all,
        )


def _in_the_middle(file: Reader, layer: AtlasLayerRecord, placement: Placement) -> Box:
    """What a unit sees from the middle of its map, px of the source picture."""
    rows, cols = layer.record.map or (1, 1)
    input = file.run.input
    return placement.source_box(layer.record.field.box(rows // 2, cols // 2).clipped(input.height, input.width))
