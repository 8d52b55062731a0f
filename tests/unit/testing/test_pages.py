"""The laws of pages: ours keep them, a guest's keeps them from its own package, and what breaks one is found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from layerscope.testing import pages as laws
from layerscope.testing.variants import HOSTILE, VARIANTS, variants
from layerscope.viewer import pages, render
from layerscope.viewer.app import create_app
from layerscope.viewer.export import ExportChoice, export
from layerscope.viewer.pages import PAGES, Page, Query
from layerscope.viewer.shelf import Book, Shelf
from tests.docs.pages import DOCS, blocks
from tests.helpers.books import named_atlas
from tests.helpers.guests import installed
from tests.helpers.sites import dead_links

PLAIN = (
    '{% extends "base.html" %}{% block title %}P{% endblock %}{% block main %}<h1>{{ page.said }}</h1>{% endblock %}'
)


@dataclass(frozen=True)
class Said:
    said: str | float


def facts(book: Book, query: Query, **parts: object) -> Said:
    return Said(f"{book.run.network}: {len(book.layers)}")


PAGE = Page(name="said", sentence="how many layers there are", scope="atlas", head="Said", facts=facts, text=PLAIN)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return named_atlas(tmp_path_factory.mktemp("atlas") / "full.atlas", units=4, images=12)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Page], Page]]:
    """Puts a row among the pages, as an installed package would."""

    def put(page: Page) -> Page:
        monkeypatch.setitem(PAGES.guests, page.name, object())
        monkeypatch.setitem(PAGES._loaded, page.name, page)
        monkeypatch.setattr(laws.PAGES.__class__, "found", _found, raising=True)
        forget()
        return page

    yield put
    forget()


def forget() -> None:
    """What is kept of the pages that there were."""
    for kept in (pages._those_of, render._look_of, render.environment):
        kept.cache_clear()


def _found(registry) -> list:
    """Every row without asking installed packages again."""
    return [RowSpy(registry.known(name)) for name in registry.names]


@dataclass
class RowSpy:
    row: object
    home: str = "a guest 1.0"

    @property
    def name(self) -> str:
        return self.row.name  # type: ignore[attr-defined]


def test_there_is_every_variant(atlas: Path, tmp_path: Path) -> None:
    """Each is an atlas that opens; the hostile one has hostile names."""
    found = variants(atlas, tmp_path)
    assert set(found) == set(VARIANTS)
    for path in found.values():
        (book,) = shelf = Shelf([path])
        assert book.layers
        shelf.close()
    (book,) = shelf = Shelf([found["of hostile names"]])
    assert book.run.network == HOSTILE
    shelf.close()


SERVED = [name for name, page in PAGES.own.items() if not page.live]
# Of everything, of nothing, and of names that would deceive.
FEW = ("as it is", "begun", "of hostile names")


@pytest.fixture(scope="module")
def atlases(atlas: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return variants(atlas, tmp_path_factory.mktemp("variants"))


@pytest.fixture(scope="module")
def known() -> dict:
    return {}


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.thin(4)
def test_our_pages_keep_the_laws(name: str, atlases: dict[str, Path], known: dict) -> None:
    """On an atlas of everything, on one that was only begun, and on one of hostile names."""
    laws.laws(PAGES.own[name], {variant: atlases[variant] for variant in FEW}, known)


@pytest.mark.wide
@pytest.mark.parametrize("name", SERVED)
def test_our_pages_keep_the_laws_whatever_is_missing(name: str, atlases: dict[str, Path], known: dict) -> None:
    """On atlases that lack what pages show."""
    laws.laws(PAGES.own[name], atlases, known)


@pytest.mark.parametrize("name", [name for name, page in PAGES.own.items() if page.live])
def test_live_pages_say_themselves(name: str) -> None:
    """Those that need a network are tested with one elsewhere."""
    laws.is_found(PAGES.own[name])
    laws.says_itself(PAGES.own[name])


def test_a_guest_s_page_keeps_the_laws(atlas: Path, atlases: dict[str, Path], tmp_path: Path) -> None:
    """The page of tests/plugin, through its entry point alone: on a server, as JSON, in the head, and in an export."""
    with installed():
        laws.laws(PAGES["dead"], {variant: atlases[variant] for variant in FEW})
        shelf = Shelf([atlas])
        app = create_app(shelf)
        assert '<a href="/full/dead" data-place="dead">Dead</a>' in laws.ask(app, "/full/about").text
        assert '"layers": [["features.1", [3]]' in laws.ask(app, "/full/dead?format=json").text
        shelf.close()
        export(atlas, tmp_path / "site")
        assert "<h1>Dead units</h1>" in (tmp_path / "site" / "dead.html").read_text()
        assert 'href="dead.html"' in (tmp_path / "site" / "index.html").read_text()
        assert dead_links(tmp_path / "site") == []
        export(atlas, tmp_path / "site", overwrite=True)
    shelf = Shelf([atlas])
    assert laws.ask(create_app(shelf), "/full/dead").status == 404
    shelf.close()


@pytest.mark.parametrize(
    ("scope", "address", "file", "beside"),
    [
        ("layer", "/full/l/features.1/said", "l/features.1/said.html", "/full/l/features.1"),
        ("unit", "/full/l/features.1/u/2/said", "l/features.1/u/2/said.html", "/full/l/features.1/u/2"),
        ("image", "/full/i/3/said", "i/3/said.html", "/full/i/3"),
    ],
)
@pytest.mark.thin(3)
def test_a_page_of_each_scope_is_led_to(
    scope: str, address: str, file: str, beside: str, atlas: Path, there: Callable[[Page], Page], tmp_path: Path
) -> None:
    """A guest's page of a layer, unit or image has an address and a file, and the page of the same leads to it."""
    there(replace(PAGE, scope=scope, head=""))
    shelf = Shelf([atlas])
    app = create_app(shelf)
    assert f'<a href="{address}">How many layers there are</a>' in laws.ask(app, beside).text
    assert "torchvision:smallnet: 3" in laws.ask(app, address).text
    shelf.close()
    export(atlas, tmp_path / "site", ExportChoice(layers=("features.1",)))
    assert (tmp_path / "site" / file).is_file()
    assert dead_links(tmp_path / "site") == []


COUNT = count()
BROKEN = {
    "not finite": replace(PAGE, facts=lambda *_: Said(float("nan"))),
    "not a record": replace(PAGE, facts=lambda *_: {"said": 1}),
    "the facts are others": replace(PAGE, facts=lambda *_: Said(float(next(COUNT)))),
    "would run": replace(PAGE, text=PLAIN.replace("page.said", "page.said|safe")),
    "leads to /full/nowhere": replace(PAGE, text=PLAIN.replace("<h1>", '<h1><a href="/{{ book.slug }}/nowhere">n</a>')),
    "leads out": replace(PAGE, text=PLAIN.replace("<h1>", '<h1><a href="https://example.org/">n</a>')),
    "does not lead to itself": replace(PAGE, text="<!doctype html><title>t</title>{{ page.said }}"),
    "without a full stop": replace(PAGE, sentence="How many layers there are."),
    "no plain word": replace(PAGE, name="Said so"),
    "stands where": replace(PAGE, route="about"),
    "not both": replace(PAGE, template="about.html"),
    "begin": replace(PAGE, name="data"),
}


@pytest.mark.parametrize("said", BROKEN)
@pytest.mark.thin(4)
def test_what_breaks_a_law_is_found(said: str, atlases: dict[str, Path], there: Callable[[Page], Page]) -> None:
    """In a sentence that says what."""
    page = there(BROKEN[said])
    with pytest.raises(Exception, match=said.replace("full", ".*")):
        laws.laws(page, {variant: atlases[variant] for variant in ("as it is", "of hostile names")})


def test_a_failing_guest_names_its_package(atlas: Path, there: Callable[[Page], Page], tmp_path: Path) -> None:
    """A bug in a page of another package is a 500 that says whose it is; an export ends in the same sentence."""

    def fails(book: Book, query: Query) -> Said:
        raise ZeroDivisionError("of mine")

    there(replace(PAGE, facts=fails))
    shelf = Shelf([atlas])
    answer = laws.ask(create_app(shelf), "/full/said")
    said = "the page &#34;said&#34; of a guest 1.0 failed: ZeroDivisionError: of mine"
    assert answer.status == 500 and said in answer.text
    shelf.close()
    with pytest.raises(Exception, match=r'the page "said" of a guest 1.0 failed: ZeroDivisionError: of mine'):
        export(atlas, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_page_that_the_docs_write_keeps_the_laws(there: Callable[[Page], Page], atlas: Path) -> None:
    """Whoever begins with docs/add-a-page.md begins with a page that is right."""
    (block,) = [block for block in blocks(DOCS / "add-a-page.md") if block.manner == "a page"]
    names: dict[str, Any] = {"__name__": "a_page_of_the_docs"}
    exec(block.body, names)
    laws.laws(there(names["PAGE"]), {"full": atlas})
