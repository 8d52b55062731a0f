"""What each page says, as plain records: the same for its HTML, its JSON and an export. One table of all pages.

The server's routes, the export's files, the addresses in pages and the head of every page are made of its rows.
"""

from functools import cache

from layerscope.core.registry import Registry, later
from layerscope.viewer.pages.query import Query
from layerscope.viewer.pages.row import PARTS, Page

__all__ = ["PAGES", "PARTS", "Page", "Query", "all_pages"]

_HERE = "layerscope.viewer.pages"

PAGES = Registry(
    "page",
    "layerscope.pages",
    Page,
    (
        Page(
            name="home", sentence="which atlases are shown, and where to start", scope="shelf",
            route="", facts=later(f"{_HERE}.home:facts"), template="home.html", leads=later(f"{_HERE}.home:leads"),
        ),
        Page(
            name="lesson", sentence="what the layers see, from lines to whole things, in at most five chapters",
            scope="atlas", route="", file="index.html", facts=later(f"{_HERE}.lesson:facts"), template="lesson.html",
            head=lambda book: book.title, leads=later(f"{_HERE}.lesson:leads"),
            preview=later(f"{_HERE}.previews:of_lesson"),
        ),
        Page(
            name="network", sentence="a network's layers to scale, with a few units of each", scope="atlas",
            facts=later(f"{_HERE}.network:facts"), template="network.html", head="Network",
            preview=later(f"{_HERE}.previews:of_network"),
        ),
        Page(
            name="layer", sentence="all units of a layer, sorted, searched and filtered", scope="layer",
            route="l/{layer}", file="l/{layer}/index.html", facts=later(f"{_HERE}.layer:facts"), template="layer.html",
            in_export=(("show", "all"),), preview=later(f"{_HERE}.previews:of_layer"),
        ),
        Page(
            name="unit", sentence="a unit's patches beside its projections, and how it behaves over all images",
            scope="unit", route="l/{layer}/u/{unit}",
            facts=later(f"{_HERE}.unit:facts"), template="unit.html", preview=later(f"{_HERE}.previews:of_unit"),
        ),
        Page(
            name="image", sentence="which units count an image among their peaks, and where in it", scope="image",
            route="i/{image}", facts=later(f"{_HERE}.image:facts"), template="image.html",
            preview=later(f"{_HERE}.previews:of_image"),
        ),
        Page(
            name="concepts", sentence="which units each concept, label, word and class leads to", scope="atlas",
            facts=later(f"{_HERE}.concepts:facts"), template="concepts.html", head=later(f"{_HERE}.concepts:head"),
            has=later(f"{_HERE}.concepts:has"),
        ),
        Page(
            name="search", sentence="what a few words find: layers, units, names and images, as tiles", scope="atlas",
            facts=later(f"{_HERE}.search:facts"), template="search.html", leads=later(f"{_HERE}.search:leads"),
        ),
        Page(
            name="misfits", sentence="images that do not fit their labels, the least fitting first", scope="atlas",
            facts=later(f"{_HERE}.misfits:facts"), template="misfits.html", head="Misfits",
            has=later(f"{_HERE}.misfits:has"),
        ),
        Page(
            name="images", sentence="the images in small, to pick one from", scope="atlas", head="Images",
            facts=later(f"{_HERE}.images:facts"), template="images.html", has=later(f"{_HERE}.images:has"),
            in_export=(("show", "spread"),),
        ),
        Page(
            name="compare", sentence="units, layers, or one layer of two atlases side by side", scope="atlas",
            facts=later(f"{_HERE}.compare:facts"), template="compare.html", head="Compare", asks=frozenset({"shelf"}),
        ),
        Page(
            name="changed", sentence="what changed from one atlas to another, layer by layer and unit by unit",
            scope="atlas", file="-", facts=later(f"{_HERE}.changed:facts"), template="changed.html",
            asks=frozenset({"shelf"}),
        ),
        Page(
            name="about", sentence="where an atlas comes from, and how far to trust what it shows", scope="atlas",
            facts=later(f"{_HERE}.about:facts"), template="about.html", head="About",
        ),
        Page(
            name="try", sentence="a picture of one's own, looked at by the network in the browser", scope="atlas",
            facts=later(f"{_HERE}.trying:facts"), template="try.html", head="Try a picture",
            has=later(f"{_HERE}.trying:has"),
        ),
        Page(
            name="live", sentence="a camera or pictures, as the network sees them now", scope="atlas",
            facts=later(f"{_HERE}.live:facts"), template="live.html", head="Live", asks=frozenset({"engine", "link"}),
            # The browser may ask for the camera here and nowhere else.
            headers={"Permissions-Policy": "camera=(self)"},
        ),
        Page(
            name="look", sentence="a picture of one's own, or of the atlas, at every layer", scope="picture",
            route="look/{key}", facts=later(f"{_HERE}.look:facts"), template="look.html",
            asks=frozenset({"engine", "gallery"}),
        ),
        Page(
            name="tiles", sentence="a unit's patches and projections, made now by the network", scope="unit",
            facts=later(f"{_HERE}.made_tiles:facts"), template="made_tiles.html",
            asks=frozenset({"engine", "gallery"}),
        ),
    ),
)  # fmt: skip


def all_pages() -> tuple[Page, ...]:
    """Every page that can be had, those of the house first, then those of other packages."""
    return _those_of(PAGES.names)


@cache
def _those_of(names: tuple[str, ...]) -> tuple[Page, ...]:
    return tuple(PAGES)
