"""Whatever file a user names, each read of it that fails is told in one sentence that says which file it was."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import helper
from safetensors.torch import save_file
from torch import nn

import layerscope as ls
from layerscope.core.errors import LayerscopeError
from layerscope.training.data import open_data
from layerscope.training.kept import KeptRun
from layerscope.world import MaskFolder
from layerscope.world.files import write_world
from tests.helpers.onnx_files import model_of, numbers, saved
from tests.helpers.sweep import swept
from tests.reliability.commands import Bench
from tests.reliability.faults import FAULTS
from tests.reliability.meter import Meter
from tests.reliability.seams import SEAMS

NETWORK = """
from torch import nn
def small():
    return nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
"""
SIZE = ls.Input(height=8, width=8)


def own_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    file = folder / "net.py"
    file.write_text(NETWORK)
    return partial(ls.trace, f"{file}:small", SIZE)


def weights_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    own_file(bench, folder)
    state = {"0.weight": torch.ones(2, 3, 3, 3), "0.bias": torch.zeros(2)}
    torch.save(state, folder / "w.pt")
    return partial(ls.trace, f"{folder / 'net.py'}:small", SIZE, weights=folder / "w.pt")


def safetensors_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    own_file(bench, folder)
    save_file({"0.weight": torch.ones(2, 3, 3, 3), "0.bias": torch.zeros(2)}, folder / "w.safetensors")
    return partial(ls.trace, f"{folder / 'net.py'}:small", SIZE, weights=folder / "w.safetensors")


def arrays_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    own_file(bench, folder)
    np.savez(folder / "w.npz", **{"0.weight": np.ones((2, 3, 3, 3), np.float32), "0.bias": np.zeros(2, np.float32)})
    return partial(ls.trace, f"{folder / 'net.py'}:small", SIZE, weights=folder / "w.npz")


def index_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    """Weights in parts, and the index of them."""
    own_file(bench, folder)
    save_file({"0.weight": torch.ones(2, 3, 3, 3), "0.bias": torch.zeros(2)}, folder / "part.safetensors")
    index = folder / "w.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"0.weight": "part.safetensors", "0.bias": "part.safetensors"}}))
    return partial(ls.trace, f"{folder / 'net.py'}:small", SIZE, weights=index)


def exported_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()).eval()
    torch.export.save(torch.export.export(model, (torch.zeros(1, 3, 8, 8),)), folder / "m.pt2")
    return partial(ls.trace, str(folder / "m.pt2"), SIZE)


def onnx_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("Relu", ["c"], ["y"])]
    return partial(ls.trace, str(saved(model_of(nodes, weights={"w": numbers(2, 3, 3, 3)}), folder)))


def labels_file(bench: Bench, folder: Path) -> Callable[[], Any]:
    pictures = shutil.copytree(bench.images, folder / "pictures")
    names = sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png"))
    (folder / "labels.csv").write_text("".join(f"{name},{place % 2}\n" for place, name in enumerate(names)))
    return lambda: ls.images(pictures, labels=folder / "labels.csv").labelling()


def masks(bench: Bench, folder: Path) -> Callable[[], Any]:
    write_world(folder / "world", 2, size=32)
    key = next(path.stem for path in (folder / "world" / "masks").iterdir())
    return lambda: MaskFolder(folder / "world").masks(key)


def replaced(bench: Bench, folder: Path) -> Callable[[], Any]:
    file = folder / "a.atlas"
    shutil.copy(bench.atlas, file)
    return lambda: bench.build(file, k=1, overwrite=True)


def run(bench: Bench, folder: Path) -> Callable[[], Any]:
    bench.train(folder / "run")

    def read() -> None:
        kept = KeptRun(folder / "run")
        for epoch in kept.epochs:
            kept.program(epoch)
            kept.sha256(epoch)

    return read


def run_that_goes_on(bench: Bench, folder: Path) -> Callable[[], Any]:
    bench.train(folder / "run")
    return lambda: bench.train(folder / "run")


def published_folder(bench: Bench, folder: Path) -> Callable[[], Any]:
    """The pictures of a validation set in one folder, their classes in a table beside it."""
    lessons = folder / "val"
    (lessons / "images").mkdir(parents=True)
    lines = []
    for path in sorted(bench.lessons.rglob("*.png")):
        name = f"{path.parent.name}-{path.name}"
        shutil.copy(path, lessons / "images" / name)
        lines.append(f"{name}\t{path.parent.name}\n")
    (lessons / "val_annotations.txt").write_text("".join(lines))
    return lambda: open_data(lessons)


INPUTS = (
    *(own_file, weights_file, safetensors_file, arrays_file, index_file, exported_file, onnx_file),
    *(labels_file, masks, replaced, run, run_that_goes_on, published_folder),
)


@pytest.mark.parametrize("seam", swept(["read", "open to read"], 2))
@pytest.mark.parametrize("input", INPUTS, ids=lambda input: input.__name__)
@pytest.mark.thin(4)
def test_every_read_of_a_file_fails_once(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, input: Callable[..., Any], seam: str
) -> None:
    """n = 1, 2, ... until the file was read without meeting the fault."""
    monkeypatch.setenv("LAYERSCOPE_CACHE", "off")
    folder = tmp_path / "named"
    folder.mkdir()
    read, number, met = input(bench, folder), 0, True
    while met:
        number += 1
        meter = Meter(folder, number, FAULTS["disk fails"])
        with SEAMS[seam](meter):
            try:
                read()
            except LayerscopeError as error:
                said = f"{seam} {number}: {error}"
                assert str(folder) in said and "Input/output error" in said and "\n" not in said, said
        met = meter.reached
    assert number > 1
