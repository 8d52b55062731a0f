"""A peak with what is known of its image: value, image, and where in the image it lies, in px of the source picture."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord, Peak
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord
from layerscope.facts.boxes import on_picture
from layerscope.facts.wrapping import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPeak:
    """One of a unit's highest activations.

    rank: 0 is the highest. row, col: in the layer's map. source, label: the image's. height, width: of the source
    picture, px. tile, field: what the tiles show and the receptive field, px of the source picture, inside it; None
    until the peak is projected. kept: the atlas holds a small picture of the image.
    """

    rank: int
    value: float
    image: int
    row: int
    col: int
    source: str
    label: str | None
    height: int | None
    width: int | None
    tile: Box | None
    field: Box | None
    kept: bool


def seen_peak(peak: Peak, image: ImageRecord, *, kept: bool) -> SeenPeak:
    """A peak with what is known of its image."""
    field, tile = boxes(peak, image)
    return SeenPeak(
        rank=peak.rank,
        value=peak.value,
        image=peak.image,
        row=peak.row,
        col=peak.col,
        source=image.source,
        label=image.label,
        height=image.height,
        width=image.width,
        tile=tile,
        field=field,
        kept=kept,
    )


def seen_peaks(file: Reader, layer: AtlasLayerRecord, unit: int) -> tuple[SeenPeak, ...]:
    """A unit's peaks with their images, best first."""
    return tuple(
        seen_peak(peak, file.image(peak.image), kept=file.has_picture(peak.image))
        for peak in file.peaks(layer.id, unit)
    )


def boxes(peak: Peak, image: ImageRecord) -> tuple[Box | None, Box | None]:
    """The receptive field and the tile's box, px of the source picture, inside it."""
    found = on_picture(peak)
    if found is None or not image.height or not image.width:
        return None, None
    field, shown = found
    return field.clipped(image.height, image.width), shown.clipped(image.height, image.width)
