"""What is held to the law of the loop: every command that writes, each over the smallest thing that it can work on."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

import layerscope as ls
from layerscope.api.dissecting import dissect_atlas
from layerscope.api.looking import look_at
from layerscope.training import train
from layerscope.training.recipe import Phase, Recipe
from layerscope.viewer.export import export
from layerscope.world.files import write_world
from tests.helpers.training import drawn
from tests.reliability.loop import Command, look
from tests.reliability.subject import ALL_LAYERS, SIDE, build, pictures, tiny_network

# What a build keeps beside its atlas, and what a writer of whole files keeps beside its file.
BESIDE = ("*.atlas-wal", "*.atlas-shm", "*.atlas-journal", "*.atlas.lock", "*.atlas.*.tiles", "*.atlas.new*")
PARTS = (".*.part", ".*.partial", ".*.old", ".*.partial.lock")
RECIPE = Recipe(phases=(Phase(side=8, epochs=1),), batch=4, dropout=0.0, shift=0)


@dataclass(frozen=True)
class Halves:
    """Masks of the tiny pictures: the upper half, and the left one."""

    concepts = (type("Upper", (), {"name": "upper", "level": 1})(), type("Left", (), {"name": "left", "level": 2})())

    def masks(self, image: int, /) -> np.ndarray:
        shown = np.zeros((2, SIDE + 4, SIDE + 2), bool)
        shown[0, : SIDE // 2 + image % 3] = True
        shown[1, :, : SIDE // 2] = True
        return shown


@dataclass(frozen=True)
class Bench:
    """What commands work on, below one folder: the network, pictures, a finished atlas, pictures to train with."""

    folder: Path
    net: ls.Network
    images: Path
    atlas: Path
    lessons: Path

    @classmethod
    def set_up(cls, folder: Path) -> "Bench":
        net, images = tiny_network(), pictures(folder / "pictures")
        atlas = folder / "made" / "a.atlas"
        atlas.parent.mkdir()
        build(net, images, atlas)
        return cls(folder, net, images, atlas, drawn(folder / "lessons", each=4))

    def commands(self) -> dict[str, Command]:
        """Every command, by name."""
        made, more = self._made, partial(build, self.net, self.images)
        return {
            "build": Command(name="build", run=lambda out: more(out / "a.atlas"), scratch=BESIDE),
            "add": Command(
                name="add",
                before=made,
                run=lambda out: more(out / "a.atlas", layers=ALL_LAYERS, methods=("deconvnet", "guided")),
                scratch=BESIDE,
            ),
            "overwrite": Command(
                name="overwrite",
                before=made,
                run=lambda out: more(out / "a.atlas", k=1, overwrite=True),
                scratch=BESIDE,
            ),
            "dissect": Command(name="dissect", before=made, run=self._dissect, scratch=BESIDE),
            "export": Command(name="export", run=lambda out: self._export(out, overwrite=False), scratch=PARTS),
            "export anew": Command(
                name="export anew",
                before=partial(self._export, overwrite=False, layers=("relu1",)),
                run=lambda out: self._export(out, overwrite=True),
                scratch=PARTS,
            ),
            "figure": Command(name="figure", before=self._old("a.png"), run=self._figure, scratch=PARTS),
            "look": Command(name="look", before=self._old("a.html"), run=self._look, scratch=PARTS),
            "train": Command(
                name="train", run=self._train, scratch=PARTS, growing=("state.pt", "log.json"), read=read_run
            ),
            "world": Command(name="world", run=lambda out: write_world(out / "w", 2, size=32), scratch=PARTS),
            "world in shards": Command(
                name="world in shards", run=lambda out: write_world(out / "w", 2, size=32, shards=True), scratch=PARTS
            ),
        }

    def _made(self, out: Path) -> None:
        shutil.copy(self.atlas, out / "a.atlas")

    def _old(self, name: str) -> Callable[[Path], Any]:
        return lambda out: (out / name).write_bytes(b"what was here before")

    def _dissect(self, out: Path) -> None:
        dissect_atlas(out / "a.atlas", self.net, ls.images(self.images), Halves())

    def _export(self, out: Path, *, overwrite: bool, layers: tuple[str, ...] | None = None) -> None:
        from layerscope.viewer.export import Choice

        choice = Choice() if layers is None else Choice(layers=layers)
        export(self.atlas, out / "site", choice, overwrite=overwrite)

    def _figure(self, out: Path) -> None:
        with ls.open(self.atlas) as atlas:
            ls.figure(atlas, "relu1", units=[0]).save(out / "a.png", width_inches=2, dpi=30)

    def _look(self, out: Path) -> None:
        look_at(self.atlas, self.net, self.images / "dark" / "1.png", out / "a.html")

    def _train(self, out: Path) -> None:
        train("worldnet", self.lessons, out / "run", recipe=RECIPE, bf16=False, keep_seconds=0.0, device="cpu")


def read_run(path: Path) -> Any:
    """A file of a training run, without times and without the order of a header's notes, which is drawn by lot."""
    if path.suffix == ".safetensors":
        held = load_file(path)
        return hashlib.sha256(
            b"".join(name.encode() + held[name].numpy().tobytes() for name in sorted(held))
        ).hexdigest()
    if path.suffix == ".pt":
        return _timeless(torch.load(path, weights_only=True))
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text()))
    if path.suffix == ".md":
        return path.name
    return look(path)


def _timeless(value: Any) -> str:
    """A tree of values as text."""
    if isinstance(value, dict):
        return repr({key: _timeless(value[key]) for key in value if key not in ("seconds", "date", "made")})
    if isinstance(value, list | tuple):
        return repr([_timeless(one) for one in value])
    return repr(value.tolist()) if isinstance(value, torch.Tensor) else repr(value)
