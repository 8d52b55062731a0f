"""`layerscope demo`: a trained network, pictures whose content is known, and what the one sees in the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.api.demonstrating import NEXT
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

if TYPE_CHECKING:
    from layerscope.api.demonstrating import Demo, Facts


def run(command: Command, output: Output) -> int:
    """Build the atlas, dissect it, save plates and the report."""
    with output.bars() as progress:
        made = ls.demo(**command.values, progress=progress)
    text = _known(made) if made.facts is None else _text(made.facts, made.folder, made.files, made.seconds)
    output.result(made.data(), text)
    return 0


def _known(made: "Demo") -> str:
    kind = "strongest patches hold the pattern their unit was built for"
    found = [f"    {answer.layer}: {answer.holding:,} of {answer.patches:,} {kind}" for answer in made.answers]
    names = ", ".join(file.name for file in made.files)
    head = f"The units of the known network, over {words.counted(made.pictures, 'picture')}:"
    where = f"In {words.printable(made.folder)}: {names} ({words.duration(made.seconds)})"
    return "\n".join([head, *found, where])


def _text(facts: "Facts", folder: Path, files: Sequence[Path], seconds: float) -> str:
    from layerscope.api.demonstrating import sentences

    rows = [
        (
            layer.place, layer.figures.units, layer.figures.detectors, layer.figures.distinct_concepts,
            "" if layer.figures.mean_concept_level is None else f"{layer.figures.mean_concept_level:.2f}",
            ", ".join([unit.called for unit in layer.best if not (unit.standing and unit.standing.kinds)][:5]),
        )
        for layer in facts.layers
    ]  # fmt: skip
    table = words.table((">layer", ">units", ">named", ">concepts", ">mean level", "best at"), rows)
    head = f"What the units of {facts.network} detect, over {words.counted(facts.images, 'picture')} of known content:"
    names = ", ".join(file.name for file in files)
    where = f"In {words.printable(folder)}: demo.atlas, {names} ({words.duration(seconds)})"
    summary = "\n".join(sentences(facts))
    steps = "\n".join(f"    {line}" for line in NEXT.splitlines())
    atlas = words.printable(folder / "demo.atlas")
    report = words.printable(folder / "report.html")
    read = f"Read {report} first. The same lesson in the browser, with a page for every unit, live, and as files:"
    site = words.printable(folder / "site")
    browse = f"    layerscope serve {atlas}\n    layerscope live {atlas} worldnet\n    layerscope export {atlas} {site}"
    return f"{head}\n{table}\n{summary}\n{where}\n{read}\n{browse}\nFor a network and pictures of your own:\n{steps}"
