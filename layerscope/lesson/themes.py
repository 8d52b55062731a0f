"""What a chapter of the lesson may be about, from lines to whole things: one table, and where each concept belongs."""

from dataclasses import dataclass

from layerscope.core.concept_words import EDGE

# The levels of the drawn world's concepts, in words.
LEVELS = {
    1: "edges and colours",
    2: "simple shapes",
    3: "patterns",
    4: "parts of things",
    5: "whole things",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What a chapter is about. name: of the theme. level: of its concepts. title: over the chapter; again: what is put
    behind it where a chapter before had the same. seen: as in "23 units answer to lines and edges"."""

    name: str
    level: int
    title: str
    seen: str
    again: str = "larger"


THEMES = {
    theme.name: theme
    for theme in (
        Theme(name="lines", level=1, title="Lines", seen="lines and edges"),
        Theme(name="colours", level=1, title="Colours", seen="a colour", again="again"),
        Theme(name="shapes", level=2, title="Simple shapes", seen="simple shapes"),
        Theme(name="patterns", level=3, title="Patterns", seen="patterns"),
        Theme(name="parts", level=4, title="Parts of things", seen="parts of things"),
        Theme(name="things", level=5, title="Whole things", seen="whole things"),
        # What is known by the classes of whole pictures alone.
        Theme(name="classes", level=5, title="Kinds of pictures", seen="one kind of picture", again="again"),
    )
}
# Of the second level, but no shape: a colour that runs into another.
RUNS = ("gradient",)
# Masks of photographs put their concepts into categories, and know no level. What is not here is a thing.
CATEGORIES = {"color": "colours", "colour": "colours", "texture": "patterns", "material": "patterns", "part": "parts"}


def theme_of(concept: str, level: int | None, category: str = "") -> Theme:
    """Where a concept belongs. level: of drawn ones; category: of those of photographs."""
    if level is None:
        return THEMES[CATEGORIES.get(category.casefold(), "things")]
    if level <= 1 or concept in RUNS:
        return THEMES["lines" if concept.startswith(EDGE) else "colours"]
    return next((theme for theme in THEMES.values() if theme.level == level), THEMES["things"])
