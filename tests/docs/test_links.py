"""Links lead somewhere: to files, to headings, to pictures that are there."""

import re

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links, name, text

OTHERS = [ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name)
def test_relative_links_resolve(page):
    """Each relative link names a file or folder of the repository, and each anchor a heading of its page."""
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), link
        assert path.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(path), link


def test_every_picture_is_shown_and_every_page_reached():
    """No picture lies about unused, and every page can be reached from the README."""
    linked = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
    assert set((DOCS / "images").iterdir()) <= linked
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        relative = [link.partition("#")[0] for link in links(page) if not re.match(r"[a-z]+:|#", link)]
        found = [(page.parent / link).resolve() for link in relative]
        todo += [path / "README.md" if path.is_dir() else path for path in found]
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_lines_are_short(page):
    """Lines, but for those of tables, can be read in a terminal."""
    prose = re.sub(r"^\|.*$", "", text(page), flags=re.MULTILINE)
    assert max(map(len, prose.splitlines())) <= 140


def test_the_code_names_pages_that_exist():
    """A docs page that an error or a comment of the package names is there."""
    for path in (ROOT / "layerscope").rglob("*.py"):
        for mentioned in re.findall(r"docs/[\w/-]+\.md", path.read_text()):
            assert (ROOT / mentioned).is_file(), f"{name(path)} names {mentioned}"
