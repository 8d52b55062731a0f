"""What of an atlas somebody wants to publish."""

from dataclasses import dataclass

from layerscope.viewer.export.browser_network import BrowserNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChoice:
    """What is published.

    layers: names or globs; () is all. tile: largest side of a tile, px; None leaves all as stored.
    photographs: patches, strata and whole pictures. projections: carried-back activations. plates: of them only those
    by each layer's own method, in the natural view. values: of each page, as JSON. url: where the site will stand, with
    a slash at its end; "" where that is not known. network: the network itself, to run in a reader's browser.
    """

    layers: tuple[str, ...] = ()
    tile: int | None = None
    photographs: bool = True
    projections: bool = True
    plates: bool = False
    values: bool = True
    url: str = ""
    network: BrowserNetwork | None = None
