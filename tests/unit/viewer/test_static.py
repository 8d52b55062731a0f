"""The viewer's own and others' scripts and style sheets: as published, small, and asking for nothing elsewhere."""

import hashlib
import re
import tomllib

import pytest

from layerscope.viewer.render import STATIC, assets, environment

VENDORED = tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text())
OWN = [name for name in assets() if not name.startswith("vendor/")]


@pytest.mark.parametrize("name", VENDORED)
def test_scripts_of_others_are_as_published(name: str) -> None:
    """The hash in VENDOR.toml is the file's; its licence stands beside it."""
    entry = VENDORED[name]
    assert hashlib.sha256((STATIC / "vendor" / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (STATIC / "vendor" / entry["licence_file"]).read_text().strip()


def test_every_vendored_script_is_listed() -> None:
    """Nothing else lies in the folder."""
    listed = {entry["file"] for entry in VENDORED.values()}
    assert {name.removeprefix("vendor/") for name in assets() if name.startswith("vendor/")} == listed


def test_budgets_of_scripts_and_style() -> None:
    """60 KiB of scripts, of which at most 15 are others'; of style sheets at most 30,000 bytes on any one page."""
    sizes = {name: len(content) for name, content in assets().items()}
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) <= 60_000
    assert sum(size for name, size in sizes.items() if name.startswith("vendor/")) <= 15 * 1024
    for template in environment().list_templates():
        source = "".join(environment().loader.get_source(environment(), name)[0] for name in ("base.html", template))
        assert sum(size for name, size in sizes.items() if name.endswith(".css") and f"'{name}'" in source) <= 30_000
    assert len(assets()["viewer.js"].splitlines()) < 400


@pytest.mark.parametrize("name", OWN)
def test_nothing_is_asked_of_another_place(name: str) -> None:
    """No address of another origin, no module, no font, no evaluation."""
    text = assets()[name].decode()
    # A sentence may name the reader's own machine.
    addresses = set(re.findall(r"https?://[\w.]+", text)) - {
        "http://www.w3.org",
        "http://localhost",
        "http://127.0.0.1",
    }
    assert not addresses
    assert not re.search(r"@import|@font-face|\beval\(|new Function|^import ", text, re.MULTILINE)


def test_the_common_script_works_from_files() -> None:
    """What a browser forbids a page of file:// is not used: requests, workers, modules."""
    text = assets()["viewer.js"].decode()
    assert not re.search(r"\bfetch\(|XMLHttpRequest|new Worker|import\(|export ", text)


def test_every_place_in_a_sprite_has_a_class() -> None:
    """Unit u of a section lies in column u % 8 and row u // 8: viewer.css says so for all 64."""
    rules = re.findall(r"\.p(\d+) \{ --col: (\d); --row: (\d); \}", assets()["viewer.css"].decode())
    assert [(int(p), int(c), int(r)) for p, c, r in rules] == [(p, p % 8, p // 8) for p in range(64)]
