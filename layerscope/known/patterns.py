"""The patterns that the known network detects and the known pictures show: their names, and how they are put together.

Three depths, each made of the one before: strokes (lines, blobs) make shapes (corners, crosses, rings, stripes), and
shapes make things (a house, a face). All geometry is in input px, rows downwards; angles are in degrees,
counter-clockwise from the right, as seen.
"""

from math import cos, radians, sin

ANGLES = tuple(22.5 * step for step in range(8))
TONES = ("light", "dark")

# Red, green and blue of a blob's colour, -1..1, where 0 is the mid-gray that the input's mean is.
COLOURS = {
    "red": (1, -1, -1),
    "yellow": (1, 1, -1),
    "green": (-1, 1, -1),
    "cyan": (-1, 1, 1),
    "blue": (-1, -1, 1),
    "magenta": (1, -1, 1),
    "white": (1, 1, 1),
    "black": (-1, -1, -1),
}

# The directions in which a shape's arms leave its centre.
CORNERS = {
    "corner, arms right and down": (0, 270),
    "corner, arms left and down": (180, 270),
    "corner, arms left and up": (180, 90),
    "corner, arms right and up": (0, 90),
    "corner pointing up": (225, 315),
    "corner pointing down": (45, 135),
    "corner pointing left": (45, 315),
    "corner pointing right": (135, 225),
}
CROSSES = {"upright cross": (0, 90, 180, 270), "diagonal cross": (45, 135, 225, 315)}
DIRECTIONS = CORNERS | CROSSES
RINGS = {"small ring": 6, "large ring": 10}
STRIPES = {
    "horizontal stripes": 0,
    "stripes rising to the right": 45,
    "vertical stripes": 90,
    "stripes falling to the right": 135,
}
STRIPE_DISTANCE = 8

# The parts of a thing: (shape, row, col) from its centre. Things are drawn from these, and detected by them.
THINGS = {
    "square": (
        ("corner, arms right and down", -12, -12),
        ("corner, arms left and down", -12, 12),
        ("corner, arms left and up", 12, 12),
        ("corner, arms right and up", 12, -12),
    ),
    "diamond": (
        ("corner pointing up", -16, 0),
        ("corner pointing left", 0, -16),
        ("corner pointing right", 0, 16),
        ("corner pointing down", 16, 0),
    ),
    "house": (
        ("corner pointing up", -16, 0),
        ("corner, arms right and up", 12, -12),
        ("corner, arms left and up", 12, 12),
    ),
    "window": (
        ("corner, arms right and down", -14, -14),
        ("corner, arms left and down", -14, 14),
        ("corner, arms left and up", 14, 14),
        ("corner, arms right and up", 14, -14),
        ("upright cross", 0, 0),
    ),
    "blue eye": (("large ring", 0, 0), ("wide blue blob", 0, 0)),
    "target": (("large ring", 0, 0), ("wide red blob", 0, 0)),
    "traffic light": (("wide red blob", -12, 0), ("wide yellow blob", 0, 0), ("wide green blob", 12, 0)),
    "face": (("wide black blob", -6, -8), ("wide black blob", -6, 8), ("wide red blob", 8, 0)),
}

# What a thing must not have: with it, it would be another.
UNLIKE = {
    "diamond": (("large ring", 0, 0),),
    "square": (("upright cross", 0, 0),),
    "blue eye": (("wide red blob", 0, 0),),
    "target": (("wide blue blob", 0, 0),),
}


def line_name(tone: str, angle: float) -> str:
    """What a line is called; angles that differ by half a turn are the same line."""
    return f"{tone} line at {angle % 180:g} degrees"


STROKES = (
    *(line_name(tone, angle) for tone in TONES for angle in ANGLES),
    *(f"{colour} blob" for colour in COLOURS),
)
SHAPES = (*CORNERS, *CROSSES, *RINGS, *STRIPES, *(f"wide {colour} blob" for colour in COLOURS))

# The names of the units of each layer of the known network, in order.
UNIT_NAMES = {"strokes": STROKES, "shapes": SHAPES, "things": tuple(THINGS)}


def toward(angle: float, distance: float = 1.0) -> tuple[float, float]:
    """The row and column offsets of a point in this direction."""
    return -distance * sin(radians(angle)), distance * cos(radians(angle))


def stripe_middles(angle: float) -> tuple[tuple[float, float], ...]:
    """The row and column offsets of the middles of three parallel lines at this angle."""
    return tuple(toward(angle + 90, offset) for offset in (-STRIPE_DISTANCE, 0, STRIPE_DISTANCE))


def kind(name: str) -> str:
    """The family of a shape: corner, cross, ring, stripes or blob; a thing is a family of its own."""
    if name in THINGS:
        return name
    families = {"corner": CORNERS, "cross": CROSSES, "ring": RINGS, "stripes": STRIPES}
    return next((family for family, names in families.items() if name in names), "blob")
