"""By which class each image is judged, and how a network's outputs are compared: settled before any image is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from layerscope.core.ablation import ALONE, LABELS, LOGITS, OWN, SHARES
from layerscope.core.errors import UsageError
from layerscope.core.records import ImageRecord
from layerscope.sources import Source
from layerscope.training.classes import ClassRow, Outputs, read_table

# How far from 1 the sum of a row of shares may be, in 16 bits too.
_ROUNDING = 1e-2
# The least share that a loss is taken of: float32's smallest normal number.
_LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Judge:
    """names: of the network's outputs, in order. outputs: from an image's class to an output; None where the network's
    own predictions are what images are judged by."""

    names: tuple[str, ...]
    outputs: Outputs | None

    @property
    def judged_by(self) -> str:
        return OWN if self.outputs is None else LABELS

    def targets(self, records: Sequence[ImageRecord], first: Int64[np.ndarray, " b"]) -> Int64[np.ndarray, " b"]:
        """The target of each image. first: the classes that the whole network puts first. Raises UsageError for an
        image whose class cannot be known."""
        if self.outputs is None:
            return first
        return self.outputs.indices([(record.source, record.label) for record in records])


def judge_of(
    count: int, source: Source, *, classes: tuple[str, ...] = (), table: Path | None = None, own: bool = False
) -> Judge:
    """How images are judged: by labels where there are any, as `training.evaluate` reads them.

    count: of the network's outputs. classes: its names of them. table: a file with index, wnid and name of each. own:
    judge by the network's own predictions all the same. Raises UsageError for classes that are not the network's.
    """
    rows = read_table(table) if table is not None else []
    listed = list(zip([identity for identity, _ in source.listing()], source.labelling(), strict=True))
    outputs = Outputs(count, classes, rows, listed)
    found = {place: label for identity, label in listed if (place := outputs.index(identity, label)) is not None}
    names = _names(count, classes, rows, {} if own else found)
    if own or not (found or source.label_names):
        return Judge(names, None)
    _require_known(outputs, [one for one in listed if one[1] is not None], count)
    return Judge(names, outputs)


def _require_known(outputs: Outputs, labelled: Sequence[tuple[str, str | None]], count: int) -> None:
    """Raises UsageError for a class that is none of the network's; an image without any may be no picture."""
    classes = len({label for _, label in labelled})
    try:
        outputs.indices(labelled)
    except UsageError as error:
        differ = f"the images have {classes:,} classes and the network {count:,} outputs: " if classes != count else ""
        raise UsageError(f"{differ}{error}; --own-predictions asks for no classes") from None


def _names(
    count: int, classes: Sequence[str], rows: Sequence[ClassRow], labels: dict[int, str | None]
) -> tuple[str, ...]:
    """The network's own names of its outputs, else the table's, else the labels'; else their numbers."""
    if len(classes) == count:
        return tuple(classes)
    known = {int(row.index): row.name or row.wnid for row in rows}
    return tuple(known.get(place) or labels.get(place) or str(place) for place in range(count))


def compared(scores: Float64[Tensor, "b classes"], *, alone: bool) -> str:
    """What outputs are: LOGITS, SHARES or ALONE. alone: they lie in 0..1 each by itself, as the graph tells."""
    inside = bool((scores >= 0).all() and (scores <= 1 + _ROUNDING).all())
    if inside and bool((scores.sum(1) - 1).abs().max() <= _ROUNDING):
        return SHARES
    return ALONE if alone else LOGITS


def losses(
    scores: Float64[Tensor, "b classes"], targets: Int64[np.ndarray, " b"], kind: str
) -> Float64[np.ndarray, " b"]:
    """Minus the logarithm of each target's share, from logits by their softmax, in nats."""
    logarithms = torch.log_softmax(scores, 1) if kind == LOGITS else scores.clamp(min=_LEAST).log()
    return -logarithms.gather(1, torch.from_numpy(targets)[:, None])[:, 0].numpy()
