"""The page on which a picture is tried: only where a network stands beside an export, whose rules all others keep."""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.testing.variants import variants
from layerscope.viewer.export import ExportChoice, export, planned
from layerscope.viewer.export.links import NETWORK_POLICY, POLICY
from layerscope.viewer.pages import Query
from layerscope.viewer.pages.trying import OFFERED, facts
from layerscope.viewer.shelf import Shelf
from tests.helpers.atlases import CLASSES, small_atlas
from tests.helpers.books import named_atlas
from tests.helpers.browser_runtime import FAKE, fake_network
from tests.helpers.sites import dead_links, files, pages, seen
from tests.helpers.viewing import viewing

NETWORK = fake_network(b"the network", CLASSES)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return named_atlas(tmp_path_factory.mktemp("atlas") / "named.atlas", units=5, images=20)


@pytest.fixture(scope="module")
def site(atlas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tried") / "site"
    export(atlas, folder, ExportChoice(network=NETWORK))
    return folder


def handed(script: bytes | str) -> tuple[str, object]:
    """What a script beside the page hands over: its name and value."""
    text = script if isinstance(script, str) else script.decode()
    found = re.fullmatch(r'LS\.put\("try", "(\w+)", (.*)\);\n', text, re.DOTALL)
    assert found is not None and "<" not in text
    return found[1], json.loads(found[2])


def unpacked(script: bytes) -> bytes:
    _, packed = handed(script)
    assert isinstance(packed, str)
    return gzip.decompress(base64.b64decode(packed))


def test_its_files_hold_network_and_runtime_whole(site: Path) -> None:
    """Unpacked they are what was given, byte by byte; the licence lies beside them, and every file is named."""
    script, glue, binary = FAKE.values()
    folder = site / "try"
    assert (folder / "runtime.js").read_bytes() == script
    assert [unpacked((folder / f"{name}.js").read_bytes()) for name in ("glue", "binary", "network")] == [
        glue, binary, b"the network",
    ]  # fmt: skip
    page = (site / "try.html").read_text()
    for file in folder.iterdir():
        assert f'"try/{file.name}"' in page, file.name
    assert "Permission is hereby granted" in (folder / "onnxruntime-web.LICENSE.txt").read_text()
    assert dead_links(site) == []


def test_only_this_page_has_an_exception(site: Path) -> None:
    """A binary and a module of a script's bytes may run on it, and still nothing be asked for; others keep theirs."""
    found = {page.relative_to(site).as_posix(): seen(page) for page in pages(site)}
    assert found["try.html"].policies == [NETWORK_POLICY] and found["try.html"].inline == []
    assert {policy for name, page in found.items() if name != "try.html" for policy in page.policies} == {POLICY}
    allowed = dict(part.split(" ", 1) for part in NETWORK_POLICY.split("; "))
    assert allowed.pop("script-src") == "'self' 'wasm-unsafe-eval' blob:"
    assert allowed == {
        "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
        "form-action": "'none'",
    }  # fmt: skip
    assert "try.html" in {address for _, _, address in found["index.html"].links}


def test_the_script_knows_what_the_atlas_knows(site: Path, atlas: Path) -> None:
    """Fields, maxima, names and addresses of every layer, by its id; each address is a file."""
    name, value = handed((site / "try" / "facts.js").read_text())
    assert name == "facts" and isinstance(value, dict)
    shelf = Shelf([atlas])
    book = shelf.book("named")
    assert value["classes"] == list(CLASSES) and value["input"]["height"] == book.run.input.height
    for told, layer in zip(value["layers"], book.layers, strict=True):
        record, size = layer.record, layer.record.map or (1, 1)
        assert (told["id"], told["units"], len(told["rows"]), len(told["cols"])) == (layer.id, record.units, *size)
        box = record.field.box(size[0] - 1, 0).clipped(book.run.input.height, book.run.input.width)
        assert [told["rows"][-1], told["cols"][0]] == [[box.top, box.bottom], [box.left, box.right]]
        assert told["maxima"] == pytest.approx(book.file.unit_statistics(layer.id).maximum.tolist())
        units = {unit: address for address, units in told["sheets"].items() for unit in units}
        assert set(units) == set(book.file.units_with_sheets(layer.id, "patches"))
        for unit, address in units.items():
            assert (site / address.replace("{n}", str(unit))).is_file()
        # One address serves all units, and each leads to its own page.
        assert len(told["sheets"]) == 1 and all("{n}" in address for address in (*told["sheets"], told["page"]))
        for unit in (0, 1, record.units - 1):
            assert f"Unit {unit} " in (site / told["page"].replace("{n}", str(unit))).read_text()
    shelf.close()


def test_pictures_of_the_atlas_can_be_tried(site: Path, atlas: Path) -> None:
    """At most twelve, of every class one before any has two; their bytes are those that the atlas keeps."""
    with planned(atlas, ExportChoice(network=NETWORK)) as plan:
        told = facts(plan.book, Query(()))
        kept = {one.image: plan.book.file.encoded_picture(one.image) for one in told.pictures}
    assert told.there and 0 < len(told.pictures) <= OFFERED
    assert len({one.label for one in told.pictures}) == min(len(CLASSES), len(told.pictures))
    _, value = handed((site / "try" / "pictures.js").read_text())
    assert isinstance(value, dict) and {int(image) for image in value} == set(kept)
    for image, encoded in kept.items():
        assert encoded is not None and base64.b64decode(value[str(image)]) == encoded.pixels


def test_without_photographs_it_shows_none(atlas: Path, tmp_path: Path) -> None:
    """No picture is offered, no patch named; and two exports are the same bytes."""
    choice = ExportChoice(network=NETWORK, photographs=False)
    for name in ("one", "two"):
        export(atlas, tmp_path / name, choice)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert not (tmp_path / "one" / "try" / "pictures.js").exists()
    assert "data-image" not in (tmp_path / "one" / "try.html").read_text()
    _, value = handed((tmp_path / "one" / "try" / "facts.js").read_text())
    assert isinstance(value, dict) and all(layer["sheets"] == {} for layer in value["layers"])
    # An export without a network takes its place.
    export(atlas, tmp_path / "two", ExportChoice(), overwrite=True)
    assert not (tmp_path / "two" / "try").exists() and not (tmp_path / "two" / "try.html").exists()


def test_a_server_says_where_the_page_is_to_be_had(tmp_path: Path) -> None:
    """No head leads there; who goes there gets a sentence."""
    with viewing(small_atlas(tmp_path / "small.atlas")) as client:
        page, start = client.get("/small/try").text, client.get("/small/").text
    assert "--with-network" in page and "<canvas" not in page and "Try a picture" not in start


@pytest.mark.parametrize("kind", ["of hostile names", "begun", "without small pictures", "without tiles"])
@pytest.mark.thin(2)
def test_atlases_of_every_kind_have_it(atlas: Path, tmp_path: Path, kind: str) -> None:
    """Names stay text, and what is missing is missing."""
    path = variants(atlas, tmp_path)[kind]
    export(path, tmp_path / "site", ExportChoice(network=NETWORK))
    _, value = handed((tmp_path / "site" / "try" / "facts.js").read_text())
    with AtlasFile(path) as file:
        assert isinstance(value, dict) and len(value["layers"]) == len(file.layers)
    assert dead_links(tmp_path / "site") == [] and seen(tmp_path / "site" / "try.html").inline == []
