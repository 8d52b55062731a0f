"""The addresses of an export: files, as a page in some folder of the site sees them.

Below the site they are those below an atlas on a server, with an ending: l/conv1/u/3.html. A layer may be called
"../../x" or "con": only plain names become folders, others are l and a number.
"""

from dataclasses import dataclass
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.codecs import published_as
from layerscope.core.methods import recovering
from layerscope.viewer.addresses import SheetKey
from layerscope.viewer.export import browser_network
from layerscope.viewer.export.edition import Edition
from layerscope.viewer.pages import PAGES, Page, Query

# The browser itself refuses what is not a file of the site. (frame-ancestors cannot be said by a page.)
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
# Of the page where a network runs: its binary is compiled there, by a module made of a script's bytes, since
# browsers take none from a folder. From this page, too, nothing can be asked for.
NETWORK_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval' blob:")
COPY = (
    "layerscope export wrote these pages; they need no server. What needs one is not here: live, pictures of your own, "
    "figures of layers, and the comparison of layers and atlases."
)
COPY_WITH_NETWORK = (
    "layerscope export wrote these pages; they need no server. The network itself stands beside them, and "
    "looks at pictures of your own in your browser. What needs a server is not here: live, values as JSON, and the "
    "comparison of layers and atlases."
)
PLATES = "Of the projections only those by each layer's own method, in the natural view, are here."
NO_PHOTOGRAPHS = "Photographs were left out of this copy: it holds no pixel and no file's name of the images."


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Addresses as relative paths; what is not published has none.

    edition: what is published. up: the way from the page's folder to the site's, "" or "../" as often as needed.
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
            ("Values of the pages as JSON were left out of this copy.", not choice.values),
            (NO_PHOTOGRAPHS, not choice.photographs),
            (f"Projections by {' and '.join(telling)} partly recover the images.", bool(telling)),
            ("Projections were left out of this copy.", not choice.projections),
        ) if said)  # fmt: skip

    def asset(self, name: str) -> str:
        return f"{self.up}static/{name}"

    def page(self, name: str, *of: Any) -> str | None:
        """A page's file; None where an export has none."""
        page = PAGES.known("lesson" if name == "home" else name)
        if not page.exported or (page.scope == "image" and of[0] not in self.edition.shown_images):
            return None
        return f"{self.up}{self.below(page.name, *of)}"

    def below(self, name: str, *of: Any) -> str:
        page = PAGES.known(name)
        return page.path(self._parts(page, *of))

    def whole(self, address: str) -> str:
        url = self.edition.choice.url
        return f"{url}{address.removeprefix(self.up)}" if url else ""

    def data(self, query: Query, name: str, *of: Any) -> str | None:
        page = PAGES.known(name)
        if self.page(name, *of) is None or not self.edition.choice.values:
            return None
        return f"{self.up}{page.data_path(self._parts(page, *of))}"

    def network_file(self, name: str) -> str:
        """A file that stands beside the page on which pictures are tried; see `browser_network.FILES`."""
        return f"{self.up}{browser_network.FOLDER}/{browser_network.FILES[name]}"

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str:
        """The units stand behind "#": there is no server that could read a query."""
        wanted = "&".join(f"u={self._spelled(layer)}:{unit}" for layer, unit in units)
        return f"{self.page('compare')}" + (f"#{wanted}" if wanted else "")

    def sheet(self, sheet: SheetKey) -> str | None:
        stored = self.edition.sheets.get(sheet)
        if stored is None:
            return None
        words = "-".join(word for word in (sheet.kind, sheet.method, sheet.view) if word)
        return f"{self._folder(sheet.layer)}/u/{sheet.unit}-{words}.{published_as(stored.codec).ending}"

    def sprites(self, layer: AtlasLayerRecord) -> str:
        return f"{self._folder(layer.id)}/sprites.css"

    def sprite(self, layer: AtlasLayerRecord, block: int, kind: str) -> str | None:
        there = (layer.id, block, kind) in self.edition.sprites
        return f"{self._folder(layer.id)}/{kind}-{block:03d}.jpg" if there else None

    def strata(self, layer: AtlasLayerRecord, unit: int) -> str | None:
        there = (layer.id, unit) in self.edition.stratified
        return f"{self._folder(layer.id)}/u/{unit}-strata.jpg" if there else None

    def picture(self, image: int) -> str | None:
        stored = self.edition.pictures.get(image)
        return f"{self.up}i/{image}.{published_as(stored.codec).ending}" if stored else None

    def names(self, layer: AtlasLayerRecord) -> str:
        return f"{self._folder(layer.id)}/names.js"

    def search_index(self) -> str:
        return f"{self.up}static/search-index.js"

    def _folder(self, layer_id: int) -> str:
        return f"{self.up}l/{self.edition.folders[layer_id]}"

    def _parts(self, page: Page, *of: Any) -> dict[str, str]:
        return {part: self._spelled(one) for part, one in zip(page.parts, of, strict=True)}

    def _spelled(self, one: AtlasLayerRecord | int) -> str:
        """A part of a page's address: words and numbers that need no quotes."""
        return self.edition.folders[one.id] if isinstance(one, AtlasLayerRecord) else str(one)
