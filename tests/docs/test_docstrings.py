"""Docstrings say nothing that is not so: what they describe is there, what they say is raised can be raised."""

import ast
import builtins
from functools import cache
from pathlib import Path

import pytest

from layerscope.core import errors
from tests.docs.pages import ROOT, name
from tests.docs.sources import parsed
from tools.docstrings import Documented, documented, listed, named, raised

PACKAGE = ROOT / "layerscope"
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def classes() -> dict[str, ast.ClassDef]:
    """The package's classes, by name: of one name any, since they are only asked as bases."""
    return {node.name: node for path in MODULES for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)}


def members(kind: ast.ClassDef) -> set[str]:
    """What a class has by name: fields, attributes, arguments, methods, its own and its bases'."""
    found = set()
    for node in ast.walk(kind):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    for base in kind.bases:
        if isinstance(base, ast.Name) and base.id in classes() and base.id != kind.name:
            found |= members(classes()[base.id])
    return found


def keys(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The arguments of a function, and the keys and keywords of what it builds: a mapping, a row, a record."""
    found = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg | ast.keyword) and node.arg}
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return found


def untrue_names(node: Documented, docstring: str) -> list[str]:
    """What a docstring describes and its class or function does not have."""
    there = members(node) if isinstance(node, ast.ClassDef) else keys(node)
    return [described for described in named(docstring) if described not in there]


@pytest.mark.parametrize(
    ("source", "untrue"),
    [
        ('class A:\n    """One. a: first. b, c: others."""\n    a: int\n    b: int', ["c"]),
        ('class A:\n    """One.\n\n    a: first, (in px).\n    d:\n    second.\n    """\n    a: int', ["d"]),
        ('class A(B):\n    """One. a: first."""\nclass B:\n    def __init__(self):\n        self.a = 1', ["a"]),
        ('def f(a, *b, **c):\n    """One. a: first. b, c: rest. e: no."""', ["e"]),
        ('def f(a):\n    """One. k: a key. a: first."""\n    return {"k": a}', []),
        ('def f(a):\n    """Prose: with a colon, 3: 4, and `x: y` quoted. It says this: a. b."""', []),
    ],
)
def test_what_is_looked_for_is_found(source, untrue):
    """Known answers: names in rows and alone, over line ends, of keys; prose with a colon names nothing."""
    found = [missing for node, text in documented(ast.parse(source)) for missing in untrue_names(node, text)]
    assert found == untrue


def test_what_docstrings_describe_is_there():
    """Each `name:` of a docstring is a field, an attribute or an argument, or a key of what a function returns."""
    wrong = [
        f"{name(path)}:{node.lineno} {node.name}: {missing}"
        for path in MODULES
        for node, text in documented(parsed(path))
        for missing in untrue_names(node, text)
    ]
    assert not wrong, "\n".join(wrong)


@cache
def imported(path: Path) -> set[Path]:
    """The modules of the package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("layerscope"):
            home = ROOT / node.module.replace(".", "/")
            found |= {home.with_suffix(".py"), home / "__init__.py"}
            found |= {home / f"{alias.name}.py" for alias in node.names}
    return found & set(MODULES)


@cache
def calls(path: Path) -> set[str]:
    """The names that a module calls, raises or hands on as the kind to raise: an error is made where it is raised, or
    for somebody who raises it."""
    nodes = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call | ast.Raise)]
    called = [node.func if isinstance(node, ast.Call) else node.exc for node in nodes]
    given = [keyword for node in nodes if isinstance(node, ast.Call) for keyword in node.keywords]
    kinds = [keyword.value for keyword in given if keyword.arg == "kind"]
    return {node.id for node in [*called, *kinds] if isinstance(node, ast.Name)}


def beneath(path: Path) -> set[Path]:
    """A module and all that it reaches by imports."""
    reached, todo = set(), [path]
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += imported(module)
    return reached


@cache
def heirs(kind: str) -> set[str]:
    """A class of the package and those that inherit from it, by name."""
    found: set[str] = set()
    more = {kind}
    while more - found:
        found |= more
        more = {node.name for node in classes().values() for base in node.bases if getattr(base, "id", "") in found}
    return found


def is_promise(node: Documented) -> bool:
    """A protocol's function, whose body is `...`: who keeps it lies elsewhere."""
    return len(node.body) == 2 and isinstance(node.body[1], ast.Expr) and ast.unparse(node.body[1]) == "..."


def can_be_raised(error: str, node: Documented, path: Path) -> bool:
    """Python's own anywhere; one of the package where the module, or one beneath it, makes it or an heir."""
    if error in classes() and not is_promise(node):
        return any(heirs(error) & calls(module) for module in beneath(path))
    return error in classes() or hasattr(builtins, error)


def test_what_docstrings_say_is_raised_can_be():
    """Each error is of Python or of the package; one of the package is raised in the module or in what it imports."""
    wrong = [
        f"{name(path)}:{node.lineno} {node.name}: {error}"
        for path in MODULES
        for node, text in documented(parsed(path))
        for error in raised(text)
        if not can_be_raised(error, node, path)
    ]
    assert not wrong, "\n".join(wrong)


def test_errors_are_read_out_of_sentences():
    """Known answers: one, several, and words that only look like a name."""
    assert raised("It is so. Raises UsageError where it is not.") == ["UsageError"]
    assert raised("Raises AtlasError,\nNotAnAtlas or UnknownVersion. And: it raises ImageError, too.") == [
        "AtlasError", "NotAnAtlas", "UnknownVersion", "ImageError",
    ]  # fmt: skip
    assert raised("Raises whatever the function raises.") == []
    assert all(hasattr(errors, error) for error in raised("Raises AtlasError, NotAnAtlas or UnknownVersion."))


def test_the_site_shows_names_as_a_list():
    """Known answer: a sentence, its names one below the other, what is raised behind them; code stays as it is."""
    docstring = """An atlas.

    import layerscope as ls

One more word. k: peaks,
nine. rows, cols: px. Raises UsageError where k is 0."""
    assert listed(docstring) == (
        "An atlas.\n\n    import layerscope as ls\n\nOne more word.\n\n"
        "- `k`: peaks, nine.\n- `rows`, `cols`: px.\n\nRaises UsageError where k is 0."
    )
