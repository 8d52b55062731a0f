"""An export: every page and picture of what was chosen, linked, safe to open anywhere, the same bytes each time."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from layerscope.core.errors import UsageError
from layerscope.viewer.export import ExportChoice, export, planned
from layerscope.viewer.export.plan import MARKER
from tests.helpers.atlases import small_atlas
from tests.helpers.sites import addresses, dead_links, files, pages, seen

HOSTILE = ("../../x", "con", "<img src=x onerror=alert(1)>")
MORE_HOSTILE = ("\x00", "n" * 10_000, "l3")
UNITS, K, IMAGES = 4, 3, 10


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    """A small finished atlas: three layers, one of them dense."""
    return small_atlas(tmp_path_factory.mktemp("atlas") / "small.atlas", units=UNITS, k=K, images=IMAGES)


@pytest.fixture(scope="module")
def site(atlas, tmp_path_factory) -> Path:
    """All of it, exported."""
    folder = tmp_path_factory.mktemp("all") / "site"
    export(atlas, folder)
    return folder


@pytest.fixture(scope="module")
def private(atlas, tmp_path_factory) -> Path:
    """The same without photographs."""
    folder = tmp_path_factory.mktemp("private") / "site"
    export(atlas, folder, ExportChoice(photographs=False))
    return folder


def ask(atlas: Path, query: str) -> list[tuple]:
    with sqlite3.connect(atlas) as connection:
        return connection.execute(query).fetchall()


def test_every_layer_and_unit_has_its_page(site, atlas):
    """Also a dead unit, and one without tiles."""
    for (layer,) in ask(atlas, "SELECT name FROM layer"):
        assert (site / "l" / layer / "index.html").is_file()
        assert {page.name for page in (site / "l" / layer / "u").glob("*.html")} == {
            f"{unit}.html" for unit in range(UNITS)
        }
    images = {image for (image,) in ask(atlas, "SELECT DISTINCT image FROM peak")}
    assert {int(page.stem) for page in (site / "i").glob("*.html")} >= images


def test_no_link_is_dead(site, private):
    """Every address of every page and style sheet is a file of the site, every fragment a place in it."""
    assert dead_links(site) == []
    assert dead_links(private) == []


def test_every_page_is_linked(site):
    """From the first page one comes everywhere, without a script."""
    found, waiting = set[Path](), [site / "index.html"]
    while waiting:
        page = waiting.pop()
        if page not in found:
            found.add(page)
            linked = [address for tag, name, address in seen(page).links if (tag, name) == ("a", "href")]
            linked = [address.partition("#")[0] for address in linked]
            waiting += [(page.parent / address).resolve() for address in linked if address.endswith(".html")]
    assert {page.resolve() for page in pages(site)} <= found


def test_every_file_is_used(site):
    """No file is written that nothing names; the marker is for the next export."""
    named = {(origin.parent / address.partition("#")[0]).resolve() for origin, address in addresses(site) if address}
    own = {path for path in site.rglob("*") if path.is_file() and path.parent.name not in ("static", "vendor")}
    left = {path.relative_to(site).as_posix() for path in own if path.resolve() not in named}
    assert left <= {MARKER}


def test_stored_sheets_are_untouched(site, atlas):
    """Each sheet and small picture is there byte by byte."""
    kept = {data for (data,) in ask(atlas, "SELECT pixels FROM sheet UNION ALL SELECT pixels FROM picture")}
    assert kept <= set(files(site).values())


def test_nothing_runs_and_nothing_is_fetched_from_elsewhere(site):
    """No script or style in a page, no handler, a policy in each, and not one address with a scheme or host."""
    for page in pages(site):
        found = seen(page)
        assert found.inline == []
        assert len(found.policies) == 1 and "default-src 'none'" in found.policies[0]
        assert "unsafe" not in found.policies[0] and "http" not in found.policies[0]
        for _, _, address in found.links:
            assert not address.startswith(("/", "http", "javascript:", "data:")) and "?" not in address, address


def test_a_second_export_is_the_same(site, atlas, tmp_path):
    """Byte by byte; also where it replaces one."""
    export(atlas, tmp_path / "again")
    assert files(tmp_path / "again") == files(site)
    export(atlas, tmp_path / "again", ExportChoice(layers=("features.1",)), overwrite=True)
    assert sorted(path.name for path in (tmp_path / "again" / "l").iterdir()) == ["features.1"]


def test_without_photographs_nothing_of_them_is_left(private, atlas):
    """No patch, no small picture, no page of an image, and none of the words that name an image or its hash."""
    held = files(private)
    pictures = {data for (data,) in ask(atlas, "SELECT pixels FROM sheet WHERE kind = 'patches'")}
    pictures |= {data for (data,) in ask(atlas, "SELECT pixels FROM picture")}
    assert not pictures & set(held.values())
    assert not [name for name in held if "patches" in name or "strata" in name or name.startswith("i/")]
    words = {word for row in ask(atlas, "SELECT source, sha256 FROM image") for word in row if word}
    words |= {"photos/"}
    everything = b"\n".join(held.values())
    assert [word for word in words if word.encode() in everything] == []


def test_projections_stay_or_go_as_chosen(private, atlas, tmp_path):
    """Without photographs all projections are there; without either no picture of a unit at all, but its page."""
    stored = {data for (data,) in ask(atlas, "SELECT pixels FROM sheet WHERE kind = 'projections'")}
    assert stored <= set(files(private).values())
    export(atlas, tmp_path / "bare", ExportChoice(photographs=False, projections=False))
    held = {name for name in files(tmp_path / "bare") if not name.startswith("static/")}
    assert {name.rpartition(".")[2] for name in held} == {"html", "css", "js", "json"}
    assert len(list((tmp_path / "bare" / "l" / "features.1" / "u").glob("*.html"))) == UNITS
    assert dead_links(tmp_path / "bare") == []


def test_smaller_tiles(atlas, tmp_path):
    """Tiles larger than asked for are made smaller; the others stay as they are, byte by byte."""
    export(atlas, tmp_path / "site", ExportChoice(tile=16))
    sides = {}
    for layer, side in (("features.1", 8), ("features.4", 24), ("classifier.1", 64)):
        with Image.open(tmp_path / "site" / "l" / layer / "u" / "0-patches.jpg") as sheet:
            sides[side] = sheet.size[0] // 2
    assert sides == {8: 8, 24: 16, 64: 16}
    (small,) = ask(atlas, "SELECT pixels FROM sheet WHERE layer = 0 AND unit = 0 AND kind = 'patches'")
    assert (tmp_path / "site" / "l" / "features.1" / "u" / "0-patches.jpg").read_bytes() == small[0]


@pytest.mark.parametrize(("names", "spoilt"), [(HOSTILE, 0), (MORE_HOSTILE, 1)])
def test_names_from_strangers_are_only_text(names, spoilt, tmp_path):
    """Whatever layers, classes, images and methods are called: no file outside, no tag, no dead link."""
    atlas = small_atlas(tmp_path / "h.atlas", units=3, k=2, images=8, seed=spoilt)
    with sqlite3.connect(atlas) as connection:
        for layer, name in enumerate(names):
            connection.execute("UPDATE layer SET name = ?, path = ?, aliases = '[]' WHERE id = ?", (name, name, layer))
        connection.execute("UPDATE image SET source = ?, label = ?", (f"/etc/{names[0]}", names[2]))
        connection.execute("UPDATE sheet SET method = '../../evil' WHERE method = 'guided' AND unit = 0")
        connection.execute("UPDATE run SET network = ?, methods = ?", (names[2], '["deconvnet","../../evil"]'))
    done = export(atlas, tmp_path / "deep" / "down" / "site")
    place = tmp_path / "deep" / "down"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "h.atlas"]
    assert [p.name for p in place.iterdir()] == ["site"] and len(files(place)) == done.files
    assert dead_links(place / "site") == []
    for page in pages(place / "site"):
        found = seen(page)
        assert found.inline == [] and not [address for tag, _, address in found.links if address == "x"]


def test_an_unfinished_atlas_says_so(tmp_path):
    """On every page, and to the one who exports it."""
    atlas = small_atlas(tmp_path / "u.atlas", units=2, k=2, images=6, finished=False)
    reported: list[str] = []

    class Listening:
        def start(self, stage: str, total: int, done: int) -> None:
            reported.append(f"{stage} {total}")

        def step(self, count: int = 1) -> None: ...

        def say(self, sentence: str) -> None:
            reported.append(sentence)

    done = export(atlas, tmp_path / "site", progress=Listening())
    assert any("has not ended" in sentence for sentence in reported) and f"export {done.files}" in reported
    assert all("still being built" in page.read_text() for page in pages(tmp_path / "site"))


def test_the_estimate(atlas, site):
    """The files are counted exactly, the bytes to a tenth."""
    held = files(site)
    with planned(atlas, ExportChoice()) as plan:
        assert plan.estimate.files == len(held) == len({piece.path for piece in plan.pieces})
        assert plan.estimate.bytes == pytest.approx(sum(map(len, held.values())), rel=0.1)


def test_a_budget_takes_the_most_that_fits(atlas, site, tmp_path, monkeypatch):
    """All, no values, plates only, smaller tiles; if nothing fits the smallest size is said, and nothing is written."""
    # Whatever the estimate is, what is taken is taken by it.
    monkeypatch.setattr("layerscope.viewer.export.plan.SAMPLED", 2)
    whole = sum(map(len, files(site).values()))
    some = ExportChoice(layers=("features.1", "features.4"))
    with planned(atlas, some, budget=2 * whole) as plan:
        assert plan.book.edition.choice == some
    with planned(atlas, replace(some, values=False)) as plan:
        assert not [piece for piece in plan.pieces if piece.path.endswith(".json") and piece.kind != "marker"]
        enough = int(plan.estimate.known + 1.1 * plan.estimate.guessed) + 1
    with planned(atlas, some, budget=enough) as plan:
        assert plan.book.edition.choice == replace(some, values=False)
    with planned(atlas, replace(some, plates=True, values=False)) as plan:
        enough = int(plan.estimate.known + 1.1 * plan.estimate.guessed) + 1
    with planned(atlas, some, budget=enough) as plan:
        assert plan.book.edition.choice == replace(some, plates=True, values=False)
        assert {(s.method, s.view) for s in plan.book.file.sheets if s.kind == "projections"} == {
            ("deconvnet", "natural"), ("guided", "natural")
        }  # fmt: skip
    with pytest.raises(UsageError, match=r"0\.0 MB are too few: the smallest export .* takes about \d\.\d MB"):
        export(atlas, tmp_path / "site", some, budget=10_000)
    assert not (tmp_path / "site").exists()


def test_layers_are_chosen_by_name_or_pattern(atlas):
    """A name, an alias or a pattern; one that means none is named with what is near."""
    for names, ids in ((("features.*",), [0, 1]), (("features.0", "classifier.1"), [0, 2]), ((), [0, 1, 2])):
        with planned(atlas, ExportChoice(layers=names)) as plan:
            assert [layer.id for layer in plan.book.layers] == ids
    for name, sentence in (("features.2", 'no layer "features.2".*did you mean'), ("x*", r'no layer of .* "x\*"')):
        with pytest.raises(UsageError, match=sentence), planned(atlas, ExportChoice(layers=(name,))):
            pass


def test_the_marker_says_what_was_chosen(private):
    """The folder is told as ours by a file that holds no time."""
    marker = json.loads((private / MARKER).read_text())
    assert marker["photographs"] is False and marker["projections"] is True
    assert not [name for name in marker if "time" in name or "date" in name]
