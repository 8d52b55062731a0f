"""How to read tiles, for somebody who has never heard of units: said once, for the pages, the report and the README."""

from typing import NamedTuple

from layerscope.core.numbers import in_words

# Beside a plate, where one sentence has to do: how a projection comes about, and what its gray says.
FOLLOWED = "the same firing followed backwards to the pixels of that patch"
PLAIN_GRAY = "Where a tile is plain gray, the way back does not lead, or hardly."


class ReadingPart(NamedTuple):
    """A term, and what is said of it: a text that goes on from the term."""

    term: str
    says: str


def reading_parts(k: int, *, sides: bool = False) -> tuple[ReadingPart, ...]:
    """What a unit, its patches and its projections are, and what may not be concluded from these.

    k: how many tiles of each kind a unit has. sides: they stand side by side, patches on the right.
    """
    right, left = (", on the right,", ", on the left,") if sides else ("", "")
    places, ranked, together = "the place", "What does it show?", ""
    belongs = "As there is one patch, there is one of them: it"
    if k > 1:
        places = f"the {in_words(k)} places"
        ranked = (
            "The strongest comes first, row by row; of each picture only its strongest place counts. Look at these "
            "first: what have they in common?"
        )
        belongs = "The first belongs to the first patch, the second to the second, and so on: each"
        together = " What all the patches have in common says more."
    return (
        ReadingPart(
            "A unit",
            " is one of the network’s detectors. It looks at every place of a picture, always for the same thing, and "
            "gives a high number where it finds that: it fires.",
        ),
        ReadingPart(
            "Patches",
            f"{right} are pieces of pictures: {places} where the unit fired most, of all pictures it was shown. "
            f"{ranked}",
        ),
        ReadingPart(
            "Projections",
            f"{left} are the gray tiles. {belongs} covers the same piece of the picture and marks the pixels in it "
            "that the firing came from. To find these, the firing is followed backwards: from the unit, through one "
            "layer of the network after the other, down to single pixels. The marked ones stand out of the gray, "
            "whether lighter, darker or in colour. Where a tile is plain gray, the way back does not lead, or hardly, "
            "whatever the picture shows there.",
        ),
        ReadingPart(
            "A gray tile does not say",
            " how strongly the unit fired: each tile’s contrast is turned up as far as it goes. Where it is gray, the "
            "picture may still matter: changing it there may change the firing, too. Nor does it say what the unit "
            "always looks for: a tile is about one patch, and another unit that fires there may have nearly the same "
            f"one.{together}",
        ),
    )
