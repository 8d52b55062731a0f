"""Where every page and picture of an atlas is: one table, spelled as URLs by a server and as files by an export.

Pages and templates never write an address themselves: they ask a `Links`, and so read the same in both places.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable
from urllib.parse import quote, urlencode

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.viewer.pages import PAGES, Query

# A layer's name stands in its address where it is plain; other names, which may come from strangers, become l and a
# number. In an export it is a folder's name, too: so none that Windows keeps for itself, that is hidden, or that a host
# of static files leaves out, as some do with a "_" in front.
PLAIN = re.compile(
    r"(?!l\d+$)(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9_.\-]{0,78}[a-z0-9_\-])?",
    re.ASCII | re.IGNORECASE,
)
UNITS_PER_SPRITE = 64
SPRITES = ("projections", "patches")
MOST_DIGITS = 8
# Of tiles that are made now, what is no projection.
PATCH = "patch"


def layer_key(layer: AtlasLayerRecord) -> str:
    """How a layer is spelled in an address: its name where that is plain, else "l" and its id."""
    return layer.name if PLAIN.fullmatch(layer.name) else f"l{layer.id}"


def folders_of(layers: Iterable[AtlasLayerRecord]) -> dict[int, str]:
    """The folder of each layer in an export, by its id: its key, as on a server.

    Where an earlier layer has the same key but for capital letters, which many disks take for one: "l" and its id.
    """
    found, taken = dict[int, str](), set[str]()
    for layer in layers:
        key = layer_key(layer)
        found[layer.id] = f"l{layer.id}" if key.lower() in taken else key
        taken.add(key.lower())
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetKey:
    """Which of a unit's stored pictures: kind "patches" or "projections"; method and view of projections."""

    layer: int
    unit: int
    kind: str
    method: str = ""
    view: str = ""


class Numbered(NamedTuple):
    """How addresses are spelled that differ by a number alone. digits: the least that the number has."""

    before: str
    digits: int
    after: str

    def of(self, number: int) -> str:
        """The address of a number."""
        return f"{self.before}{number:0{self.digits}d}{self.after}"


def numbered(addresses: Mapping[int, str]) -> Numbered | None:
    """How these addresses, by number, are spelled; None for none, and where they differ by more than the number."""
    number, address = max(addresses.items(), default=(0, ""))
    for digits in range(MOST_DIGITS if address else 0, 0, -1):
        written = f"{number:0{digits}d}"
        place = address.rfind(written)
        while place >= 0:
            found = Numbered(address[:place], digits, address[place + len(written) :])
            if all(found.of(one) == other for one, other in addresses.items()):
                return found
            place = address.rfind(written, 0, place + len(written) - 1)
    return None


@runtime_checkable
class Links(Protocol):
    """The addresses of one atlas, as a page may write them into its links."""

    @property
    def static(self) -> bool:
        """True in an export: what needs the model or a query is absent there."""
        ...

    def asset(self, name: str) -> str:
        """A file of viewer/static, for example "viewer.css"."""
        ...

    def page(self, name: str, *of: Any) -> Any:
        """The address of a page of this name. of: what it is of, as its scope has it: a layer and a unit, an image.

        None where there is none here: an export lacks pages that need a server, and of images without photographs.
        """
        ...

    def below(self, name: str, *of: Any) -> str:
        """Where this page stands below its atlas: the same on every server, and in every export but for an ending."""
        ...

    def whole(self, address: str) -> str:
        """An address of these as others can open it, with host and scheme; "" where nobody has said under which."""
        ...

    def data(self, query: Query, name: str, *of: Any) -> str | None:
        """The values that stand on a page, as JSON; None where there are none here."""
        ...

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str:
        """The page of comparisons, with these units side by side."""
        ...

    def sheet(self, sheet: SheetKey) -> str | None:
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

    def search_index(self) -> str:
        """A script that puts what a search of the whole atlas needs: LS.put("search", "", {...})."""
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

    def asset(self, name: str) -> str:
        return f"{self.base}/static/{name}?v={self.assets[name]}"

    def page(self, name: str, *of: Any) -> str:
        shelf = PAGES.known(name).scope == "shelf"
        return f"{self.base}/" if shelf else f"{self._page('')}{self.below(name, *of)}"

    def below(self, name: str, *of: Any) -> str:
        page = PAGES.known(name)
        return page.address({part: _spelled(one) for part, one in zip(page.parts, of, strict=True)})

    def whole(self, address: str) -> str:
        # The Host of a request is what its sender says, and a proxy's scheme is not known here.
        return ""

    def data(self, query: Query, name: str, *of: Any) -> str:
        words = [(word, value) for word, value in query.items if word != "format"]
        return f"{self.page(name, *of)}?{urlencode([*words, ('format', 'json')])}"

    def compare(self, *units: tuple[AtlasLayerRecord, int]) -> str:
        wanted = "&".join(f"u={quote(layer_key(layer), safe='')}:{unit}" for layer, unit in units)
        return self.page("compare") + (f"?{wanted}" if wanted else "")

    def sheet(self, sheet: SheetKey) -> str | None:
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

    def search_index(self) -> str:
        return self._cached("search.js")

    # What only a server has, and below that what only one with a network has: an export has none of these.

    def figure(self, kind: str, layer: AtlasLayerRecord, unit: int | None = None) -> str:
        """A figure of a unit, or of the units on a layer's page."""
        of = () if unit is None else (unit,)
        return f"{self.page('unit' if of else 'layer', layer, *of)}/figure.{kind}"

    def live_socket(self) -> str:
        return self._page("live", "socket")

    def upload(self) -> str:
        """Where pictures of one's own are sent to."""
        return self._page("look")

    def made_tile(self, layer: AtlasLayerRecord, unit: int, rank: int, kind: str) -> str:
        """A tile of a unit that is made when it is asked for. kind: PATCH, or the method of a projection."""
        return self._page("tiles", layer.id, unit, rank, f"{kind}.png")

    def looked(self, key: str) -> "LookedLinks":
        """The addresses of what is seen in a picture."""
        return LookedLinks(self, key)


def _spelled(one: AtlasLayerRecord | int | str) -> str:
    """A part of an address, quoted."""
    return quote(layer_key(one) if isinstance(one, AtlasLayerRecord) else str(one), safe="")


@dataclass(frozen=True, slots=True)
class LookedLinks:
    """Where the pictures of a looked-at picture are. key: under which the server keeps it."""

    link: ServerLinks
    key: str

    def picture(self) -> str:
        return self.link.page("look", self.key) + "/picture.png"

    def tile(self, layer: AtlasLayerRecord, unit: int, method: str) -> str:
        return self.link.page("look", self.key) + f"/{layer.id}/{unit}/{quote(method, safe='')}.png"

    def sheet(self, sheet: SheetKey) -> str | None:
        return self.link.sheet(sheet)

    def unit(self, layer: AtlasLayerRecord, unit: int) -> str:
        return self.link.page("unit", layer, unit)

    def made_tiles(self, layer: AtlasLayerRecord, unit: int) -> str:
        """The page of a unit's tiles, made now."""
        return self.link.page("tiles", layer, unit)
