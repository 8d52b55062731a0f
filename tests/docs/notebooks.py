"""A notebook of the docs carried out as a reader would: its code, cell by cell, and what each cell shows."""

import ast
import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.docs.pages import DOCS

NOTEBOOKS = tuple(sorted((DOCS / "notebooks").glob("*.ipynb")))
# What a notebook asks an object for, the best way to be shown first.
WAYS = ("_repr_mimebundle_", "_repr_html_", "_repr_png_")


@dataclass(frozen=True)
class Cell:
    """kind: "markdown" or "code". outputs: what was kept of an earlier run."""

    name: str
    kind: str
    source: str
    outputs: tuple[Any, ...]
    run: int | None


def content(path: Path) -> dict[str, Any]:
    """The notebook as it is stored."""
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path: Path) -> list[Cell]:
    """The notebook's cells, in order."""
    return [
        Cell(
            one["id"],
            one["cell_type"],
            "".join(one["source"]),
            tuple(one.get("outputs", ())),
            one.get("execution_count"),
        )
        for one in content(path)["cells"]
    ]


def carry_out(path: Path, folder: Path) -> dict[str, Any]:
    """Run all code in this folder; by cell, what stands in its last line as an expression, which must show itself."""
    names: dict[str, Any] = {"__name__": "__main__"}
    shown: dict[str, Any] = {}
    with contextlib.chdir(folder):
        for cell in cells(path):
            if cell.kind == "code":
                value = _run(cell, names)
                if value is not None:
                    shown[cell.name] = value
    return shown


def _run(cell: Cell, names: dict[str, Any]) -> Any:
    """The value of a cell's last expression, as a notebook would show it."""
    body = ast.parse(cell.source, cell.name).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(ast.Module(body, []), cell.name, "exec"), names)
        value = eval(compile(last, cell.name, "eval"), names) if last is not None else None
    if value is not None:
        way = next((way for way in WAYS if getattr(value, way, None) is not None), None)
        assert getattr(value, way)() if way else repr(value)
    return value
