"""What the docs tell a reader to type can be typed, page by page, and does what the page says."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from layerscope.cli.parser import parse
from layerscope.known.pictures import write_pictures
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, name, text
from tests.docs.running import Page, commands

OWN_MODEL = DOCS / "how-to" / "own-model.md"
GUIDES = [path for path in sorted((DOCS / "how-to").glob("*.md")) if path != OWN_MODEL]
# Pages that go on from nothing; where they need images they say so.
TUTORIAL = DOCS / "tutorial.md"
ALONE = [ROOT / "README.md", TUTORIAL, DOCS / "mathematics.md", DOCS / "reference" / "python.md"]
PICTURES = 26
# Rows that pages write, and the laws that they are asked, are run by tests of their own.
MANNERS = ("", "downloads", "set-up", "exactly", "a row", "a method", "a page", "the laws", "with an extra")


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A folder with the images that README and guides ask for: `photos/`."""
    folder = tmp_path_factory.mktemp("pages")
    write_pictures(folder / "photos", PICTURES)
    return folder


@pytest.fixture(scope="session")
def own_model(photos, tmp_path_factory) -> Path:
    """The folder as "use your own model" leaves it, from where the other guides go on."""
    folder = tmp_path_factory.mktemp("own") / "work"
    shutil.copytree(photos, folder)
    Page(OWN_MODEL, folder).run()
    return folder


@pytest.mark.wide
def test_own_model_leaves_what_the_guides_share(own_model):
    """The guide to one's own model runs, and leaves net.py and mine.atlas beside photos/."""
    assert {"photos", "net.py", "mine.atlas"} <= {path.name for path in own_model.iterdir()}


@pytest.mark.wide
@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_guides_run(guide, own_model, tmp_path):
    """Each guide runs in the folder that "use your own model" leaves."""
    shutil.copytree(own_model, tmp_path / "work")
    Page(guide, tmp_path / "work").run()


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_guides_say_what_they_go_on_from(guide):
    """Whoever opens a guide first finds the page that leaves the files it needs."""
    assert "own-model.md" in text(guide)


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.wide if page == TUTORIAL else ()) for page in ALONE], ids=name
)
def test_pages_run_from_nothing(page, photos, tmp_path):
    """README, tutorial, mathematics and reference run in a new folder; README's `photos/` is given."""
    shutil.copytree(photos, tmp_path / "work")
    Page(page, tmp_path / "work").run()


def test_every_page_with_blocks_is_run():
    """No page holds a block that is meant to be run and never is."""
    runs = {path for path in PAGES for block in blocks(path) if block.language in ("sh", "python") and not block.manner}
    assert runs <= {OWN_MODEL, *GUIDES, *ALONE}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_not_run_can_be_parsed(page):
    """Commands that would fetch something, and examples of set-up, name verbs, options and targets that exist."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for block in blocks(page):
        assert block.language in ("sh", "python", "text", "sql", "toml", ""), f"line {block.line}: {block.language}"
        assert block.manner in MANNERS, f"line {block.line}: {block.manner}"
        if block.language == "toml":
            tomllib.loads(block.body)
        if block.language != "sh" or not block.manner:
            continue
        for ours, line in commands(block):
            if ours:
                parse(shlex.split(line, comments=True)[1:])
            for target in re.findall(r"^make ([a-z]+)", line, flags=re.MULTILINE):
                assert target in targets
