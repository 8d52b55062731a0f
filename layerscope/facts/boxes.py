"""A peak's receptive field on its source picture: the atlas keeps it on the input plane, and the tile's box on both."""

from layerscope.atlas.records import Peak
from layerscope.core.geometry import Box

Span = tuple[int, int]


def on_picture(peak: Peak, scale: tuple[float, float] = (1.0, 1.0)) -> tuple[Box, Box] | None:
    """The field and the tile's box on a picture; both may cross its border. None until the peak is projected.

    scale: the picture's px per px of the source picture, along rows and columns.
    """
    inside, shown = peak.tile_box, peak.source_box
    if inside is None or shown is None or not (inside.height and inside.width):
        return None
    rows = _spans((peak.box.top, peak.box.bottom), (inside.top, inside.bottom), (shown.top, shown.bottom), scale[0])
    cols = _spans((peak.box.left, peak.box.right), (inside.left, inside.right), (shown.left, shown.right), scale[1])
    field, tile = (
        Box(top=row[0], left=col[0], bottom=row[1], right=col[1]) for row, col in zip(rows, cols, strict=True)
    )
    return field, tile


def _spans(field: Span, tile: Span, source: Span, shrink: float) -> tuple[Span, Span]:
    """The field's and the tile's span along one axis of a picture, from the tile's span on two planes.

    field, tile: px of the input. source: the tile's span in px of the source picture. The field goes from one plane to
    the other as the tile does.
    """
    scale = (source[1] - source[0]) / (tile[1] - tile[0])
    low, high = (source[0] + (edge - tile[0]) * scale for edge in field)
    return (round(low * shrink), round(high * shrink)), (round(source[0] * shrink), round(source[1] * shrink))
