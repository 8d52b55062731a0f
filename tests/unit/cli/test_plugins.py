"""`plugins` lists every row of every registry, with its home and what is wrong with it."""

import json
import re

import layerscope as ls
from layerscope.api import listing
from layerscope.api.plugins import registries
from layerscope.core.registry import Registry, Row


def test_every_row_is_listed(command):
    """Each own row with its kind and sentence; JSON holds the same as the function gives."""
    status, out, err = command("plugins")
    assert (status, err) == (0, "")
    lines = [re.split(" {2,}", line, maxsplit=2) for line in out.splitlines()]
    for registry in registries():
        for name, row in registry.own.items():
            said = "pip install" if row.missing() else row.sentence
            assert any(line[:2] == [registry.kind, name] and said in line[2] for line in lines)
    listed = json.loads(command("plugins", "--json")[1])["rows"]
    assert listed == [row.data() for row in ls.plugins()]
    assert {row["home"] for row in listed if not row["trouble"]} >= {"layerscope"}


def test_what_cannot_be_used_says_what_installs_it(command, monkeypatch):
    """In place of the sentence stands the line that helps."""
    row = Row(name="far", sentence="pictures from far away", needs=("no_such_module",), install="far-away>=2")
    registry = Registry("images", "layerscope.no_such_group", Row, (row,))
    monkeypatch.setattr(listing, "registries", lambda: (registry,))
    assert "needs no_such_module: pip install 'far-away>=2'" in command("plugins")[1]
    (found,) = ls.plugins()
    assert (found.kind, found.name, found.home, found.trouble != "") == ("images", "far", "layerscope", True)
