"""What stands beside the code for those who publish, cite, report or add: it agrees with the code and with itself."""

import re
import tomllib

import pytest

from layerscope import __version__
from tests.docs.pages import DOCS, ROOT, name, text

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
KINDS = {kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]}
FORGE = sorted(ROOT.glob(".github/**/*.*"))
TARGETS = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), flags=re.MULTILINE))


def navigation() -> list[str]:
    """The pages that mkdocs.yml names, in their order; a folder as itself."""
    return re.findall(
        r"^ +- (?:[^:\n]+: )?([\w/-]+(?:\.md|/))$", text(ROOT / "mkdocs.yml").split("\nnav:")[1], re.MULTILINE
    )


def test_every_page_has_its_place_in_the_site():
    """Each page of docs/ stands in the navigation once, by itself or with its folder."""
    listed = navigation()
    assert len(listed) == len(set(listed))
    folders = tuple(page for page in listed if page.endswith("/"))
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if page not in listed and not page.startswith(folders)] == []


def test_the_site_shows_no_page_that_is_not_there():
    """What the navigation names lies in docs/, or is made from another file of the repository, or from docstrings."""
    made = set(re.findall(r'"([\w/]+\.md)"', (ROOT / "tools" / "site" / "pages.py").read_text()))
    assert [page for page in navigation() if not (DOCS / page).exists() and page not in made] == []


def test_news_are_of_a_kind_and_whole_sentences():
    """A fragment's name ends in a kind that towncrier knows; it is prose that ends, and no list of its own."""
    for path in sorted((ROOT / "news").iterdir()):
        if path.name != "README.md":
            assert re.fullmatch(rf"(\+[a-z0-9-]+|\d+)\.({'|'.join(sorted(KINDS))})\.md", path.name), path.name
            assert re.fullmatch(r"[^\s#*-].*\.\n?", path.read_text(encoding="utf-8"), re.DOTALL), path.name
    assert set(re.findall(r"`([a-z]+)`", text(ROOT / "news" / "README.md"))) == KINDS


def test_the_changes_hold_the_line_below_which_releases_go():
    """The place that towncrier looks for, once."""
    assert text(ROOT / "CHANGELOG.md").count(PYPROJECT["tool"]["towncrier"]["start_string"]) == 1


def test_the_citation_is_of_this_version():
    """CITATION.cff says version and licence as the package does."""
    fields = dict(re.findall(r"^(\w+): (.+)$", text(ROOT / "CITATION.cff"), flags=re.MULTILINE))
    assert fields["version"] == __version__
    assert fields["license"] == PYPROJECT["project"]["license"]


def test_the_workflow_runs_the_oldest_python_and_those_after_it():
    """The matrix begins with what pyproject.toml demands, and leaves none out."""
    matrix = re.search(r"python: \[(.+)\]", text(ROOT / ".github" / "workflows" / "test.yml"))
    assert matrix is not None
    minors = [int(minor) for minor in re.findall(r'"3\.(\d+)"', matrix[1])]
    assert PYPROJECT["project"]["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


@pytest.mark.parametrize(
    "path", [*FORGE, ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "news" / "README.md"], ids=name
)
def test_what_is_to_be_made_can_be_made(path):
    """Every `make` that the forge's files and the notes for developers name is a target of the Makefile."""
    lines = re.findall(r"(?:^\s*|run: |`)make ([a-z -]+?)(?=[`\n]|  )", text(path), flags=re.MULTILINE)
    assert {target for line in lines for target in line.split()} <= TARGETS


def test_every_target_but_the_rare_ones_is_told():
    """CONTRIBUTING.md names each target that is not a file's and not only for the one who changes pictures."""
    documented = set(re.findall(r"make ([a-z-]+)", text(ROOT / "CONTRIBUTING.md")))
    assert TARGETS - documented <= {"reference-pictures", "clean"}
