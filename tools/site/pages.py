"""What MkDocs is told beyond mkdocs.yml: pages from outside docs/, those made from docstrings, and links between all.

The Markdown stays as the forge shows it. Here its links are turned to the site's pages, and what our fences say behind
their language (`sh downloads`) is taken off.
"""

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import layerscope

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layerscope"
# Where what lies outside docs/ stands in the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "security.md",
    "news/README.md": "news.md",
    "CITATION.cff": "CITATION.txt",
    "LICENSE": "LICENSE.txt",
}
ICON = PACKAGE / "viewer" / "static" / "icon.svg"
FENCE = re.compile(r"^(```\w*)[^\n`]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A folder in the navigation stands for all its pages, its README first."""
    for entry in config.nav or []:
        for title, folder in entry.items():
            if isinstance(folder, str) and folder.endswith("/"):
                pages = sorted(path.name for path in (ROOT / "docs" / folder).glob("[0-9]*.md"))
                entry[title] = [f"{folder}README.md", *(folder + page for page in pages)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages and files that do not lie in docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    files.append(File.generated(config, "icon.svg", content=ICON.read_text(encoding="utf-8")))
    files.append(File.generated(config, "reference/api.md", content=api()))
    files.append(File.generated(config, "reference/rows.md", content=rows()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fences with their language alone; links, outside of fences, to the site's pages."""
    there = page.file.src_uri
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [relinked(markdown[end : fence.start()], there), f"{fence[1]}\n{fence[2]}```"]
        end = fence.end()
    return "".join([*parts, relinked(markdown[end:], there)])


def relinked(markdown: str, page: str) -> str:
    """The links of a page of the site, as they must be there; what leads out of the repository stays."""
    source = next((source for source, made in OUTSIDE.items() if made == page), f"docs/{page}")

    def link(match: re.Match[str]) -> str:
        target, mark, anchor = match[2].partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not target or re.match(r"[a-z]+:", target) or not (ROOT / path).exists():
            return match[0]
        if (ROOT / path).is_dir():
            path = f"{path}/README.md"
        home = OUTSIDE.get(path) or path.removeprefix("docs/")
        return match[1] + posixpath.relpath(home, posixpath.dirname(page) or ".") + mark + anchor + match[3]

    return LINK.sub(link, markdown)


def api() -> str:
    """The public names, each as its docstring tells it."""
    names = [name for name in layerscope.__all__ if not name.startswith("_")]
    kinds = {
        "Verbs": [name for name in names if name[0].islower()],
        "Classes": [name for name in names if name[0].isupper() and not name.endswith("Error")],
        "Errors": [name for name in names if name.endswith("Error")],
    }
    parts = ["# Every public name", "What `import layerscope as ls` gives, with types, as the docstrings tell it."]
    for title, members in kinds.items():
        parts += [f"## {title}", *(f"::: layerscope.{name}" for name in members)]
    return "\n\n".join(parts)


def rows() -> str:
    """What a package of somebody else's builds on: the registry, the rows of each kind, and their laws."""
    laws = sorted(path.stem for path in (PACKAGE / "testing").glob("[a-z]*.py"))
    parts = ["# Rows and their laws", "For packages that add a row of their own, and hold it to the laws of ours."]
    parts += ["## Rows", "::: layerscope.core.registry.Row", *(f"::: {name}" for name in subclasses("Row"))]
    parts += ["## Registry", "::: layerscope.core.registry.Registry", "::: layerscope.core.registry.later", "## Laws"]
    return "\n\n".join([*parts, *(f"::: layerscope.testing.{name}" for name in laws)])


def subclasses(base: str) -> Iterator[str]:
    """The dotted names of the package's classes that inherit from one, module by module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(PurePosixPath(path.relative_to(ROOT)).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(one) == base for one in node.bases):
                yield f"{module}.{node.name}"
