"""What a network gave for every image, with some units changed or none, and what that adds up to."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64
from torch import Tensor

from layerscope.causes.judging import losses
from layerscope.causes.ranks import rank_correlation
from layerscope.causes.units import UnitsByLayer
from layerscope.core.ablation import Agreement, ChangedImage, ClassLoss, Outcome


class Counted:
    """One network over all images: per image its first class, the target's loss and output; summed up, all outputs.

    units: those that were changed.
    """

    def __init__(self, units: UnitsByLayer, classes: int) -> None:
        self.units, self.sums = units, np.zeros(classes)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, scores: Float64[Tensor, "b classes"], targets: Int64[np.ndarray, " b"], kind: str) -> None:
        """Take in a batch. kind: what the scores are, as `judging.compared` tells."""
        own = scores.numpy()[np.arange(len(targets)), targets]
        self._parts.append((scores.argmax(1).numpy(), losses(scores, targets, kind), own))
        self.sums += scores.sum(0).numpy()

    def finish(self) -> None:
        """All batches as one; nothing is added any more."""
        self.first, self.loss, self.own = (np.concatenate(part) for part in zip(*self._parts, strict=True))

    def outcome(self, targets: Int64[np.ndarray, " n"], whole: "Counted") -> Outcome:
        return Outcome(
            units=self.units,
            accuracy=float((self.first == targets).mean()),
            loss=float(self.loss.mean()),
            turned=float((self.first != whole.first).mean()),
        )


def class_losses(
    names: Sequence[str], targets: Int64[np.ndarray, " n"], whole: Counted, without: Counted, others: Sequence[Counted]
) -> tuple[ClassLoss, ...]:
    """Every class that is a target; the largest growth of loss first."""

    def of(index: int) -> ClassLoss:
        here = targets == index
        elsewhere = [float(one.loss[here].mean()) for one in others]
        return ClassLoss(
            index=index,
            name=names[index],
            images=int(here.sum()),
            accuracy_before=float((whole.first[here] == index).mean()),
            accuracy=float((without.first[here] == index).mean()),
            loss_before=float(whole.loss[here].mean()),
            loss=float(without.loss[here].mean()),
            loss_others=float(np.mean(elsewhere)) if others else None,
            output=float((without.own[here] - whole.own[here]).mean()),
        )

    found = [of(index) for index in np.unique(targets).tolist()]
    return tuple(sorted(found, key=lambda one: (one.loss_before - one.loss, one.index)))


def changed_most(
    names: Sequence[str],
    images: Sequence[tuple[int, str]],
    targets: Int64[np.ndarray, " n"],
    whole: Counted,
    without: Counted,
    most: int,
) -> tuple[ChangedImage, ...]:
    """The images whose loss changes most. images: number and name of each."""
    order: list[int] = np.argsort(-np.abs(without.loss - whole.loss), kind="stable")[:most].tolist()
    return tuple(
        ChangedImage(
            image=images[place][0],
            source=images[place][1],
            target=names[int(targets[place])],
            first_before=names[int(whole.first[place])],
            first=names[int(without.first[place])],
            loss_before=float(whole.loss[place]),
            loss=float(without.loss[place]),
        )
        for place in order
    )


def agreement(predicted: Float64[np.ndarray, " classes"], classes: Sequence[ClassLoss]) -> Agreement:
    """How well predicted losses, one for every output, agree with those that were found. NaN: no prediction."""
    told = [one for one in classes if not np.isnan(predicted[one.index])]
    foretold = np.array([predicted[one.index] for one in told], float)
    return Agreement(
        classes=len(told),
        loss=rank_correlation(foretold, np.array([one.loss - one.loss_before for one in told], float)),
        output=rank_correlation(foretold, np.array([-one.output for one in told], float)),
    )
