"""Concepts as people say them: each concept of the drawn world in plain words, every other under its own name.

The name stays the key: in atlases, JSON and settings a concept is called as it ever was.
"""

# What a dissection of drawn pictures names with a number, by that number: degrees, counter-clockwise from the right.
EDGE = "edge "
DIRECTIONS = {
    "-67.5": "steeply falling",
    "-45": "falling",
    "-22.5": "gently falling",
    "0": "horizontal",
    "22.5": "gently rising",
    "45": "rising",
    "67.5": "steeply rising",
    "90": "vertical",
}
# Names that are no whole words for what they mean.
PLAIN = {"checker": "checkerboard", "text": "writing"}
COLOURS = (
    "black", "gray", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink",
)  # fmt: skip
# Kinds that take "a" or "an" before their words, and kinds that are said without.
THINGS = (
    "dot", "circle", "ring", "arc", "rectangle", "triangle", "corner", "cross", "gradient", "grid", "checker",
    "honeycomb", "zigzag", "spiral", "target", "star", "wheel", "eye", "face", "muzzle", "ear", "beak", "wing", "fin",
    "petal", "flower head", "leaf", "window", "door", "frame", "bicycle", "bird", "boat", "butterfly", "car",
    "cat face", "clock", "dog face", "fish", "flower", "house", "keyboard", "person", "snail", "tree", "umbrella",
)  # fmt: skip
UNCOUNTED = ("stripes", "bricks", "dots", "waves", "text")
# What a unit is said to show, in every place: of the concepts that were tried the one that it follows best. And where
# none reaches the bar.
CLOSEST, NOT_CLOSE = "closest concept", "no concept comes close"


def concept_words(concept: str) -> str:
    """A concept's name in words: "vertical edge" of "edge 90"; the name itself where that is words already."""
    direction = DIRECTIONS.get(concept.removeprefix(EDGE)) if concept.startswith(EDGE) else None
    return f"{direction} edge" if direction else PLAIN.get(concept, concept)


def closest_words(concept: str, score: float | None = None, *, begins: bool = False) -> str:
    """What a unit shows, as pages, plates and the terminal say it: "closest concept: vertical edge, score 0.13".

    begins: a sentence, with a capital letter; a concept's own letters stay as they are.
    """
    said = f"{CLOSEST.capitalize() if begins else CLOSEST}: {concept_words(concept)}"
    return said if score is None else f"{said}, score {score:.2f}"


def concept_phrase(concept: str) -> str:
    """A concept as it stands in a sentence: "a vertical edge", "the colour red", "stripes".

    Concepts that are none of the drawn world's are named as they are: nothing is known of their article.
    """
    words = concept_words(concept)
    if concept in COLOURS:
        return f"the colour {words}"
    if concept in THINGS or (concept.startswith(EDGE) and words != concept):
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    return words


def known_by(concept: str) -> tuple[str, ...]:
    """All that a concept may be asked for by: its name, and its words where these are others."""
    return tuple(dict.fromkeys((concept, concept_words(concept))))


def line_words(angle: float) -> str:
    """The direction of a line at an angle, in words: the nearest of DIRECTIONS. angle: degrees, as of edges."""
    return DIRECTIONS[min(DIRECTIONS, key=lambda known: _apart(float(known), angle))]


def turned(concept: str, angle: float) -> float | None:
    """How many degrees lie between an edge and a line at an angle, 0..90; None for what is no edge of the world."""
    known = concept.removeprefix(EDGE)
    return _apart(float(known), angle) if concept.startswith(EDGE) and known in DIRECTIONS else None


def _apart(one: float, other: float) -> float:
    """Degrees between two lines, which have no front and no back."""
    away = abs(one - other) % 180
    return min(away, 180 - away)
