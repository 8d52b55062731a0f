"""`layerscope evolve`: how the features of a training run developed, as a figure and in numbers."""

import argparse
from contextlib import nullcontext
from pathlib import Path

from layerscope.api.bars import Bars
from layerscope.api.network import Network
from layerscope.api.selection import chosen_layers
from layerscope.cli import words
from layerscope.cli.networks import images
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError
from layerscope.core.evolution import Evolution
from layerscope.core.progress import Silent
from layerscope.core.records import LayerRecord
from layerscope.figures.evolution import evolution
from layerscope.figures.files import require_writable
from layerscope.figures.fonts import missing_words
from layerscope.training.evolution import evolve
from layerscope.training.kept import KeptRun

LAYERS = ("layer", ">units", ">dead at the end", ">jumps shown", "strongest image is that of the last epoch")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Scan every checkpoint, draw the figure, say when each layer settled."""
    out = Path(arguments.out).expanduser()
    require_writable(out)
    if out.exists() and not arguments.overwrite:
        raise UsageError(f'"{out}" exists already; add --overwrite, or choose another file with -o')
    kept, source = KeptRun(Path(arguments.run).expanduser()), images(arguments)
    layers = wanted(kept, arguments.layers)
    options = {name: getattr(arguments, name) for name in ("units", "seed", "method", "view")}
    with nullcontext() if output.quiet else Bars() as bars:
        found = evolve(kept, layers, source, **options, reporter=bars or Silent())
    figure = evolution(found)
    if missing := figure.missing_letters:
        output.remark(missing_words(missing))
    saved = figure.save(out)
    output.result({"figure": str(saved), "bytes": saved.stat().st_size, **found.data()}, _text(found, saved))
    return 0


def wanted(kept: KeptRun, names: list[str] | None) -> list[LayerRecord]:
    """The layers named; without names, those with a map among the ones that "auto" means."""
    network = Network(kept.network, kept.input, kept.program(kept.epochs[-1]))
    if names:
        return list(chosen_layers(network, names))
    return [layer for layer in chosen_layers(network, "auto") if layer.map]


def _text(found: Evolution, saved: Path) -> str:
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
