"""What a page loads before it is whole: its scripts and style sheets, and how many bytes they may have.

Counted from the templates: every file that `link.asset` names in a page's template and in those that it extends,
includes or imports, whatever condition stands before it. What is the atlas's, sprites and pictures, is not counted.
"""

import re

from jinja2 import meta

from layerscope.viewer.pages import Page
from layerscope.viewer.render import assets, environment

# Bytes, unzipped: all scripts, those of them that others wrote, all style sheets.
MOST_SCRIPTS, MOST_VENDORED, MOST_STYLES = 60_000, 15_000, 30_000
ASSET = re.compile(r"""link\.asset\(\s*["']([^"']+)["']\s*\)""")


def loaded(page: Page) -> dict[str, int]:
    """The viewer's own files that a page names, "vendor/NAME" for those of others, with their bytes."""
    sources = _sources(page.source, {})
    names = {name for source in sources.values() for name in ASSET.findall(source)}
    return {name: len(assets()[name]) for name in sorted(names)}


def weight(page: Page, start: str = "", end: str = "") -> int:
    """Bytes of those whose names start and end so: `weight(page, end=".css")`."""
    return sum(size for name, size in loaded(page).items() if name.startswith(start) and name.endswith(end))


def loads_little(page: Page) -> None:
    """A page's scripts and style sheets stay within MOST_SCRIPTS, MOST_VENDORED and MOST_STYLES."""
    for start, end, most in (("", ".js", MOST_SCRIPTS), ("vendor/", ".js", MOST_VENDORED), ("", ".css", MOST_STYLES)):
        found = weight(page, start, end)
        assert found <= most, f'"{page.name}" loads {found:,} bytes of {start}*{end}, at most {most:,} may be'


def _sources(template: str, known: dict[str, str]) -> dict[str, str]:
    """The texts of a template and of all that it refers to, by name."""
    if template not in known:
        known[template], _, _ = environment().loader.get_source(environment(), template)  # type: ignore[union-attr]
        for other in meta.find_referenced_templates(environment().parse(known[template])):
            if other is not None:
                _sources(other, known)
    return known
