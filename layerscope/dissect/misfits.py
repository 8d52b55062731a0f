"""Images that do not fit their labels: the units of their label stay silent, or those of another label fire.

Each label has the units, of all layers, that find its images best. The mean of an image's ranks by these is one number,
and how much it speaks for the label is the logarithm of its odds where images with the label and without it are two
normal distributions of one variance, each as likely as it is frequent (Fisher's discriminant). An image is the less
fitting the more the units of another label speak for it than those of its own. How good the list is, is tried on the
spot: some images get a wrong label on purpose, units are chosen anew from these labels, and it is counted how many of
them the first tenth of the list holds.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from layerscope.core.labels import Misfit, Misfits
from layerscope.dissect.labels import LabelTests
from layerscope.dissect.ranks import Ranks

# Units that speak for a label.
UNITS = 16
# Labels of fewer images are not judged: their units would be chosen by the very image that is in question.
LEAST_IMAGES = 5
# The share of the list that is kept, and the share of images that get a wrong label in the trial.
FIRST, PLANTED = 0.1, 0.05


class Speaking:
    """How much the units of each label speak for each image. ranks: of all layers. judged: the labels that can be."""

    def __init__(self, ranks: Sequence[Ranks], tests: LabelTests, z: Float64[np.ndarray, "units labels"]) -> None:
        self._ranks = ranks
        self._ends = np.cumsum([len(one.ranks) for one in ranks])
        self.tests, self._z = tests, z
        lowest = np.bincount(tests.deepest, minlength=len(tests.tree.names))
        self.judged: Bool[np.ndarray, " labels"] = (lowest >= LEAST_IMAGES) & tests.tried

    def _spoken(self, label: int) -> Float32[np.ndarray, " n"]:
        """For each image, in nats: one more is e times as likely."""
        z = self._z[:, label]
        chosen = np.argsort(-z, kind="stable")[:UNITS]
        total = np.zeros(self._ranks[0].images)
        for unit in chosen[z[chosen] > 0].tolist():
            layer = int(np.searchsorted(self._ends, unit, side="right"))
            first = int(self._ends[layer]) - len(self._ranks[layer].ranks)
            total += self._ranks[layer].ranks[unit - first]
        inside = self.tests.below[label][self.tests.deepest]
        within, without = total[inside].mean(), total[~inside].mean()
        spread = total - np.where(inside, within, without)
        weight = (within - without) / ((spread @ spread) / len(total) or 1.0)
        return (weight * (total - (within + without) / 2) + np.log(inside.mean())).astype(np.float32)

    def compared(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each image how much its own label's units speak for it, how much those of another label do at most, and
        which; NaN, -inf and -1 where there are none."""
        count, deepest, below = self._ranks[0].images, self.tests.deepest, self.tests.below
        own, others = np.full(count, np.nan, np.float32), np.full(count, -np.inf, np.float32)
        which = np.full(count, -1)
        for label in np.flatnonzero(self.judged).tolist():
            spoken = self._spoken(label)
            mine = deepest == label
            own[mine] = spoken[mine]
            # A label above or below the image's own is no other label.
            related = below[label] | below[:, label]
            more = ~related[deepest] & (spoken > others)
            others[more], which[more] = spoken[more], label
        return own, others, which


def misfits(ranks: Sequence[Ranks], tests: LabelTests, z: Float64[np.ndarray, "units labels"], images: Sequence[str],
            seed: int) -> Misfits:  # fmt: skip
    """The tenth of the images that fit their labels least. images: what each is called."""
    speaking = Speaking(ranks, tests, z)
    own, others, which = speaking.compared()
    score = others - own
    order = _least_fitting(score)
    names: tuple[str, ...] = tests.tree.names
    planted, found = _tried(ranks, tests, speaking.judged, seed)
    return Misfits(
        images=tuple(
            Misfit(
                image=images[place], label=names[tests.deepest[place]], other=names[which[place]],
                score=float(score[place]), own=float(own[place]), others=float(others[place]),
            )
            for place in map(int, order[: _first(len(order))])
        ),
        judged=len(order),
        planted=planted,
        found=found,
    )  # fmt: skip


def _least_fitting(score: Float32[np.ndarray, " n"]) -> Int64[np.ndarray, " judged"]:
    """The images that could be judged, the least fitting first."""
    judged = np.flatnonzero(np.isfinite(score))
    return judged[np.argsort(-score[judged], kind="stable")]


def _first(judged: int) -> int:
    return int(np.ceil(FIRST * judged))


def planted_labels(
    deepest: Int64[np.ndarray, " n"], judged: Bool[np.ndarray, " labels"], seed: int
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " planted"]]:
    """The labels with one in twenty of the images that can be judged under another such label, and which these are."""
    rng = np.random.default_rng([seed, len(deepest)])
    places, labels = np.flatnonzero(judged[deepest]), np.flatnonzero(judged)
    chosen = np.sort(rng.permutation(places)[: int(PLANTED * len(places))])
    wrong = deepest.copy()
    for place in chosen.tolist():
        wrong[place] = rng.choice(labels[labels != deepest[place]])
    return wrong, chosen


def _tried(
    ranks: Sequence[Ranks], tests: LabelTests, judged: Bool[np.ndarray, " labels"], seed: int
) -> tuple[int, float | None]:
    """How many wrong labels were planted, and the share of them in the first tenth of the list."""
    if judged.sum() < 2:
        return 0, None
    wrong, chosen = planted_labels(tests.deepest, judged, seed)
    if not len(chosen):
        return 0, None
    planted = LabelTests(tests.tree, wrong)
    own, others, _ = Speaking(ranks, planted, z_of(ranks, planted)).compared()
    order = _least_fitting(others - own)
    return len(chosen), float(np.isin(chosen, order[: _first(len(order))]).mean())


def z_of(ranks: Sequence[Ranks], tests: LabelTests) -> Float64[np.ndarray, "units labels"]:
    """The z of every unit of all layers and every label."""
    sizes = tests.sizes[None].astype(np.float64)
    found = [one.tested(tests.sums(one), sizes).z for one in ranks]
    return np.concatenate(found)
