"""The concepts that the world's pictures are made of, on five levels: each level is drawn with those below it.

Level 1 is told from the finished pixels, wherever an edge or a colour is seen; the others from what was drawn, less
what was painted over. Angles of edges are in degrees, counter-clockwise from the right, as seen: an edge at -45 falls
to the right.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """Something that can be seen in a picture. level: 1 (edges and colours) to 5 (objects)."""

    name: str
    level: int


EDGE_STEP = 22.5  # degrees between the directions of two kinds of edges
EDGE_ANGLES = tuple(EDGE_STEP * step for step in range(-3, 5))
EDGES = tuple(f"edge {angle:g}" for angle in EDGE_ANGLES)
COLOURS = ("black", "gray", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
SHAPES = ("dot", "circle", "ring", "arc", "rectangle", "triangle", "corner", "cross", "stripes", "gradient")
PATTERNS = (
    "grid",
    "checker",
    "honeycomb",
    "bricks",
    "dots",
    "waves",
    "zigzag",
    "spiral",
    "target",
    "star",
    "wheel",
    "eye",
    "text",
)
PARTS = (
    "face",
    "muzzle",
    "ear",
    "beak",
    "wing",
    "fin",
    "petal",
    "flower head",
    "leaf",
    "window",
    "door",
    "frame",
)
CLASSES = (
    "bicycle",
    "bird",
    "boat",
    "butterfly",
    "car",
    "cat face",
    "clock",
    "dog face",
    "fish",
    "flower",
    "house",
    "keyboard",
    "person",
    "snail",
    "tree",
    "umbrella",
)

CONCEPTS = tuple(
    Concept(name=name, level=level)
    for level, names in ((1, EDGES + COLOURS), (2, SHAPES), (3, PATTERNS), (4, PARTS), (5, CLASSES))
    for name in names
)
PLACE = {concept.name: place for place, concept in enumerate(CONCEPTS)}
