"""Where every page and picture of an atlas is: one table, spelled as URLs by a server and as files by an export.

Pages and templates never write an address themselves: they ask a `Links`, and so read the same in both places.
"""

import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from urllib.parse import quote

from layerscope.atlas.records import AtlasLayerRecord

# A layer's name stands in its URL where it is plain; other names, which may come from strangers, become l and a number.
PLAIN = re.compile(r"(?!l\d+$)(?!\.+$)[A-Za-z0-9_.\-]{1,80}")
UNITS_PER_SPRITE = 64
SPRITES = ("projections", "patches")


def layer_key(layer: AtlasLayerRecord) -> str:
    """How a layer is spelled in a URL: its name where that is plain, else "l" and its id."""
    return layer.name if PLAIN.fullmatch(layer.name) else f"l{layer.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Which of a unit's stored pictures: kind "patches" or "projections"; method and view of projections."""

    layer: int
    unit: int
    kind: str
    method: str = ""
    view: str = ""


@runtime_checkable
class Links(Protocol):
    """The addresses of one atlas, as a page may write them into its links."""

    @property
    def static(self) -> bool:
        """True in an export: what needs the model or a query is absent there."""
        ...

    def home(self) -> str: ...

    def asset(self, name: str) -> str:
        """A file of viewer/static, for example "viewer.css"."""
        ...

    def network(self) -> str: ...

    def layer(self, layer: AtlasLayerRecord) -> str: ...

    def unit(self, layer: AtlasLayerRecord, unit: int) -> str: ...

    def image(self, image: int) -> str | None:
        """None where the image has no page: photographs were left out of an export."""
        ...

    def concepts(self) -> str: ...

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str: ...

    def about(self) -> str: ...

    def sheet(self, sheet: Sheet) -> str | None:
        """A unit's tiles as they are stored; None where an export leaves them out."""
        ...

    def sprites(self, layer: AtlasLayerRecord) -> str:
        """The style sheet that gives each section of UNITS_PER_SPRITE units of a layer its sprites."""
        ...

    def sprite(self, layer: AtlasLayerRecord, block: int, kind: str) -> str | None: ...

    def strata(self, layer: AtlasLayerRecord, unit: int) -> str | None: ...

    def picture(self, image: int) -> str | None:
        """An image, small and whole."""
        ...

    def names(self, layer: AtlasLayerRecord) -> str:
        """A script that puts what search and sorting need: LS.put("units", layer key, [...])."""
        ...


@dataclass(frozen=True, slots=True)
class ServerLinks:
    """Addresses as URLs: typed easily, the same for ever; pictures carry the atlas's mark and may be cached.

    slug: of the atlas. mark: changes when the file does. assets: by name, the mark of its content. base: the path below
    which the server's pages lie, quoted, "" for "/".
    """

    slug: str
    mark: str
    assets: dict[str, str]
    base: str = ""
    static: bool = False

    def _page(self, *parts: str | int) -> str:
        return f"{self.base}/" + "/".join(quote(str(part), safe="") for part in (self.slug, *parts))

    def _cached(self, *parts: str | int) -> str:
        return self._page("data", self.mark, *parts)

    def home(self) -> str:
        return f"{self.base}/"

    def asset(self, name: str) -> str:
        return f"{self.base}/static/{name}?v={self.assets[name]}"

    def network(self) -> str:
        return self._page("")

    def layer(self, layer: AtlasLayerRecord) -> str:
        return self._page("l", layer_key(layer))

    def unit(self, layer: AtlasLayerRecord, unit: int) -> str:
        return self._page("l", layer_key(layer), "u", unit)

    def image(self, image: int) -> str | None:
        return self._page("i", image)

    def concepts(self) -> str:
        return self._page("concepts")

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str:
        wanted = "&".join(f"u={quote(layer_key(layer), safe='')}:{unit}" for layer, unit in units)
        return self._page("compare") + (f"?{wanted}" if wanted else "")

    def about(self) -> str:
        return self._page("about")

    def sheet(self, sheet: Sheet) -> str | None:
        words = [sheet.kind, sheet.method, sheet.view] if sheet.method else [sheet.kind]
        return self._cached("sheet", sheet.layer, sheet.unit, ".".join(words))

    def sprites(self, layer: AtlasLayerRecord) -> str:
        return self._cached("sprites", f"{layer.id}.css")

    def sprite(self, layer: AtlasLayerRecord, block: int, kind: str) -> str | None:
        return self._cached("sprite", layer.id, block, kind)

    def strata(self, layer: AtlasLayerRecord, unit: int) -> str | None:
        return self._cached("strata", layer.id, unit)

    def picture(self, image: int) -> str | None:
        return self._cached("picture", image)

    def names(self, layer: AtlasLayerRecord) -> str:
        return self._cached("names", f"{layer.id}.js")

    # What only a server with a network has: an export has none of these.

    def live(self) -> str:
        return self._page("live")

    def live_socket(self) -> str:
        return self._page("live", "socket")

    def look(self, key: str = "") -> str:
        """A picture at every layer, by the key it is kept under; without one, where pictures are sent to."""
        return self._page("look", key) if key else self._page("look")

    def look_at_image(self, image: int) -> str:
        return f"{self._page('look')}?image={image}"

    def look_picture(self, key: str) -> str:
        return self._page("look", key, "picture.png")

    def look_tile(self, key: str, layer: AtlasLayerRecord, unit: int, method: str) -> str:
        return self._page("look", key, layer.id, unit, f"{method}.png")
