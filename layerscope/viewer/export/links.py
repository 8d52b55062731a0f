"""The addresses of an export: files with names of our own making, as a page in some folder of the site sees them.

Names are words and numbers, never an atlas's own: a layer may be called "../../x" or "con".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.codecs import published_as
from layerscope.core.methods import recovering
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.export import browser_network
from layerscope.viewer.export.edition import Edition
from layerscope.viewer.pages import PAGES

# The browser itself refuses what is not a file of the site. (frame-ancestors cannot be said by a page.)
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
# Of the page where a network runs: its binary is compiled there, by a module made of a script's bytes, since
# browsers take none from a folder. From this page, too, nothing can be asked for.
NETWORK_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval' blob:")
COPY = (
    "layerscope export wrote these pages; they need no server. What needs one is not here: live, pictures of your own, "
    "values as JSON, and the comparison of layers and atlases."
)
COPY_WITH_NETWORK = (
    "layerscope export wrote these pages; they need no server. The network itself stands beside them, and "
    "looks at pictures of your own in your browser. What needs a server is not here: live, values as JSON, and the "
    "comparison of layers and atlases."
)
PLATES = "Of the projections only those by each layer's own method, in the natural view, are here."
NO_PHOTOGRAPHS = "Photographs were left out of this copy: it holds no pixel and no file's name of the images."


def folder_of(layer: AtlasLayerRecord) -> str:
    return f"l{layer.id:02d}"


def stem_of(unit: int) -> str:
    return f"u{unit:04d}"


# How the parts of a page's file are spelled.
SPELLED: dict[str, Callable[[Any], str]] = {"layer": folder_of, "unit": stem_of, "image": "{:06d}".format}


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Addresses as relative paths; what is not published has none.

    edition: what is published. up: the way from the page's folder to the site's, "" or "../".
    """

    edition: Edition
    up: str = ""
    static: bool = True
    policy: str = POLICY
    network_policy: str = NETWORK_POLICY

    @property
    def photographs(self) -> bool:
        """Whether pixels of the images are in the site."""
        return self.edition.choice.photographs

    def remarks(self) -> tuple[str, ...]:
        """What this copy lacks, in sentences."""
        choice, layers = self.edition.choice, len(self.edition.layers)
        telling = [] if choice.photographs else recovering(self.edition.run.methods)
        return tuple(sentence for sentence, said in (
            (COPY if self.edition.choice.network is None else COPY_WITH_NETWORK, True),
            (f"Of the atlas's layers {layers} {'is' if layers == 1 else 'are'} here.", bool(choice.layers)),
            (f"Tiles are at most {choice.tile} px a side here.", choice.tile is not None),
            (PLATES, choice.plates),
            (NO_PHOTOGRAPHS, not choice.photographs),
            (f"Projections by {' and '.join(telling)} partly recover the images.", bool(telling)),
            ("Projections were left out of this copy.", not choice.projections),
        ) if said)  # fmt: skip

    def asset(self, name: str) -> str:
        return f"{self.up}static/{name}"

    def page(self, name: str, *of: Any) -> str | None:
        """A page's file; None where an export has none."""
        page = PAGES.known("network" if name == "home" else name)
        if not page.exported or (page.scope == "image" and of[0] not in self.edition.shown_images):
            return None
        parts = {part: SPELLED[part](one) for part, one in zip(page.parts, of, strict=True)}
        return f"{self.up}{page.path(parts)}"

    def network_file(self, name: str) -> str:
        """A file that stands beside the page on which pictures are tried; see `browser_network.FILES`."""
        return f"{self.up}{browser_network.FOLDER}/{browser_network.FILES[name]}"

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str:
        """The units stand behind "#": there is no server that could read a query."""
        wanted = "&".join(f"u=l{layer.id}:{unit}" for layer, unit in units)
        return f"{self.page('compare')}" + (f"#{wanted}" if wanted else "")

    def sheet(self, sheet: SheetKey) -> str | None:
        stored = self.edition.sheets.get(sheet)
        if stored is None:
            return None
        words = "-".join(word for word in (sheet.kind, sheet.method, sheet.view) if word)
        return f"{self.up}l{sheet.layer:02d}/{stem_of(sheet.unit)}-{words}.{published_as(stored.codec).ending}"

    def sprites(self, layer: AtlasLayerRecord) -> str:
        return f"{self.up}{folder_of(layer)}/sprites.css"

    def sprite(self, layer: AtlasLayerRecord, block: int, kind: str) -> str | None:
        there = (layer.id, block, kind) in self.edition.sprites
        return f"{self.up}{folder_of(layer)}/{kind}-{block:03d}.jpg" if there else None

    def strata(self, layer: AtlasLayerRecord, unit: int) -> str | None:
        there = (layer.id, unit) in self.edition.stratified
        return f"{self.up}{folder_of(layer)}/{stem_of(unit)}-strata.jpg" if there else None

    def picture(self, image: int) -> str | None:
        stored = self.edition.pictures.get(image)
        return f"{self.up}i/{image:06d}.{published_as(stored.codec).ending}" if stored else None

    def names(self, layer: AtlasLayerRecord) -> str:
        return f"{self.up}{folder_of(layer)}/names.js"
