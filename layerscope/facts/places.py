"""Where a unit looks on a source picture, whether or not the build kept a tile of it: its field, and what to cut."""

from typing import NamedTuple

from layerscope.atlas.records import AtlasLayerRecord, Peak
from layerscope.core.geometry import Box
from layerscope.core.records import ImageRecord, Input, Placement
from layerscope.facts.boxes import on_picture
from layerscope.facts.wrapping import Reader
from layerscope.sources.prepare import placement_of


class PeakPlace(NamedTuple):
    """A peak on its source picture, px, inside it.

    field: the receptive field, None where it is not known how the picture lay in the input. tile: what the stored tiles
    show, None without any. cut: in place of a tile, what can be cut from the thumbnail: as large as the layer's tiles,
    on the field's centre; None where there is a tile, or no field.
    """

    field: Box | None = None
    tile: Box | None = None
    cut: Box | None = None


def place_of(file: Reader, layer: AtlasLayerRecord, peak: Peak, image: ImageRecord) -> PeakPlace:
    """Where a peak lies on its picture. image: the peak's."""
    if not image.height or not image.width:
        return PeakPlace()
    stored = on_picture(peak)
    if stored is not None:
        field, tile = stored
        return PeakPlace(field=field.clipped(image.height, image.width), tile=tile.clipped(image.height, image.width))
    placement = placement_in(file, image)
    if placement is None:
        return PeakPlace()
    input = file.run.input
    field = placement.source_box(peak.box)
    cut = placement.source_box(central_box(layer, peak.row, peak.col, input))
    # In what lies around a picture that is smaller than the input, there is nothing to see.
    return PeakPlace(field=field, cut=cut) if field.height and field.width and cut.height and cut.width else PeakPlace()


def placement_in(file: Reader, image: ImageRecord) -> Placement | None:
    """How the input lay on an image's source picture; None where that is not known."""
    if not image.height or not image.width:
        return None
    input = file.run.input
    prepared = placement_of(input, image.height, image.width)
    if (image.height, image.width) != (input.height, input.width) or prepared == (as_is := _as_is(input)):
        return prepared
    # A Dataset gives pictures, or the network's own input as it is: of this size it may be either. Stored boxes tell.
    known = [(peak.tile_box, peak.source_box) for _, _, peak in file.peaks_in(image.id)]
    pairs = [(inside, source) for inside, source in known if inside is not None and source is not None]
    fitting = [one for one in (prepared, as_is) if all(one.source_box(inside) == source for inside, source in pairs)]
    return fitting[0] if len(fitting) == 1 else None


def _as_is(input: Input) -> Placement:
    return Placement(row_scale=1.0, col_scale=1.0, top=0.0, left=0.0, height=input.height, width=input.width)


def central_box(layer: AtlasLayerRecord, row: int, col: int, input: Input) -> Box:
    """A square of the layer's tile side on the field's centre, inside the input, px; the whole input for a dense layer.

    Before the layer's tiles are made, the part of the field that is inside.
    """
    if layer.record.map is None:
        return Box(top=0, left=0, bottom=input.height, right=input.width)
    field, side = layer.record.field.box(row, col), layer.tile
    if side is None:
        return field.clipped(input.height, input.width)
    top, left = (field.top + field.bottom - side) // 2, (field.left + field.right - side) // 2
    return Box(top=top, left=left, bottom=top + side, right=left + side).moved_inside(input.height, input.width)
