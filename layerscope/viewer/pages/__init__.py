"""What each page says, as plain records: the same for its HTML, its JSON and an export. One table of all pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from layerscope.viewer.pages import about, compare, concepts, home, image, layer, network, unit
from layerscope.viewer.pages.query import Query

__all__ = ["PAGES", "Page", "Query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A kind of page.

    route: its address on a server. template: its HTML. facts: what stands on it, from the shelf (home) or a book, the
    query, and the parts of the route by name; raises UsageError for what does not exist. shelf: True where the facts of
    a book's page may look at further atlases, given as `shelf=` on a server.
    """

    route: str
    template: str
    facts: Callable[..., Any]
    shelf: bool = False


PAGES = {
    "home": Page(route="/", template="home.html", facts=home.facts),
    "network": Page(route="/{atlas}/", template="network.html", facts=network.facts),
    "layer": Page(route="/{atlas}/l/{layer}", template="layer.html", facts=layer.facts),
    "unit": Page(route="/{atlas}/l/{layer}/u/{unit:int}", template="unit.html", facts=unit.facts),
    "image": Page(route="/{atlas}/i/{image:int}", template="image.html", facts=image.facts),
    "concepts": Page(route="/{atlas}/concepts", template="concepts.html", facts=concepts.facts),
    "compare": Page(route="/{atlas}/compare", template="compare.html", facts=compare.facts, shelf=True),
    "about": Page(route="/{atlas}/about", template="about.html", facts=about.facts),
}
