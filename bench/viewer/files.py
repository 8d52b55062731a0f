"""How many bytes scripts, styles, sheets, sprites and a notebook's pictures have; and how fast an export is."""

import time
from pathlib import Path

import layerscope as ls
from bench.viewer.budget import Budget
from bench.viewer.wide import write_wide
from layerscope.atlas.read import AtlasFile
from layerscope.testing.page_weight import MOST_SCRIPTS, MOST_STYLES, MOST_VENDORED, weight
from layerscope.viewer import encoded_pictures
from layerscope.viewer.export import export
from layerscope.viewer.pages import all_pages
from layerscope.viewer.shelf import Shelf

KB, EXPORTED = 1000, 512
# KiB of a unit's patches and projections, by the side of their tiles.
SHEETS = {64: 12, 96: 24, 128: 40}


def measure(folder: Path, repeats: int) -> list[Budget]:
    """Sizes once; the export as often as asked for."""
    atlases = {tile: write_wide(folder / f"tiles-{tile}.atlas", units=64, tile=tile) for tile in SHEETS}
    wide = folder / "wide.atlas"
    wide = wide if wide.exists() else write_wide(wide)
    scripts, vendored, styles = (_most(*words) for words in (("", ".js"), ("vendor/", ".js"), ("", ".css")))
    return [
        Budget(what="scripts of the page with the most, unzipped", limit=MOST_SCRIPTS / KB, found=[scripts], unit="kB"),
        Budget(
            what="scripts of others, of the page with the most", limit=MOST_VENDORED / KB, found=[vendored], unit="kB"
        ),
        Budget(what="styles of the page with the most, unzipped", limit=MOST_STYLES / KB, found=[styles], unit="kB"),
        *(
            Budget(
                what=f"a unit's two sheets, tiles of {tile} px", limit=limit, found=[_sheets(atlases[tile])], unit="KiB"
            )
            for tile, limit in SHEETS.items()
        ),
        Budget(what="sprite of 64 units, the larger kind", limit=160, found=[_sprite(wide)], unit="KiB"),
        Budget(what="a unit in a notebook", limit=300, found=[_notebook(wide)], unit="KiB"),
        *_exports(write_wide(folder / "exported.atlas", units=EXPORTED), folder, repeats),
    ]


def _most(start: str, end: str) -> float:
    """kB of such files, of the page that loads the most of them."""
    return max(weight(page, start, end) for page in all_pages()) / KB


def _sheets(path: Path) -> float:
    """KiB of patches and projections in one view, as stored; the mean over the units."""
    with AtlasFile(path) as file:
        units = range(file.layers[0].record.units)
        kinds = (("patches", "", ""), ("projections", "guided", "natural"))
        found = [file.encoded_sheet(0, unit, *kind) for unit in units for kind in kinds]
        return sum(len(one.pixels) for one in found if one) / len(units) / 1024


def _sprite(path: Path) -> float:
    shelf = Shelf([path])
    book = next(iter(shelf))
    found = [encoded_pictures.sprite(book, book.layers[0], 0, kind) for kind in ("patches", "projections")]
    shelf.close()
    return max(len(one.content) for one in found) / 1024


def _notebook(path: Path) -> float:
    with ls.open(path) as atlas:
        return len(atlas[atlas.layers[0].name][0]._repr_html_()) / 1024


def _exports(path: Path, folder: Path, repeats: int) -> list[Budget]:
    """The speed over all units, and how many files of a second export differ from the first."""
    with AtlasFile(path) as file:
        units = sum(layer.record.units for layer in file.layers)
    speeds = []
    for turn in range(max(2, repeats)):
        begun = time.perf_counter()
        export(path, folder / f"site-{turn}")
        speeds.append(units / (time.perf_counter() - begun))
    first, second = (_contents(folder / f"site-{turn}") for turn in (0, 1))
    differing = sum(first.get(name) != second.get(name) for name in first.keys() | second.keys())
    return [
        Budget(what=f"export of {units:,} units", limit=100, found=speeds, unit="units/s", floor=True),
        Budget(what=f"files that differ in a second export, of {len(first):,}", limit=0, found=[differing], unit=""),
    ]


def _contents(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}
