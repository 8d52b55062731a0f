"""The laws of pages: plain facts, one page on a server and in an export, nothing unescaped, no link that leads nowhere.

Each is called with a row of `layerscope.viewer.pages.PAGES` and an atlas; `laws` runs them all, on the atlas and on
copies of it that lack something. They go the way that a browser goes, so a guest's package must be installed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import anyio

from layerscope.core.errors import UsageError
from layerscope.testing.page_weight import loads_little
from layerscope.testing.variants import HOSTILE
from layerscope.viewer.addresses import layer_key
from layerscope.viewer.answers import links_of
from layerscope.viewer.app import create_app
from layerscope.viewer.export import ExportChoice, planned
from layerscope.viewer.pages import PAGES, PARTS, Page, Query
from layerscope.viewer.pages.telling import as_json, facts_of
from layerscope.viewer.shelf import Book, Shelf

# The first words of addresses that are no pages of other packages.
TAKEN = ("l", "i", "data", "static", "look", "live")
# By address, the status that it gives.
Known = dict[str, int]
LINKING = ("href", "src", "action", "data-href", "data-src")


def laws(page: Page, atlases: Mapping[str, Path], known: dict[Path, Known] | None = None) -> None:
    """All laws, on several atlases, such as `layerscope.testing.variants` makes of one; each has a name, for messages.

    known: what earlier calls have followed of each; the same for the next.
    """
    is_found(page)
    says_itself(page)
    loads_little(page)
    followed = {} if known is None else known
    for name, path in atlases.items():
        try:
            facts_are_plain(page, path)
            answers_as_html_and_json(page, path)
            links_lead_somewhere(page, path, followed.setdefault(path, {}))
            stands_in_an_export(page, path)
        except AssertionError as broken:
            raise AssertionError(f'the page "{page.name}", of an atlas {name}: {broken}') from broken


def is_found(page: Page) -> None:
    """The registry gives this row under its name."""
    assert page.name in PAGES, f'no page is called "{page.name}": is the package with its entry point installed?'
    assert PAGES[page.name] is page, f'"{page.name}" is another row than this'


def says_itself(page: Page) -> None:
    """Name, sentence and scope are of the form that addresses and heads need; one template, one address."""
    assert re.fullmatch(r"[a-z][a-z0-9-]*", page.name), f'"{page.name}" is no plain word of small letters'
    assert page.sentence and not page.sentence.endswith("."), f"{page.name} needs a sentence without a full stop"
    assert page.scope in PARTS, f'"{page.scope}" is no scope: choose {", ".join(PARTS)}'
    assert bool(page.template) != bool(page.text), f"{page.name} needs a template or its text, and not both"
    own = page.name in PAGES.own
    assert own or page.name not in TAKEN, f'"{page.name}" is where addresses of something else begin'
    parts = {part: f"<{part}>" for part in page.parts}
    others = [other for other in PAGES if other.name != page.name and other.scope != "shelf" != page.scope]
    routes = {other.address({part: f"<{part}>" for part in other.parts}): other.name for other in others}
    where = page.address(parts)
    assert where not in routes or page.scope == "shelf", f'{page.name} stands where "{routes.get(where)}" does'


def facts_are_plain(page: Page, atlas: Path) -> None:
    """Facts are a frozen record, and JSON without NaN; asked twice they are the same."""
    with _shelf(atlas) as (shelf, book):
        for parts in _all_parts(page, book):
            first, again = (_facts(page, shelf, book, parts) for _ in range(2))
            assert is_dataclass(first), f"facts are a {type(first).__name__}, not a record"
            assert type(first).__dataclass_params__.frozen, f"{type(first).__name__} is not frozen"  # type: ignore[attr-defined]
            text = as_json(first)
            json.loads(text, parse_constant=_no_json)
            assert text == as_json(again), "asked again, the facts are others"


def answers_as_html_and_json(page: Page, atlas: Path) -> None:
    """A server gives every page as HTML, escaped, and its facts as JSON; what is not there is a 404 with a sentence."""
    if page.live:
        return
    with _shelf(atlas) as (shelf, book):
        app = create_app(shelf)
        for parts in _all_parts(page, book):
            address = _address(page, book, parts)
            answer, data = ask(app, address), ask(app, f"{address}?format=json")
            assert answer.status == data.status == 200, f"{address} gives {answer.status} and {data.status}"
            assert json.loads(data.text) == json.loads(as_json(_facts(page, shelf, book, parts))), (
                f"{address}: other JSON"
            )
            _require_escaped(answer.text, address)
            _require_in_head(page, book, answer.text)
        for parts in _wrong_parts(page):
            address = _address(page, book, parts)
            assert ask(app, address).status == 404, f"{address} is there, but there is no such thing"


def links_lead_somewhere(page: Page, atlas: Path, known: Known | None = None) -> None:
    """Every address in a page of a server is one of its own, and leads to an answer. known: what is followed."""
    if page.live:
        return
    with _shelf(atlas) as (shelf, book):
        app, followed = create_app(shelf), {} if known is None else known
        for parts in _all_parts(page, book):
            address = _address(page, book, parts)
            for found in _addresses(ask(app, address).text):
                wanted = urljoin(address, found).partition("#")[0]
                assert not urlsplit(wanted).netloc, f"{address} leads out, to {found}"
                if wanted not in followed:
                    followed[wanted] = ask(app, wanted).status
                assert followed[wanted] < 400, f"{address} leads to {found}, which gives {followed[wanted]}"


def stands_in_an_export(page: Page, atlas: Path) -> None:
    """An export has the same facts, and its page leads to files of the export alone; also without photographs."""
    for choice in (ExportChoice(), ExportChoice(photographs=False, projections=False)) if page.exported else ():
        with planned(atlas, choice) as plan:
            paths = {piece.path for piece in plan.pieces}
            pieces = [piece for piece in plan.pieces if piece.kind == "page" and piece.key[0] == page.name]
            for piece in (*pieces[:2], *pieces[2:][-2:]):
                text = plan.content(piece).decode()
                _require_escaped(text, piece.path)
                for found in _addresses(text):
                    parts = urlsplit(found)
                    target = normpath(join(dirname(piece.path), unquote(parts.path))) if parts.path else piece.path
                    outside = parts.scheme or parts.netloc or parts.query
                    assert not outside and target in paths, f"{piece.path} leads to {found}, which is no file of it"
            if choice == ExportChoice():
                _require_same_facts(page, atlas, plan.book)


class Reply(NamedTuple):
    """What a server says. text: its body."""

    status: int
    text: str


def ask(app: Any, address: str) -> Reply:
    """What an application answers to a GET, as a server would ask it; redirects are followed."""
    for _ in range(3):
        status, headers, body = anyio.run(_asked, app, address)
        if status != 303:
            break
        address = dict(headers)[b"location"].decode()
    return Reply(status, body.decode("utf-8", "replace"))


async def _asked(app: Any, address: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    parts, said = urlsplit(address), list[dict[str, Any]]()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "root_path": "", "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in said)
    return said[0]["status"], said[0]["headers"], body


@contextmanager
def _shelf(atlas: Path) -> Iterator[tuple[Shelf, Book]]:
    shelf = Shelf([atlas])
    try:
        yield shelf, shelf.book(shelf.slugs[0])
    finally:
        shelf.close()


def _all_parts(page: Page, book: Book) -> list[dict[str, Any]]:
    """What pages of this scope are of: the first and last layers, units and images."""
    if page.live:
        return []
    layers = [book.layers[place] for place in sorted({0, len(book.layers) - 1})] if book.layers else []
    images = sorted({0, max(book.file.image_count() - 1, 0)}) if book.file.image_count() else []
    found: dict[str, list[dict[str, Any]]] = {
        "layer": [{"layer": layer_key(layer)} for layer in layers],
        "unit": [
            {"layer": layer_key(layer), "unit": unit}
            for layer in layers
            for unit in sorted({0, layer.record.units - 1})
        ],
        "image": [{"image": image} for image in images],
    }
    return found.get(page.scope, [{}])


def _wrong_parts(page: Page) -> list[dict[str, Any]]:
    wrong = {"layer": "no-such-layer", "unit": 10**8, "image": 10**8}
    return [{part: wrong[part] for part in page.parts}] if page.parts else []


def _facts(page: Page, shelf: Shelf, book: Book, parts: dict[str, Any]) -> Any:
    offered = {"shelf": shelf, "link": links_of(book)}
    asked = {name: offered[name] for name in page.asks}
    return facts_of(page, shelf if page.scope == "shelf" else book, Query(), **parts, **asked)


def _require_same_facts(page: Page, atlas: Path, exported: Book) -> None:
    with _shelf(atlas) as (_, book):
        for parts in _all_parts(page, book):
            outcomes = []
            for where in (book, exported):
                asked = {name: {"shelf": None, "link": links_of(book)}[name] for name in page.asks}
                try:
                    outcomes.append(as_json(facts_of(page, where, Query.of(page.in_export), **parts, **asked)))
                except UsageError as error:
                    outcomes.append(str(error))
            assert outcomes[0] == outcomes[1], f"of {parts} an export has other facts than a server"


def _address(page: Page, book: Book, parts: dict[str, Any]) -> str:
    if page.scope == "shelf":
        return "/"
    return f"/{book.slug}/" + page.address({name: str(part) for name, part in parts.items()})


class _Seen(HTMLParser):
    """What stands in a page: its addresses, and what would run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.addresses: list[str] = []
        self.running: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.addresses += [found[name] for name in LINKING if name in found]
        self.running += [f"{tag} {name}" for name in found if name.startswith("on")]
        self.running += [
            f"{tag} to {one}" for one in self.addresses[-1:] if one.strip().lower().startswith("javascript:")
        ]
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.running.append(f"script {data[:40]}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def _seen(text: str) -> _Seen:
    seen = _Seen()
    seen.feed(text)
    seen.close()
    return seen


def _addresses(text: str) -> Iterator[str]:
    """Addresses in a page; places in itself are none."""
    yield from dict.fromkeys(one for one in _seen(text).addresses if not one.startswith("#"))


def _require_escaped(text: str, where: str) -> None:
    running = _seen(text).running
    assert not running, f"{where} would run {running[0]}"
    assert HOSTILE not in text and HOSTILE[:28] not in text, f"{where} holds a name as it is, not escaped"
    assert "{{7*7}}" in text or "49" not in re.findall(r"alert\(2\).{0,40}?(49)", text), f"{where} runs a name"


def _require_in_head(page: Page, book: Book, text: str) -> None:
    if page.scope == "atlas" and page.head and page.has(book):
        there = f'href="{links_of(book).page(page.name)}"'
        assert there in text, f'the head of "{page.name}" does not lead to itself: does its template extend base.html?'


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
