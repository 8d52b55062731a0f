"""`layerscope export`: an atlas as a folder of pages that opens anywhere, without a server. No torch."""

import argparse
from contextlib import nullcontext
from typing import Any

from layerscope.api.bars import Bars
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError
from layerscope.viewer.export import Choice, Plan, export, planned, told


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write the site and say where it is; with --dry-run only what it would take."""
    choice = chosen(arguments)
    if arguments.dry_run:
        with planned(arguments.atlas, choice, budget=arguments.budget) as plan:
            for sentence in told(plan, asked=choice)[1:]:
                output.remark(sentence)
            output.result(_forecast(plan), _forecast_text(plan))
        return 0
    if arguments.folder is None:
        raise UsageError("say where the site is to go: layerscope export FILE DIR")
    with nullcontext() if output.quiet else Bars() as bars:
        done = export(
            arguments.atlas,
            arguments.folder,
            choice,
            budget=arguments.budget,
            overwrite=arguments.overwrite,
            progress=bars,
        )
    data = {"folder": str(done.folder), "files": done.files, "bytes": done.bytes}
    where = words.printable(done.folder / "index.html")
    output.result(data, f"{where}: {words.counted(done.files, 'file')}, {words.file_size(done.bytes)}")
    return 0


def chosen(arguments: argparse.Namespace) -> Choice:
    """What the options choose of the atlas."""
    return Choice(
        layers=tuple(name for names in arguments.layers or () for name in names.split(",") if name),
        tile=arguments.tile,
        photographs=not arguments.no_photographs,
        projections=not arguments.no_projections,
    )


def _forecast(plan: Plan) -> dict[str, Any]:
    """What would be written. bytes: estimated. tile: largest side of a tile, null as stored."""
    choice, run = plan.book.edition.choice, plan.book.run
    return {
        "files": plan.estimate.files,
        "bytes": plan.estimate.bytes,
        "layers": [layer.name for layer in plan.book.layers],
        "methods": list(run.methods),
        "views": list(run.views),
        "tile": choice.tile,
        "photographs": choice.photographs,
    }


def _forecast_text(plan: Plan) -> str:
    found = _forecast(plan)
    held = [
        words.counted(len(found["layers"]), "layer"),
        f"projections by {', '.join(found['methods'])}" if found["methods"] else "no projections",
        "with photographs" if found["photographs"] else "without photographs",
    ]
    held += [f"tiles of at most {found['tile']} px"] if found["tile"] else []
    size = f"about {words.file_size(found['bytes'])} in {words.counted(found['files'], 'file')}"
    return f"{size}: {', '.join(held)}; nothing was written"
