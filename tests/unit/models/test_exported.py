"""An exported program that torch cannot load is told in one sentence, and nothing of torch's own reaches the screen."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.models import load


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program as torch writes it."""
    path = tmp_path_factory.mktemp("exported") / "m.pt2"
    torch.export.save(torch.export.export(nn.Conv2d(1, 2, 3).eval(), (torch.zeros(2, 1, 8, 9),)), path)
    return path


def changed(whole: Path, path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


def of_the_future(name: str, held: bytes) -> bytes:
    if not name.endswith("models/model.json"):
        return held
    program = json.loads(held)
    return json.dumps(program | {"schema_version": {"major": 99, "minor": 0}, "torch_version": "9.9"}).encode()


def without_graph(name: str, held: bytes) -> bytes:
    return json.dumps(json.loads(held) | {"graph_module": 3}).encode() if name.endswith("models/model.json") else held


def test_a_program_of_another_version_says_which(
    whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its torch and ours; no traceback is printed before the sentence."""
    path = changed(whole, tmp_path / "new.pt2", of_the_future)
    here = re.escape(torch.__version__)
    with pytest.raises(
        TraceError, match=rf"torch version: it was written by torch 9.9, and this is torch {here}; export"
    ):
        load(str(path))
    assert capfd.readouterr() == ("", "")


def test_a_broken_program_says_why(whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The first reason, not the pointer to what was logged."""
    with pytest.raises(
        TraceError, match=r"is no exported program of this torch version: torch .* says: (?!We ran into)"
    ):
        load(str(changed(whole, tmp_path / "broken.pt2", without_graph)))
    assert capfd.readouterr() == ("", "")


def test_another_file_in_its_place_is_told(tmp_path: Path) -> None:
    """Weights with a program's name."""
    torch.save({"a": torch.zeros(1)}, tmp_path / "w.pt2")
    with pytest.raises(TraceError, match=r"is no exported program of this torch version: it is a file of torch.save"):
        load(str(tmp_path / "w.pt2"))


def test_a_program_has_its_own_weights(whole: Path, tmp_path: Path) -> None:
    """A file beside it would not be used, so it is refused."""
    with pytest.raises(UsageError, match="holds its own weights; --weights goes with"):
        load(str(whole), weights=tmp_path / "w.pt")
