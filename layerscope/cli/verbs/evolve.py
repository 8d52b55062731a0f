"""`layerscope evolve`: how the features of a training run developed, as a figure and in numbers."""

from pathlib import Path
from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

if TYPE_CHECKING:
    from layerscope.core.evolution import Evolution

LAYERS = ("layer", ">units", ">dead at the end", ">jumps shown", "strongest image is that of the last epoch")


def run(command: Command, output: Output) -> int:
    """Scan every checkpoint, draw the figure, say when each layer settled."""
    with output.bars() as progress:
        done = ls.evolve(**command.values, progress=progress)
    output.result(done.data(), _text(done.found, done.figure))
    return 0


def _text(found: "Evolution", saved: Path) -> str:
    rows = [
        (
            layer.name,
            layer.units,
            layer.units - layer.alive,
            int(layer.jumps.sum()),
            "  ".join(f"{epoch}: {words.percent(s)}" for epoch, s in zip(found.epochs, layer.same_image, strict=True)),
        )
        for layer in found.layers
    ]
    return f"{words.table(LAYERS, rows)}\n{saved}: evolution, {words.file_size(saved.stat().st_size)}"
