"""The notebooks of the docs hold no outputs, are found, and run from nothing."""

import re

import pytest

from tests.docs.notebooks import NOTEBOOKS, carry_out, cells, content
from tests.docs.pages import DOCS, PAGES, links, name

TUTORIAL = DOCS / "notebooks" / "tutorial.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_one(path):
    """Format 4.5 with a kernel that everybody has; each cell with a name of its own; nothing was kept of a run."""
    held = content(path)
    assert (held["nbformat"], held["nbformat_minor"]) == (4, 5)
    assert held["metadata"]["kernelspec"]["name"] == "python3"
    names = [cell.name for cell in cells(path)]
    assert len(set(names)) == len(names)
    assert all(cell.outputs == () and cell.run is None for cell in cells(path))
    assert cells(path)[0].kind == "markdown" and cells(path)[0].source.startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_leads_somewhere_and_is_led_to(path):
    """Its links resolve; a page of the docs links to it."""
    for cell in cells(path):
        for link in re.findall(r"\]\(([^)\s]+)\)", cell.source) if cell.kind == "markdown" else ():
            assert re.match(r"https?:", link) or (path.parent / link.partition("#")[0]).exists(), link
    assert any((page.parent / link).resolve() == path for page in PAGES for link in links(page) if ":" not in link)


@pytest.mark.wide
def test_the_tutorial_runs(tmp_path):
    """Every cell, in a new folder; the last layer's surest unit has a name and a page, and is made of others."""
    shown = carry_out(TUTORIAL, tmp_path)
    assert {"network", "atlas", "first-layer", "deep-layer", "widget", "chosen", "unit", "page"} <= set(shown)
    assert shown["unit"].concept.score > 0.04
    assert shown["widget"].unit == shown["chosen"].number == 0
