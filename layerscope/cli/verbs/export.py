"""`layerscope export`: an atlas as a folder of pages, or a .zip file of them, that opens anywhere. No torch."""

from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

if TYPE_CHECKING:
    from layerscope.api.exporting import Site


def run(command: Command, output: Output) -> int:
    """Write the site and say where it is; with --dry-run only what it would take."""
    with output.bars() as progress:
        site = ls.export(**command.values, progress=progress)
    if site.folder is None:
        for sentence in site.remarks[1:]:
            output.remark(sentence)
        output.result(site.data(), _forecast(site))
        return 0
    where = words.printable(site.folder if site.zipped else site.folder / "index.html")
    output.result(site.data(), f"{where}: {words.counted(site.files, 'file')}, {words.file_size(site.bytes)}")
    return 0


def _forecast(site: "Site") -> str:
    held = [
        words.counted(len(site.layers), "layer"),
        f"projections by {', '.join(site.methods)}" if site.methods else "no projections",
        "with photographs" if site.photographs else "without photographs",
    ]
    held += [f"tiles of at most {site.tile} px"] if site.tile else []
    size = f"about {words.file_size(site.bytes)} in {words.counted(site.files, 'file')}"
    return f"{size}: {', '.join(held)}; nothing was written"
