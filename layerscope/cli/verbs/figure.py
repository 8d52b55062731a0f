"""`layerscope figure`: plate, unit's page, filters or overview, as a file. No torch."""

import argparse
from pathlib import Path

from layerscope.atlas.read import AtlasFile
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError
from layerscope.figures import Sheet, filters, overview, plate, unit_page
from layerscope.figures.fonts import missing_words


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Draw the figure and say where it is."""
    out = Path(arguments.out).expanduser()
    with AtlasFile(arguments.atlas) as file:
        kind, figure = sheet(file, arguments)
        replaced = out.exists()
        if missing := figure.missing_letters:
            output.remark(missing_words(missing))
        saved = figure.save(out, width_inches=arguments.width, dpi=arguments.dpi)
    size = saved.stat().st_size
    data = {"figure": str(saved), "kind": kind, "layer": arguments.layer, "bytes": size, "replaced": replaced}
    output.result(data, f"{saved}: {kind}, {words.file_size(size)}{', replaced' if replaced else ''}")
    return 0


def sheet(file: AtlasFile, arguments: argparse.Namespace) -> tuple[str, Sheet]:
    """The kind of figure asked for, and its sheet. Raises UsageError for options that this kind does not have."""
    layer, view = arguments.layer, arguments.view or "natural"
    if arguments.filters:
        _refuse(arguments, "--filters", "method", "view")
        return "filters", filters(file, layer, shared_scale=arguments.shared_scale)
    if layer is None:
        _refuse(arguments, "an overview of all layers (no LAYER was named)", "units", "unit", "method", "shared_scale")
        return "overview", overview(file, **({"count": arguments.count} if arguments.count else {}), view=view)
    if arguments.unit is not None:
        _refuse(arguments, "the page of a unit, which shows every method and view,", "method", "view", "shared_scale")
        return "unit", unit_page(file, layer, arguments.unit)
    shown = {"units": arguments.units, "method": arguments.method, "view": view}
    return "plate", plate(file, layer, **shown, count=arguments.count or 16, shared_scale=arguments.shared_scale)


def _refuse(arguments: argparse.Namespace, what: str, *options: str) -> None:
    for option in options:
        if getattr(arguments, option) not in (None, False):
            raise UsageError(f"--{option.replace('_', '-')} does not go with {what.rstrip(',')}; leave it out")
