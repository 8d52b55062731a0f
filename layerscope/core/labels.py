"""What labels say of units, as records: a tree of labels, units named by them, and images that do not fit theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from layerscope.core.named import farthest_above_chance

# A unit is named by a label whose images come before the others in at least this share of pairs (the AUC), and whose
# p-value, times the number of labels, is below this.
LEAST_AUC, ALPHA = 0.75, 0.01
# A compound names a unit where it lies so many standard deviations above its best label, or more where labels that
# were shuffled reach more.
LEAST_GAIN = 1.0


# What a score is of: a label, "A or B", or "A, not B".
LABEL_FORM, OR_FORM, NOT_FORM = "label", "or", "not"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelTree:
    """Labels of images, in a tree. names: all different. parents: int64[labels], the label above each, -1 for none.

    levels: 1 for labels without one above, and up. deepest: int64[images], the lowest label of each image, -1 for an
    image without a label: it carries that label and all above it.
    """

    names: tuple[str, ...]
    parents: Int64[np.ndarray, " labels"]
    levels: Int64[np.ndarray, " labels"]
    deepest: Int64[np.ndarray, " images"]

    def below(self) -> Bool[np.ndarray, "labels labels"]:
        """Row a, column b: whether b is a, or lies below it."""
        found = np.eye(len(self.names), dtype=bool)
        for label in np.argsort(self.levels, kind="stable").tolist():
            if self.parents[label] >= 0:
                # Whoever holds the label above holds this one too; labels above come first.
                found[:, label] |= found[:, self.parents[label]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScore:
    """How well one unit finds the images of one label, or of a compound of two.

    form: "label", or of a compound "or" and "not". level: the label's in the hierarchy, 1 is the highest; of a compound
    its first's. auc: the share of pairs, an image with the label and one
    without, in which the former excites the unit more; equals count half. z: the standard deviations by which it is
    above chance. p: the one-sided p-value times the number of labels tried, at most 1. images: that carry the label.
    """

    label: str
    form: str
    level: int
    auc: float
    z: float
    p: float
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLabels:
    """What labels say of one unit.

    ranked: the three labels of the lowest p-value, those that may name it first; none for a unit that is the same on
    all images. best: the label that names it, or a compound where that gains; None where no label does.
    """

    unit: int
    ranked: tuple[LabelScore, ...] = ()
    best: LabelScore | None = None

    @property
    def dead(self) -> bool:
        """The same on all images."""
        return not self.ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures:
    """What a layer's units add up to. units: all. dead: the same on all images. named: by a label or a compound.

    compounds: named by one. distinct: how many labels and compounds name a unit. median_auc: of the first in rank of
    each unit that is not dead; None without any.
    """

    units: int
    dead: int
    named: int
    compounds: int
    distinct: int
    median_auc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLabels:
    """One layer, unit by unit and as a whole. shuffled: the same where images get the labels of others. margin: by how
    many standard deviations a compound must gain; no unit gains so much by shuffled labels."""

    layer: str
    units: tuple[UnitLabels, ...]
    figures: LabelFigures
    shuffled: LabelFigures
    margin: float

    def strongest(self, count: int) -> tuple[UnitLabels, ...]:
        """The named units farthest above chance, best first."""
        return farthest_above_chance(self.units, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """An image that does not fit its label.

    image: as its source calls it. own, others: how much the units of its label speak for it, and those of `other`, the
    label whose units do most, in nats: one more is e times as likely. score: others minus own.
    """

    image: str
    label: str
    other: str
    score: float
    own: float
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfits:
    """The images that fit their labels least, the least fitting first: a tenth of those that could be judged.

    judged: how many were. planted: how many of them got a wrong label on purpose, in a trial; found: which share of
    these then stood in the first tenth of the list; None where there were too few to try.
    """

    images: tuple[Misfit, ...]
    judged: int
    planted: int
    found: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDissection:
    """Names for units from labels alone, and what the units say of the labels.

    images: how many had a label. labels: how many were tried, those that at least two images carry and not all.
    settings: what it was measured with. left_out: what was not used, as sentences. sha256: by misfit the hash of its
    bytes, by which an atlas finds it among its own images.
    """

    layers: tuple[LayerLabels, ...]
    misfits: Misfits
    images: int
    labels: int
    settings: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
