"""`layerscope ablate`: what a network loses without some of its units, beside what it loses without others."""

from collections.abc import Sequence

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.core.ablation import Ablation, ChangedImage, ClassLoss, Outcome

TOTALS = ("", ">accuracy", ">loss", ">other class first")
CLASSES = (
    *("class", ">images", ">accuracy before", ">without", ">loss before", ">without", ">without others"),
    ">output changes by",
)
IMAGES = ("image", "judged by", "first before", "first without", ">loss before", ">without")
SHOWN = 10


def run(command: Command, output: Output) -> int:
    """Take the units out, print what is lost."""
    with output.bars() as progress:
        found = ls.ablate(**wanted(command, output), progress=progress)
    output.result(found.data(), text_of(found))
    return 0


def text_of(found: Ablation) -> str:
    """The totals, the classes that lose most, the images that change most, and how predictions agree with that."""
    units = "; ".join(f"{layer}: {_listed(numbers)}" for layer, numbers in found.after.units.items())
    left_out = f" ({words.counted(found.skipped, 'file')} left out)" if found.skipped else ""
    judged = f"{words.counted(found.images, 'image')}{left_out}, judged by {found.judged_by}"
    head = words.printable(f"{found.network}, units of {units}, {found.change}; {judged}")
    parts = [head, *found.remarks, "", words.table(TOTALS, _totals(found))]
    if found.others:
        parts.append(f"{found.as_much} of {words.counted(len(found.others), 'draw')} lose as much, or more")
    parts += ["", words.table(CLASSES, [_class_row(one) for one in found.classes[:SHOWN]])]
    if len(found.classes) > SHOWN:
        parts.append(f"and {words.counted(len(found.classes) - SHOWN, 'other class', 'other classes')}")
    if found.changed:
        parts += ["", words.table(IMAGES, [_image_row(one) for one in found.changed])]
    return "\n".join([*parts, *_agreement(found)])


def _totals(found: Ablation) -> list[tuple[object, ...]]:
    """The whole network, the one without the units, and those without others: the mean, and the draws at its ends."""
    rows = [_outcome("whole network", found.before), _outcome("without the units", found.after)]
    if found.others:
        by_loss = sorted(found.others, key=lambda one: one.loss)
        mean = [sum(values) / len(found.others) for values in zip(*map(_numbers, found.others), strict=True)]
        rows.append(_cells("without others, mean", *mean))
        rows += [_outcome("the draw that loses least", by_loss[0]), _outcome("... and most", by_loss[-1])]
    return rows


def _numbers(one: Outcome) -> tuple[float, float, float]:
    return one.accuracy, one.loss, one.turned


def _outcome(name: str, one: Outcome) -> tuple[object, ...]:
    return _cells(name, *_numbers(one))


def _cells(name: str, accuracy: float, loss: float, turned: float) -> tuple[object, ...]:
    return name, f"{accuracy:.1%}", f"{loss:.4f}", f"{turned:.1%}"


def _class_row(one: ClassLoss) -> tuple[object, ...]:
    others = "" if one.loss_others is None else f"{one.loss_others:.4f}"
    shares = f"{one.accuracy_before:.1%}", f"{one.accuracy:.1%}"
    return one.name, one.images, *shares, f"{one.loss_before:.4f}", f"{one.loss:.4f}", others, f"{one.output:+.4f}"


def _image_row(one: ChangedImage) -> tuple[object, ...]:
    return one.source, one.target, one.first_before, one.first, f"{one.loss_before:.4f}", f"{one.loss:.4f}"


def _agreement(found: Ablation) -> list[str]:
    """How the losses of classes that were predicted agree with the true ones."""
    if found.predicted is None:
        return []
    over = words.counted(found.predicted.classes, "class", "classes")
    loss, output = (
        "none" if rank is None else f"{rank:.2f}" for rank in (found.predicted.loss, found.predicted.output)
    )
    return ["", f"rank correlation with predicted losses over {over}: of losses {loss}, of outputs {output}"]


def _listed(units: Sequence[int]) -> str:
    """Numbers with ranges for runs of three and more: "2,5-9"."""
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
