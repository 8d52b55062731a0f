"""`layerscope build`: from a network and images to an atlas, or a forecast of what that takes."""

import time
from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.core.engines import DEFAULT_ENGINE

if TYPE_CHECKING:
    from layerscope.api.atlas import Atlas
    from layerscope.api.verbs import Forecast


def run(command: Command, output: Output) -> int:
    """Build the atlas, or forecast its build."""
    values = wanted(command, output)
    if values.pop("dry_run"):
        for name in ("out", "overwrite"):
            del values[name]
        said = [values.pop(name) for name in ("engine", "processes", "address")]
        if any(said) and said[0] != DEFAULT_ENGINE:
            output.remark(f'the forecast is of the engine "{DEFAULT_ENGINE}", on which it is measured')
        show_forecast(ls.forecast(**values, progress=output.teller()), output)
        return 0
    started = time.monotonic()
    with output.bars() as progress, ls.build(**values, progress=progress) as atlas:
        show_built(atlas, time.monotonic() - started, output)
    return 0


def show_built(atlas: "Atlas", seconds: float, output: Output) -> None:
    """What the atlas holds now. seconds: of this command; a resumed build took longer in all."""
    images, (reasons, _) = atlas.file.image_count(), atlas.file.left_out()
    skipped = sum(count for _, count in reasons)
    path, copies = atlas.file.path, atlas.file.copies_left_out()
    data = {
        "atlas": str(path),
        "bytes": path.stat().st_size,
        "layers": [layer.name for layer in atlas.layers],
        "units": sum(layer.units for layer in atlas.layers),
        "images": images,
        "skipped": skipped,
        "copies": copies,
        "seconds": round(seconds, 3),
    }
    held = f"{words.counted(len(atlas), 'layer')}, {words.counted(data['units'], 'unit')}"
    left_out = [f"{skipped:,} skipped: layerscope info lists them"] if skipped else []
    left_out += [f"{words.counted(copies, 'copy', 'copies')} left out"] if copies else []
    but = f" ({'; '.join(left_out)})" if left_out else ""
    seen = f"{words.counted(images, 'image')}{but}"
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
