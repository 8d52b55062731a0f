"""A site of static pages, looked at as a browser would: what is linked, what is there, what would run or be fetched."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKING = {"href", "src", "srcset", "action", "formaction", "poster", "data", "data-href", "data-src", "xlink:href"}


@dataclass
class Seen(HTMLParser):
    """What stands in a page. links: (tag, attribute, address). inline: script, style or handlers in the page itself."""

    links: list[tuple[str, str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    inline: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag
        found = {name: value or "" for name, value in attrs}
        self.links += [(tag, name, value) for name, value in found.items() if name in LINKING]
        self.ids |= {found["id"]} if "id" in found else set()
        self.inline += [f"{tag} {name}" for name in found if name == "style" or name.startswith("on")]
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(found["content"])

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)
        self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def seen(page: Path) -> Seen:
    """A page, parsed; whoever asks next for the same page gets the same."""
    return _parsed(page.read_text(encoding="utf-8"))


# Of one site several tests ask, each from its own side.
@lru_cache(maxsize=1024)
def _parsed(text: str) -> Seen:
    found = Seen()
    found.feed(text)
    found.close()
    return found


def words_of(page: str) -> str:
    """The words of a page, in one line."""
    found = Seen()
    found.feed(page)
    found.close()
    return " ".join("".join(found.text).split())


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def files(site: Path) -> dict[str, bytes]:
    """All files of a site by their path in it."""
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


def addresses(site: Path) -> Iterator[tuple[Path, str]]:
    """Every address that a page or a style sheet names, with the file that names it."""
    for page in pages(site):
        yield from ((page, address) for _, _, address in seen(page).links)
    for sheet in sorted(site.rglob("*.css")):
        yield from ((sheet, found) for found in re.findall(r'url\("?([^")]+)"?\)', sheet.read_text(encoding="utf-8")))


def dead_links(site: Path) -> list[str]:
    """The addresses that lead nowhere: to no file of the site, to no place in a page, or out of the site."""
    ids = {str(page): seen(page).ids for page in pages(site)}
    there = {str(path) for path in site.rglob("*") if path.is_file()}
    dead = []
    for origin, address in addresses(site):
        parts = urlsplit(address)
        # By its words alone, as a browser finds it: an export has no links of the file system.
        target = normpath(f"{origin.parent}/{unquote(parts.path)}") if parts.path else str(origin)
        outside = bool(parts.scheme or parts.netloc or parts.query) or address.startswith("/")
        # What stands behind the "#" of these is read by their scripts.
        read = target.endswith(("/compare.html", "/search.html"))
        placeless = parts.fragment and not read and unquote(parts.fragment) not in ids.get(target, ())
        if outside or target not in there or placeless:
            dead.append(f"{origin.relative_to(site)}: {address}")
    return dead
