"""`layerscope demo --known`: an atlas whose right answers are known, its figures, and how many answers are right.

The network's filters were set by hand, and the pictures were drawn with patterns at known places.
"""

import argparse
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from layerscope.api.atlas import Atlas
from layerscope.api.bars import Bars
from layerscope.api.verbs import build, trace
from layerscope.atlas.read import AtlasFile
from layerscope.cli import words
from layerscope.cli.answers import Answer, answers
from layerscope.cli.output import Output
from layerscope.core.errors import UsageError
from layerscope.figures import Sheet, filters, overview, plate, unit_page
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import Picture, write_pictures

SEED = 0
PAGE = "face"  # the unit that gets a page
COUNT = 288


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Draw the pictures, build the atlas, save the figures, count the right answers."""
    folder, started = Path(arguments.out).expanduser(), time.monotonic()
    drawn = draw_pictures(folder / "pictures", arguments.images or COUNT)
    with known_atlas(folder, output) as atlas:
        right = answers(atlas.file, drawn)
        files = [atlas.file.path, *save_figures(atlas.file, folder)]
    seconds = time.monotonic() - started
    data = {
        "folder": str(folder),
        "pictures": len(drawn),
        "layers": [asdict(answer) for answer in right],
        "files": [str(file) for file in files],
        "seconds": round(seconds, 3),
    }
    output.result(data, _text(right, files, len(drawn), seconds))
    return 0


def draw_pictures(folder: Path, count: int) -> list[Picture]:
    """Write the pictures, again or anew. Raises UsageError for a folder that holds others or cannot be written."""
    held = len(list(folder.rglob("*.png")))
    built = (folder.parent / "known.atlas").exists()
    if held > count or (built and held != count):
        raise UsageError(
            f'"{folder}" holds a demo of {held} pictures, not of {count}: add --images {held}, or choose another '
            "folder with -o"
        )
    try:
        return write_pictures(folder, count, SEED)
    except OSError as error:
        raise UsageError(f'cannot write the pictures to "{folder}": {error.strerror}') from error


def known_atlas(folder: Path, output: Output) -> Atlas:
    """The atlas, built or completed."""
    net = trace(known_network(), INPUT)
    net.name = "the known network"
    with nullcontext() if output.quiet else Bars() as bars:
        return build(net, folder / "pictures", folder / "known.atlas", layers=tuple(UNIT_NAMES), progress=bars or False)


def save_figures(file: AtlasFile, folder: Path) -> list[Path]:
    """A plate per layer, the first filters, an overview and one unit's page."""
    sheets: dict[str, Sheet] = {layer: plate(file, layer) for layer in UNIT_NAMES}
    sheets |= {"filters": filters(file), "overview": overview(file)}
    sheets[f"things-{PAGE}"] = unit_page(file, "things", UNIT_NAMES["things"].index(PAGE))
    return [sheet.save(folder / f"{name}.png") for name, sheet in sheets.items()]


def _text(right: list[Answer], files: list[Path], pictures: int, seconds: float) -> str:
    kind = "strongest patches hold the pattern their unit was built for"
    found = [f"    {answer.layer}: {answer.holding:,} of {answer.patches:,} {kind}" for answer in right]
    names = ", ".join(file.name for file in files)
    head = f"The units of the known network, over {words.counted(pictures, 'picture')}:"
    where = f"In {words.printable(files[0].parent)}: {names} ({words.duration(seconds)})"
    return "\n".join([head, *found, where])
