"""A demo whose right answers are known: its atlas, its figures, and how many answers are right.

The network's filters were set by hand, and the pictures were drawn with patterns at known places.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.api.answers import Answer, answers
from layerscope.api.atlas import Atlas
from layerscope.api.verbs import build, trace
from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import UsageError
from layerscope.figures import Sheet, filters, overview, plate, unit_page
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import Picture, write_pictures

if TYPE_CHECKING:
    from layerscope.core.progress import Progress

SEED = 0
PAGE = "face"  # the unit that gets a page


def known_demo(
    folder: Path, count: int, progress: "bool | Progress | None"
) -> tuple[tuple[Path, ...], tuple[Answer, ...]]:
    """Draw the pictures, build the atlas, save the figures, count the right answers: the files, and the answers."""
    drawn = draw_pictures(folder / "pictures", count)
    with known_atlas(folder, progress) as atlas:
        right = answers(atlas.file, drawn)
        files = (atlas.file.path, *save_figures(atlas.file, folder))
    return files, tuple(right)


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


def known_atlas(folder: Path, progress: "bool | Progress | None") -> Atlas:
    """The atlas, built or completed."""
    net = trace(known_network(), INPUT)
    net.name = "the known network"
    return build(net, folder / "pictures", folder / "known.atlas", layers=tuple(UNIT_NAMES), progress=progress)


def save_figures(file: AtlasFile, folder: Path) -> list[Path]:
    """A plate per layer, the first filters, an overview and one unit's page."""
    sheets: dict[str, Sheet] = {layer: plate(file, layer) for layer in UNIT_NAMES}
    sheets |= {"filters": filters(file), "overview": overview(file)}
    sheets[f"things-{PAGE}"] = unit_page(file, "things", UNIT_NAMES["things"].index(PAGE))
    return [sheet.save(folder / f"{name}.png") for name, sheet in sheets.items()]
