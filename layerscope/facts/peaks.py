"""A peak with what is known of its image: value, image, and where in the image it lies, in px of the source picture."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord, Peak
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord
from layerscope.facts.places import place_of
from layerscope.facts.wrapping import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPeak:
    """One of a unit's highest activations.

    rank: 0 is the highest. row, col: in the layer's map. source, label: the image's. height, width: of the source
    picture, px. field: the receptive field, px of the source picture, inside it; None where it is not known how that
    lay in the input. tile: the same of what the stored tiles show, None without any. cut: in place of a tile, what can
    be cut from the thumbnail. kept: the atlas holds a thumbnail of the image.
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
    cut: Box | None
    kept: bool


def seen_peak(file: Reader, layer: AtlasLayerRecord, peak: Peak, image: ImageRecord) -> SeenPeak:
    """A peak with what is known of its image."""
    place = place_of(file, layer, peak, image)
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
        tile=place.tile,
        field=place.field,
        cut=place.cut,
        kept=file.has_picture(peak.image),
    )


def seen_peaks(file: Reader, layer: AtlasLayerRecord, unit: int) -> tuple[SeenPeak, ...]:
    """A unit's peaks with their images, best first."""
    return tuple(seen_peak(file, layer, peak, file.image(peak.image)) for peak in file.peaks(layer.id, unit))
