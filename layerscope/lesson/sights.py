"""What a unit without a name is seen to answer to, by its patches alone: one table of what is looked for in them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layerscope.core.concept_words import concept_phrase, line_words
from layerscope.facts.patches import MUCH, PatchSight
from layerscope.lesson.patch_forms import common_colour, common_round, pattern
from layerscope.lesson.themes import THEMES, Theme

# From here on one direction runs through nine patches: of nine drawn at random the mean of doubled angles is as long in
# four of a hundred.
DIRECTED = 0.6
# By so many standard deviations a middle is light or dark.
TOLD = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What patches show. share: how far they agree on it, 0..1, by the measure of its row. thing: its name, "" where
    there is none to tell it from others of its theme; phrase: as it stands in a sentence."""

    share: float
    thing: str
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Something that is looked for in patches. theme: what it belongs to. least: the share from which on it is seen: of
    sets of nine patches drawn at random from a layer over photographs one in a hundred reaches it, of lines three.
    because: what speaks for it."""

    theme: Theme
    least: float
    look: Callable[[np.ndarray, PatchSight], Seen]
    because: str

    def clear(self, seen: Seen) -> float:
        """How far above the least a share is, of what it could be: below 0 it is not seen."""
        return (seen.share - self.least) / (1 - self.least)


def _lines(patches: np.ndarray, sight: PatchSight) -> Seen:
    whatever = ", whatever its colour" if sight.colour >= MUCH else ""
    words = line_words(sight.angle)
    return Seen(share=sight.oriented, thing=words, phrase=f"a {words} line or edge{whatever}")


def _colours(patches: np.ndarray, sight: PatchSight) -> Seen:
    found = common_colour(patches)
    return Seen(share=found.share, thing=found.word, phrase=concept_phrase(found.word))


def _shapes(patches: np.ndarray, sight: PatchSight) -> Seen:
    # A broad line through the middle runs around it, too, as far as its borders go.
    found, directed = common_round(patches), sight.oriented >= DIRECTED
    how = ", light in the middle" if found.middle > TOLD else ", dark in the middle" if found.middle < -TOLD else ""
    return Seen(share=0.0 if directed else max(found.share, 0.0), thing="", phrase=f"something round{how}")


def _patterns(patches: np.ndarray, sight: PatchSight) -> Seen:
    return Seen(share=min(pattern(patches), 1.0), thing="", phrase="a pattern that fills the patch")


SIGHTS = (
    Sight(theme=THEMES["lines"], least=DIRECTED, look=_lines, because="One direction runs through its patches."),
    Sight(theme=THEMES["colours"], least=0.75, look=_colours, because="Its patches have this colour in common."),
    Sight(theme=THEMES["shapes"], least=0.3, look=_shapes, because="Light and dark change around one middle."),
    Sight(theme=THEMES["patterns"], least=0.57, look=_patterns, because="Fine detail fills its patches."),
)


def clearest(patches: np.ndarray, seen: PatchSight) -> tuple[Sight, Seen] | None:
    """What patches, uint8[k, h, w, 3], show most clearly; None where nothing of the table is seen in them. seen: what
    `patch_sight` says of them."""
    found = [(sight, sight.look(patches, seen)) for sight in SIGHTS]
    best, shown = max(found, key=lambda one: one[0].clear(one[1]))
    return (best, shown) if best.clear(shown) >= 0 else None
