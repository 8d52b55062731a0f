"""One class name, one meaning: whoever reads a name knows which class it is, without looking at the imports."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.docs.pages import ROOT
from tests.docs.sources import parsed


def defined(tree: ast.Module) -> Iterator[str]:
    """The classes of a module, wherever they stand in it."""
    return (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def assigned(tree: ast.Module) -> Iterator[str]:
    """What a module names as classes are named, by assignment: aliases of types and type variables."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper():
                yield target.id


def several(modules: dict[str, ast.Module]) -> dict[str, list[str]]:
    """The names of classes that have a second home, as a class or as an alias, with the modules."""
    homes = defaultdict[str, list[str]](list)
    for path, tree in modules.items():
        for name in defined(tree):
            homes[name].append(path)
    for path, tree in modules.items():
        for name in assigned(tree):
            if name in homes:
                homes[name].append(path)
    return {name: paths for name, paths in homes.items() if len(paths) > 1}


def test_every_class_name_has_one_home():
    """No two classes of the package share a name, and no alias has the name of a class."""
    modules = {path.relative_to(ROOT).as_posix(): parsed(path) for path in (ROOT / "layerscope").rglob("*.py")}
    assert several(modules) == {}


def test_a_second_home_is_found():
    """In another module, in the same one, within a function, and as an alias; two aliases alike are no class."""
    texts = {
        "a": "class Row: ...\nclass Tile: ...\nclass Tile: ...\nState = dict\nBOUND = 1",
        "b": "def f():\n    class Row: ...\nclass Kind: ...\nState = dict\nclass BOUND: ...",
        "c": "Kind: TypeAlias = int\nOwn = int\nclass Once: ...",
    }
    assert several({path: ast.parse(text) for path, text in texts.items()}) == {
        "Row": ["a", "b"],
        "Tile": ["a", "a"],
        "Kind": ["b", "c"],
    }
