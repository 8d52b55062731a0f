"""A peak's receptive field on its source picture: the atlas keeps it on the input plane, and the tile's box on both."""

Span = tuple[int, int]


def span_on_picture(field: Span, tile: Span, source: Span, shrink: float = 1.0) -> tuple[Span, Span]:
    """The field's and the tile's span along one axis of a picture, from the tile's span on two planes.

    field, tile: px of the input. source: the tile's span in px of the source picture. shrink: the picture's px per
    source px. The field goes from one plane to the other as the tile does; it may cross the border.
    """
    scale = (source[1] - source[0]) / (tile[1] - tile[0])
    low, high = (source[0] + (edge - tile[0]) * scale for edge in field)
    return (round(low * shrink), round(high * shrink)), (round(source[0] * shrink), round(source[1] * shrink))
