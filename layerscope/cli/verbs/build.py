"""`layerscope build`: from a network and images to an atlas, or a forecast of what that takes."""

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import verbs
from layerscope.api.bars import Bars
from layerscope.cli import words
from layerscope.cli.networks import images, network
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError

if TYPE_CHECKING:
    from layerscope.api.atlas import Atlas
    from layerscope.pipeline.forecast import Forecast


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Build the atlas, or forecast its build."""
    from layerscope.api.selection import left_out

    if arguments.out is None and not arguments.dry_run:
        raise UsageError("say where the atlas is to be: -o FILE")
    # First what is quickly known to be wrong: a large network takes a while to load.
    source = images(arguments)
    net = network(arguments, output, with_weights=not arguments.dry_run)
    if arguments.dry_run:
        for sentence in left_out(net, options(arguments)["layers"]):
            output.remark(sentence)
        show_forecast(verbs.forecast(net, source, **options(arguments)), output)
        return 0
    out = Path(str(arguments.out)).expanduser()
    started = time.monotonic()
    if not output.quiet and len(source) >= verbs.FORECAST_FROM and not out.exists():
        expected = verbs.forecast(net, source, **options(arguments))
        output.remark(f"to come: about {words.duration(expected.total)} and {words.file_size(expected.bytes)}")
    with nullcontext() if output.quiet else Bars() as bars:
        how = {"overwrite": arguments.overwrite, "progress": bars or False}
        atlas = verbs.build(net, source, out, **options(arguments), **how)
    with atlas:
        show_built(atlas, time.monotonic() - started, output)
    return 0


def options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What build and its forecast take alike."""
    named = ("k", "units", "tile", "dense", "keep_signal", "codec", "seed", "workers", "device")
    return {
        **{name: getattr(arguments, name) for name in named},
        "layers": tuple(arguments.layers or ()) or "auto",
        "methods": tuple(dict.fromkeys(arguments.method or ("deconvnet", "guided"))),
        "pictures": not arguments.no_pictures,
    }


def show_built(atlas: "Atlas", seconds: float, output: Output) -> None:
    """What the atlas holds now. seconds: of this command; a resumed build took longer in all."""
    records = atlas.file.images()
    skipped = sum(record.skipped is not None for record in records)
    path = atlas.file.path
    data = {
        "atlas": str(path),
        "bytes": path.stat().st_size,
        "layers": [layer.name for layer in atlas.layers],
        "units": sum(layer.units for layer in atlas.layers),
        "images": len(records),
        "skipped": skipped,
        "seconds": round(seconds, 3),
    }
    held = f"{words.counted(len(atlas), 'layer')}, {words.counted(data['units'], 'unit')}"
    left_out = f" ({skipped:,} skipped: layerscope info lists them)" if skipped else ""
    seen = f"{words.counted(len(records), 'image')}{left_out}"
    size = f"{words.file_size(data['bytes'])}, {words.duration(seconds)}"
    output.result(data, f"{words.printable(path)}: {held}, {seen}, {size}")


def show_forecast(expected: "Forecast", output: Output) -> None:
    """What a build would take: seconds per stage, and bytes."""
    counts = {name: getattr(expected, name) for name in ("images", "layers", "units", "peaks")}
    seconds = dict(expected.seconds)
    rows = [(stage, words.duration(value)) for stage, value in seconds.items()]
    table = words.table(("stage", ">time"), [*rows, ("in all", words.duration(expected.total))])
    head = ", ".join(words.counted(count, name[:-1]) for name, count in counts.items())
    data = {**counts, "seconds": seconds, "bytes": expected.bytes}
    output.result(data, f"{head}\n{table}\nabout {words.file_size(expected.bytes)} in the end; nothing was written")
