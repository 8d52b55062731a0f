"""The viewer as a test asks it: its own headers, a small atlas, and all the addresses that it has."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from layerscope.viewer.app import guarded
from layerscope.viewer.guard import Door
from layerscope.viewer.shelf import Shelf

PORT = 8000
OWN = f"http://127.0.0.1:{PORT}"
DOOR = Door(host="127.0.0.1", port=PORT)


def client(app: ASGIApp, **settings: object) -> TestClient:
    """What a browser on this machine would be. An error of the server is an answer of 500, as it is for users."""
    return TestClient(app, base_url=OWN, raise_server_exceptions=False, **settings)  # type: ignore[arg-type]


@contextlib.contextmanager
def viewing(*atlases: Path, door: Door = DOOR, **settings: object) -> Iterator[TestClient]:
    """A client of the guarded viewer of these atlases."""
    shelf = Shelf(list(atlases))
    try:
        with client(guarded(shelf, door), **settings) as made:
            yield made
    finally:
        shelf.close()


def addresses(shelf: Shelf, *layers: int) -> list[str]:
    """One address or more of every route, of all atlases, with query strings where pages take them.

    layers: ids; all without any.
    """
    found = ["/", "/?format=json", "/static/viewer.css", "/static/viewer.js"]
    for book in shelf:
        at, data = f"/{book.slug}", f"/{book.slug}/data/{book.mark}"
        found += [f"{at}/", f"{at}/?format=json", f"{at}/network", f"{at}/about", f"{at}/concepts", f"{at}/compare"]
        found += [f"{at}/changed", f"{at}/search?q=a", f"{at}/search"]
        found += [f"{at}/i/{image}" for image in (0, 1, 7)] + [f"{data}/picture/{image}" for image in (0, 1, 7)]
        for layer in [one for one in book.layers if one.id in layers or not layers]:
            units = (0, layer.record.units - 1)
            found += [f"{at}/l/l{layer.id}", f"{at}/l/l{layer.id}?format=json", f"{at}/l/l{layer.id}?sort=max"]
            found += [f"{at}/l/l{layer.id}/u/{unit}" for unit in units]
            found += [f"{at}/l/l{layer.id}/u/{unit}?format=json" for unit in units]
            found += [f"{at}/compare?u=l{layer.id}:0&u=l{layer.id}:1"]
            found += [f"{data}/sheet/{layer.id}/{unit}/patches" for unit in units]
            found += [f"{data}/sheet/{layer.id}/0/projections.deconvnet.natural", f"{data}/strata/{layer.id}/0"]
            found += [f"{data}/sprite/{layer.id}/0/{kind}" for kind in ("patches", "projections")]
            found += [f"{data}/sprites/{layer.id}.css", f"{data}/names/{layer.id}.js", f"{data}/search.js"]
    return found


# What strangers call their layers, classes, concepts and files; those that do not get into each other's way in one.
_MARKUP = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "{{7*7}}{% raw %}",
    "]]></script><!--",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "%2e%2e%2f?#&",
)
HOSTILE_NAMES = (
    "".join(_MARKUP),
    "javascript:alert(1)",
    "n" * 10_000,
    "a\x00b\u202egnp.exe",
    "../../../etc/passwd",
    "con",
)


def rename_all(path: Path, name: str) -> None:
    """Call everything in an atlas that has a name by this one; and let it have been dissected, with such a concept."""
    with contextlib.closing(sqlite3.connect(path)) as atlas, atlas:
        classes = json.dumps([f"{name} {number}" for number in range(4)])
        figures = {"units": 6, "dead": 0, "detectors": 1, "distinct_concepts": 1, "mean_concept_level": 2.0}
        figures |= {"levels": {"2": 1}, "median_score": 0.2}
        measured = {"figures": figures, "bau": figures}
        found = json.dumps({**measured, "baselines": {name: measured}, "images": 9, "settings": {}, "left_out": [name]})
        atlas.execute("UPDATE layer SET name = ? || id, path = ? || id, kind = ?, method_why = ?", (name,) * 4)
        atlas.execute("UPDATE layer SET aliases = ?", (json.dumps([name]),))
        atlas.execute("UPDATE image SET source = ? || id, label = ? || (id % 4)", (name, f"{name} "))
        atlas.execute("UPDATE image SET skipped = ? WHERE skipped IS NOT NULL", (name,))
        atlas.execute("UPDATE run SET network = ?, images = ?", (name, name))
        atlas.execute("UPDATE run SET versions = ?, settings = ?", (json.dumps({name: name}), json.dumps({name: name})))
        atlas.execute("UPDATE node SET name = ? || id, module = ?", (name, name))
        atlas.execute("UPDATE statistic SET value = ? WHERE name = 'classes'", (classes,))
        atlas.execute("INSERT INTO statistic (name, layer, value) VALUES ('dissection', 1, ?)", (found,))
        atlas.execute("INSERT INTO concept VALUES (1, 0, 'above chance', 0, ?, 2, 0.3, 0.3, 0.1, 1)", (name,))
        atlas.execute("INSERT INTO note VALUES (1, 0, 'describe', ?)", (name,))
