"""What a network loses without some of its units, as plain values: before and after, and beside other units.

An image has a class by which it is judged, its *target*: that of its label, or, where labels are not known, the class
that the whole network puts first. Accuracy is the share of images whose target comes first, so that without labels it
is the agreement with the whole network. The loss of an image is minus the logarithm of its target's share.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# How images are judged, and what the network's outputs are, in the words that results are told by.
LABELS, OWN = "labels", "the network's own predictions"
LOGITS, SHARES, ALONE = "logits", "shares that sum to 1", "numbers in 0..1, each by itself"
COMPARED: Mapping[str, str] = {
    LOGITS: "",
    SHARES: "the outputs are shares that sum to 1 and no logits: losses are minus the logarithm of the target's share",
    ALONE: "the outputs lie in 0..1 each by itself and are no logits: losses are minus the logarithm of the target's "
    "own output",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a network does without some units.

    units: those that were changed, by layer; none of them where the network is whole. accuracy: share in 0..1 of the
    images whose target comes first. loss: mean over the images. turned: share of the images whose first class is
    another than the whole network's.
    """

    units: Mapping[str, tuple[int, ...]]
    accuracy: float
    loss: float
    turned: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLoss:
    """What one class loses, over the images whose target it is.

    index: of the output; name: of the class, or its index. accuracy, loss: without the units; accuracy_before,
    loss_before: of the whole network. loss_others: without as many other units, mean over the draws; None without any.
    output: the mean change of the class's output as the network gives it (before a softmax at its end).
    """

    index: int
    name: str
    images: int
    accuracy_before: float
    accuracy: float
    loss_before: float
    loss: float
    loss_others: float | None
    output: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedImage:
    """One image. target: the class that it is judged by; first_before, first: the class that came first; by name.
    loss_before, loss: of the target, of the whole network and without the units."""

    image: int
    source: str
    target: str
    first_before: str
    first: str
    loss_before: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Spearman's rank correlation, -1..1, of predicted losses with true ones, over the classes that have images.

    loss: with how much each class's loss grows; output: with how much its output falls. None where there are fewer than
    three classes, or where all predictions or all losses are equal.
    """

    classes: int
    loss: float | None
    output: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """A network with and without some of its units.

    change: what became of them, in words. judged_by: LABELS or OWN. compared: what the outputs are: LOGITS, SHARES or
    ALONE. images: how many were judged; skipped: how many could not be read. before, after: the whole network, and
    without the units. others: without as many other units of the same layers, draw by draw; seed: of the draws.
    outputs: for every output of the network, in order, the mean change over all images. classes: those that have
    images, the largest growth of loss first. changed: the images whose loss changes most, most first. predicted: how
    well predicted losses agree with these; None where none were given. remarks: what else is to be known, as sentences.
    """

    network: str
    change: str
    judged_by: str
    compared: str
    images: int
    skipped: int
    before: Outcome
    after: Outcome
    others: tuple[Outcome, ...]
    seed: int
    outputs: tuple[float, ...]
    classes: tuple[ClassLoss, ...]
    changed: tuple[ChangedImage, ...]
    predicted: Agreement | None = None
    remarks: tuple[str, ...] = ()

    @property
    def as_much(self) -> int:
        """In how many of the draws the loss without other units is at least that without these."""
        return sum(one.loss >= self.after.loss for one in self.others)

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"as_much": self.as_much}
