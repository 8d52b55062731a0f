"""The modules of figures know each other in one direction: none hides a circle behind an import in a function."""

import ast
from pathlib import Path

import layerscope.figures

FOLDER = Path(layerscope.figures.__file__).parent
# Loaded only to draw: it takes as long as all else together.
HEAVY = {"matplotlib"}


def inner_imports(source: str) -> list[str]:
    """The modules that are imported inside functions and methods."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    found.append(node.module or "")
                elif isinstance(node, ast.Import):
                    found += [alias.name for alias in node.names]
    return found


def test_only_what_is_heavy_is_imported_inside_functions() -> None:
    """Nothing of our own, and nothing light."""
    hidden = {path.name: inner_imports(path.read_text()) for path in FOLDER.glob("*.py")}
    assert {name for names in hidden.values() for name in names} != set()
    for name, modules in hidden.items():
        assert {module.partition(".")[0] for module in modules} <= HEAVY, name


def test_a_hidden_import_is_found() -> None:
    """Also in a method, and in a function of a function."""
    source = "class A:\n def f(self):\n  from layerscope.figures import draw\n  def g():\n   import json\n"
    assert set(inner_imports(source)) == {"layerscope.figures", "json"}
