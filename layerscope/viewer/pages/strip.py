"""The network as a strip drawn to scale: for each layer its units, its map, and how much of the picture it sees."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord

# Of the drawing, in its own px: room for row names and for words above and below, what lies between two
# columns, and the least and largest column.
LEFT, WORDS, BAR, APART = 56, 20, 14, 28
# So many px a window of 1280 has room for: 15 layers are seen whole.
WIDEST, LEAST, LARGEST = 1100, 40, 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A rectangle, px of the drawing."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A layer in the strip. middle: of the column. units, map, input, field: rectangles; map is None for a dense layer.

    The sides of maps and fields are to the side of `input` as their px are to those of the network's input. seen: of a
    field, its rows and columns, px; None where it is the whole picture.
    """

    layer: AtlasLayerRecord
    middle: float
    units: Drawn
    map: Drawn | None
    input: Drawn
    field: Drawn
    seen: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The whole drawing, px. step: a column's width. feet: where the rows of units, maps and fields stand."""

    width: float
    height: float
    step: float
    feet: tuple[float, float, float]
    columns: tuple[Column, ...]


def strip_of(layers: tuple[AtlasLayerRecord, ...], input_size: tuple[int, int]) -> Strip:
    """The strip of some layers; heights of units are to one another as their numbers.

    input_size: height and width of the network's input, px.
    """
    most = max((layer.record.units for layer in layers), default=1)
    side = min(max((WIDEST - LEFT) / max(len(layers), 1) - APART, LEAST), LARGEST)
    step, above = side + APART, WORDS + 12
    tallest = max((layer.record.map[0] for layer in layers if layer.record.map), default=0) * side / max(input_size)
    feet = (side + above, side + above + max(tallest, 1) + above, 2 * (side + above) + max(tallest, 1) + above)
    return Strip(
        width=LEFT + step * len(layers),
        height=feet[-1] + WORDS + 6,
        step=step,
        feet=feet,
        columns=tuple(
            _column(layer, LEFT + step * (number + 0.5), side, feet, input_size, side * layer.record.units / most)
            for number, layer in enumerate(layers)
        ),
    )


def _column(
    layer: AtlasLayerRecord,
    middle: float,
    side: float,
    feet: tuple[float, float, float],
    input_size: tuple[int, int],
    tall: float,
) -> Column:
    record, scale = layer.record, side / max(input_size)
    height, width = (length * scale for length in input_size)
    whole = record.field.sees_all
    rows, cols = (1.0, 1.0) if whole else _shares(layer, input_size)
    return Column(
        layer=layer,
        middle=middle,
        units=_standing(middle, feet[0], BAR, tall),
        map=_standing(middle, feet[1], record.map[1] * scale, record.map[0] * scale) if record.map else None,
        input=_standing(middle, feet[2], width, height),
        field=_standing(middle, feet[2] - height * (1 - rows) / 2, width * cols, height * rows),
        seen=None if whole else (float(record.field.rows.size), float(record.field.cols.size)),
    )


def _shares(layer: AtlasLayerRecord, input_size: tuple[int, int]) -> tuple[float, float]:
    """Of each side of the picture, what a position sees, at most all of it."""
    field = layer.record.field
    return min(float(field.rows.size) / input_size[0], 1.0), min(float(field.cols.size) / input_size[1], 1.0)


def _standing(middle: float, foot: float, width: float, height: float) -> Drawn:
    """A rectangle on its foot, at least 1 px wide and high: what is there is seen."""
    width, height = max(width, 1.0), max(height, 1.0)
    left, top = middle - width / 2, foot - height
    return Drawn(left=round(left, 2), top=round(top, 2), width=round(width, 2), height=round(height, 2))
