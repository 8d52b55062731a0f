"""Where the pages of an atlas are, on a server and in an export: the same journeys are made through both."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.viewer.addresses import layer_key
from layerscope.viewer.export.links import folder_of, stem_of

SLUG = "world"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What journeys need to know of the atlas. tiled: the units of `layer` with tiles, which a layer's page shows until
    others are asked for; unit: one of them with a name; bare: one without tiles; image: of the unit's first peak."""

    path: Path
    layers: tuple[AtlasLayerRecord, ...]
    layer: AtlasLayerRecord
    tiled: tuple[int, ...]
    unit: int
    bare: int
    name: str
    image: int


def shown(path: Path) -> Shown:
    """Of the last layer: the named unit of the best score, and the first without tiles."""
    with AtlasFile(path) as file:
        layer = file.layers[-1]
        units = range(layer.record.units)
        tiled = tuple(unit for unit in units if file.encoded_sheet(layer.id, unit, "patches"))
        named = [row for row in file.concepts(layer.id) if row.best is not None and row.unit in tiled]
        best = max(named, key=lambda row: row.best.score)
        bare = next(unit for unit in units if unit not in tiled)
        image = file.peaks(layer.id, best.unit)[0].image
        return Shown(
            path=path,
            layers=file.layers,
            layer=layer,
            tiled=tiled,
            unit=best.unit,
            bare=bare,
            name=best.best.concept,
            image=image,
        )


@dataclass(frozen=True, kw_only=True)
class Server:
    """Pages of a running server. origin: "http://127.0.0.1:PORT"."""

    origin: str
    name: str = field(default="http", init=False)

    def home(self) -> str:
        return f"{self.origin}/"

    def network(self) -> str:
        return f"{self.origin}/{SLUG}/"

    def layer(self, layer: AtlasLayerRecord) -> str:
        return f"{self.network()}l/{layer_key(layer)}"

    def unit(self, layer: AtlasLayerRecord, unit: int) -> str:
        return f"{self.layer(layer)}/u/{unit}"

    def image(self, image: int) -> str:
        return f"{self.network()}i/{image}"

    def page(self, name: str) -> str:
        return f"{self.network()}{name}"

    def compare(self, layer: AtlasLayerRecord, units: Iterable[int]) -> str:
        return f"{self.page('compare')}?" + "&".join(f"u={layer_key(layer)}:{unit}" for unit in units)


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Pages of an export, as files. origin: "file://" and the folder."""

    origin: str
    name: str = field(default="file", init=False)

    def home(self) -> str:
        return self.network()

    def network(self) -> str:
        return f"{self.origin}/index.html"

    def layer(self, layer: AtlasLayerRecord) -> str:
        return f"{self.origin}/{folder_of(layer)}/index.html"

    def unit(self, layer: AtlasLayerRecord, unit: int) -> str:
        return f"{self.origin}/{folder_of(layer)}/{stem_of(unit)}.html"

    def image(self, image: int) -> str:
        return f"{self.origin}/i/{image:06d}.html"

    def page(self, name: str) -> str:
        return f"{self.origin}/{name}.html"

    def compare(self, layer: AtlasLayerRecord, units: Iterable[int]) -> str:
        return f"{self.page('compare')}#" + "&".join(f"u=l{layer.id}:{unit}" for unit in units)


Venue = Server | Folder


def pages(venue: Venue, atlas: Shown) -> dict[str, str]:
    """One address of every kind of page that this venue has."""
    found = {
        "network": venue.network(),
        "first layer": venue.layer(atlas.layers[0]),
        "layer": venue.layer(atlas.layer),
        "unit": venue.unit(atlas.layer, atlas.unit),
        "unit without tiles": venue.unit(atlas.layer, atlas.bare),
        "image": venue.image(atlas.image),
        "concepts": venue.page("concepts"),
        "images": venue.page("images"),
        "compare": venue.compare(atlas.layer, atlas.tiled[:2]),
        "about": venue.page("about"),
    }
    if isinstance(venue, Server):
        key = layer_key(atlas.layer)
        found |= {
            "home": venue.home(),
            "large layer": f"{venue.layer(atlas.layer)}?zoom=large&show=tiles",
            "two layers": f"{venue.page('compare')}?l={layer_key(atlas.layers[0])}&l={key}",
            "live": venue.page("live"),
            "look": f"{venue.page('look')}?image={atlas.image}",
        }
    return found


# By name, so that tests can be collected before there is an atlas.
STATIC = (
    "network",
    "first layer",
    "layer",
    "unit",
    "unit without tiles",
    "image",
    "concepts",
    "images",
    "compare",
    "about",
)
SERVED = (*STATIC, "home", "large layer", "two layers", "live", "look")
