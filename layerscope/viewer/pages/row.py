"""What a page of the viewer is, in a row: address on a server, file in an export, facts, template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from layerscope.core.registry import Row

if TYPE_CHECKING:
    from layerscope.viewer.addresses import Links
    from layerscope.viewer.pages.previews import Preview
    from layerscope.viewer.pages.query import Query
    from layerscope.viewer.shelf import Book

Scope = Literal["shelf", "atlas", "layer", "unit", "image", "picture"]

# What a page of each scope is of, by the names in its route and file; the objects stand in this order in a link.
PARTS: Mapping[str, tuple[str, ...]] = {
    "shelf": (),
    "atlas": (),
    "layer": ("layer",),
    "unit": ("layer", "unit"),
    "image": ("image",),
    "picture": ("key",),
}
# Where a page stands that does not say it itself: below what it is of, under its own name.
ROUTES = {
    "atlas": "{name}",
    "layer": "l/{layer}/{name}",
    "unit": "l/{layer}/u/{unit}/{name}",
    "image": "i/{image}/{name}",
}


def _always(book: "Book") -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Page(Row):
    """A kind of page.

    scope: what one page is of. facts: what stands on it, as a frozen record of plain values, from the shelf (scope
    "shelf") or the book, the query, and by name the parts of its scope and what it asks for; raises UsageError for what
    does not exist. template: its HTML: a template of the viewer, or "package:file" of another package. text: the
    template itself, in place of one. head: its words in the head of every page of an atlas; "" where it is not there.

    route: its address below the atlas's, by default as ROUTES has it. file: its name in an export, by default the
    address with .html behind it, and "-" where an export lacks it. has: whether an atlas has the page; where it has
    not, neither head nor export do. asks: what else its facts take: "shelf" (further atlases, None in an export),
    "link" (addresses), and "engine" and "gallery", which make it a page of a server with a network. leads: where a
    query leads in place of the page, an address or None. in_export: the query that an export shows. headers: of its
    answers. preview: what a chat shows of a link to it, from the book and the facts; by default its sentence.
    """

    scope: Scope
    facts: Callable[..., Any]
    template: str = ""
    text: str = ""
    head: str | Callable[["Book"], str] = ""
    route: str | None = None
    file: str = ""
    has: Callable[["Book"], bool] = _always
    asks: frozenset[str] = frozenset()
    leads: Callable[[Any, "Query", "Links"], str | None] | None = None
    in_export: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    preview: "Callable[[Book, Any], Preview] | None" = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What one page is of, by name."""
        return PARTS[self.scope]

    @property
    def live(self) -> bool:
        """Whether only a server with a network has it."""
        return bool(self.asks & {"engine", "gallery"})

    @property
    def exported(self) -> bool:
        """Whether an export has it."""
        return self.scope in ROUTES and self.file != "-" and not self.live

    @property
    def _route(self) -> str:
        return ROUTES[self.scope] if self.route is None else self.route

    def address(self, parts: Mapping[str, str]) -> str:
        """Its address below the atlas's, with these parts, quoted."""
        return self._route.format(name=self.name, **parts)

    def path(self, parts: Mapping[str, str]) -> str:
        """Its file in an export, with these parts."""
        return (self.file or f"{self._route}.html").format(name=self.name, **parts)

    def data_path(self, parts: Mapping[str, str]) -> str:
        """The file of its values in an export: beside it."""
        return f"{self.path(parts).removesuffix('.html')}.json"

    @property
    def source(self) -> str:
        """By which name the environment of templates has its template."""
        return f"page/{self.name}" if self.text or ":" in self.template else self.template

    def words(self, book: "Book") -> str:
        """What stands in the head."""
        return self.head if isinstance(self.head, str) else self.head(book)
