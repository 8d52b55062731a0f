"""What a unit is used for, as a reader gets it: classes that it speaks for and against, and later units."""

from dataclasses import dataclass

from layerscope.core.shares import Makes

# Of each unit so many classes that it speaks most for are kept, and so many that it speaks most against; from so many
# images at most.
FOR, AGAINST = 5, 5
MOST_IMAGES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassUse:
    """A class that a unit speaks for, or against.

    output: the class's place among the network's outputs. name: the class, or the place where no name is known. amount:
    how much of the class's score the unit sends, before the softmax: the mean over the images of the sample that the
    network takes for it or that are labelled so; below zero where it speaks against it. images: how many these are.
    """

    output: int
    name: str
    amount: float
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFor:
    """What a unit is used for.

    classes: those that it speaks most for, at most five, the most first, then those that it speaks most against, at
    most five, the most first. units: the later units of whose peaks it is among the strongest parts, by layer, the
    highest share first. images: how many the classes are taken from; 0 where nothing is known of classes.
    """

    classes: tuple[ClassUse, ...]
    units: tuple[Makes, ...]
    images: int
