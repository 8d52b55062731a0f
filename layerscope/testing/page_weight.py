"""What a page loads before it is whole: its scripts and style sheets, and how many bytes they may have.

Read from the templates: every file that `link.asset` names in what a page is made of, its own blocks in place of those
that it extends, on a server or in an export. What else a condition leaves out is counted; sprites and pictures are not.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial

from jinja2 import nodes

from layerscope.viewer.pages import Page
from layerscope.viewer.render import assets, environment

# Bytes, unzipped: all scripts, those of them that others wrote, all style sheets.
MOST_SCRIPTS, MOST_VENDORED, MOST_STYLES = 60_000, 15_000, 30_000
# The blocks of a page, by name: the page's own first, then those of what it extends.
Blocks = Mapping[str, list[nodes.Block]]


def loaded(page: Page, *, static: bool = False) -> dict[str, int]:
    """The viewer's own files that a page names, "vendor/NAME" for those of others, with their bytes. static: in an
    export."""
    chain = [_parsed(page.source)]
    while (extended := chain[-1].find(nodes.Extends)) is not None:
        chain.append(_parsed(_constant(extended.template)))
    blocks: dict[str, list[nodes.Block]] = {}
    for template in chain:
        for block in template.find_all(nodes.Block):
            blocks.setdefault(block.name, []).append(block)
    names = set(_named(chain[-1], blocks, static))
    return {name: len(assets()[name]) for name in sorted(names)}


def weight(page: Page, start: str = "", end: str = "") -> int:
    """Bytes of those whose names start and end so, where they are most: `weight(page, end=".css")`."""
    places = (False, True) if page.exported else (False,)
    return max(
        sum(size for name, size in loaded(page, static=static).items() if name.startswith(start) and name.endswith(end))
        for static in places
    )


def loads_little(page: Page) -> None:
    """A page's scripts and style sheets stay within MOST_SCRIPTS, MOST_VENDORED and MOST_STYLES."""
    for start, end, most in (("", ".js", MOST_SCRIPTS), ("vendor/", ".js", MOST_VENDORED), ("", ".css", MOST_STYLES)):
        found = weight(page, start, end)
        assert found <= most, f'"{page.name}" loads {found:,} bytes of {start}*{end}, at most {most:,} may be'


def _named(node: nodes.Node, blocks: Blocks, static: bool) -> Iterator[str]:
    """The assets that a part of a template names."""
    inside = partial(_named, blocks=blocks, static=static)
    if isinstance(node, nodes.Call) and _is_asset(node):
        yield _constant(node.args[0])
    elif isinstance(node, nodes.Block):
        for child in blocks[node.name][0].iter_child_nodes():
            yield from inside(child)
    elif isinstance(node, nodes.If) and _asks_static(node.test) is not None:
        for child in node.body if _asks_static(node.test) == static else node.else_:
            yield from inside(child)
    elif isinstance(node, nodes.Include):
        yield from inside(_parsed(_constant(node.template)))
    else:
        for child in node.iter_child_nodes():
            yield from inside(child)


def _is_asset(call: nodes.Call) -> bool:
    found = call.node
    return isinstance(found, nodes.Getattr) and found.attr == "asset" and isinstance(call.args[0], nodes.Const)


def _asks_static(test: nodes.Node) -> bool | None:
    """What `link.static` must be for a condition to hold; None where it asks for something else."""
    if isinstance(test, nodes.Not):
        opposite = _asks_static(test.node)
        return None if opposite is None else not opposite
    return True if isinstance(test, nodes.Getattr) and test.attr == "static" else None


def _constant(node: nodes.Node) -> str:
    assert isinstance(node, nodes.Const), "templates name what they load and include in words, not in variables"
    return str(node.value)


def _parsed(template: str) -> nodes.Template:
    source, _, _ = environment().loader.get_source(environment(), template)  # type: ignore[union-attr]
    return _tree(source)


@cache
def _tree(source: str) -> nodes.Template:
    """What all pages extend is read once, and not for every page, place and kind of file."""
    return environment().parse(source)
