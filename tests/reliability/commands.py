"""What is held to the law of the loop: every command that writes, each over the smallest thing that it can work on."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

import layerscope as ls
from layerscope.api.dissecting import dissect_atlas
from layerscope.api.looking import look as write_look
from layerscope.training import train
from layerscope.training.recipe import Phase, Recipe
from layerscope.viewer.export import ExportChoice, export
from layerscope.world.files import write_world
from tests.helpers.training import drawn
from tests.reliability.loop import Command, look
from tests.reliability.subject import ALL_LAYERS, LAYERS, SIDE, build, pictures, tiny_network

# What a build keeps beside its atlas, and what a writer of whole files keeps beside its file.
BESIDE = ("*.atlas-wal", "*.atlas-shm", "*.atlas-journal", "*.atlas.lock", "*.atlas.*.tiles", "*.atlas.new*")
PARTS = (".*.part", ".*.partial", ".*.old", ".*.partial.lock")
MERGING = ("*.atlas.lock", ".*.part", ".*.part-wal", ".*.part-shm", ".*.part-journal", ".*.part.lock")
METHODS = ("deconvnet", "guided")
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

    @cached_property
    def parts(self) -> list[Path]:
        """Atlases of the first seven pictures and of six others, which can be merged: none is the copy of another."""
        made = {"first.atlas": {"end": 7}, "second.atlas": {"begin": 7, "end": 13}}
        for name, part in made.items():
            self.build(self.atlas.with_name(name), **part)
        return [self.atlas.with_name(name) for name in made]

    def build(self, out: Path, layers: tuple[str, ...] = LAYERS, methods: tuple[str, ...] = (), **options: Any) -> None:
        build(self.net, self.images, out, layers=layers, methods=methods or ("deconvnet",), **options)

    def dissect(self, atlas: Path) -> None:
        dissect_atlas(atlas, self.net, ls.images(self.images), Halves())

    def export(self, atlas: Path, folder: Path, layers: tuple[str, ...] = (), *, overwrite: bool = False) -> None:
        export(atlas, folder, ExportChoice(layers=layers), overwrite=overwrite)

    def figure(self, out: Path) -> None:
        with ls.open(self.atlas) as atlas:
            ls.figure(atlas, "relu1", units=[0]).save(out, width_inches=2, dpi=30)

    def look(self, out: Path) -> None:
        write_look(self.atlas, self.net, self.images / "dark" / "1.png", out)

    def merge(self, out: Path) -> None:
        ls.merge(self.parts, out, progress=False).close()

    def merge_anew(self, out: Path) -> None:
        out.unlink()
        self.merge(out)

    def train(self, out: Path) -> None:
        train("worldnet", self.lessons, out, recipe=RECIPE, bf16=False, keep_seconds=0.0, device="cpu")

    def commands(self) -> dict[str, Command]:
        """Every command, by name."""
        builds: dict[str, Any] = {"scratch": BESIDE}
        others: dict[str, Any] = {"scratch": PARTS}
        made, world = self._made, partial(write_world, count=2, size=32)
        listed = (
            Command(name="build", run=lambda out: self.build(out / "a.atlas"), **builds),
            Command(
                name="add", before=made, run=lambda out: self.build(out / "a.atlas", ALL_LAYERS, METHODS), **builds
            ),
            Command(
                name="overwrite",
                before=made,
                run=lambda out: self.build(out / "a.atlas", k=1, overwrite=True),
                **builds,
            ),
            Command(name="dissect", before=made, run=lambda out: self.dissect(out / "a.atlas"), **builds),
            Command(
                name="export",
                run=lambda out: self.export(self.atlas, out / "site"),
                again=lambda out: self.export(self.atlas, out / "site", overwrite=True),
                **others,
            ),
            Command(
                name="export anew",
                before=lambda out: self.export(self.atlas, out / "site", ("relu1",)),
                run=lambda out: self.export(self.atlas, out / "site", overwrite=True),
                **others,
            ),
            Command(
                name="export zipped",
                run=lambda out: export(self.atlas, out / "site.zip", zipped=True),
                again=lambda out: export(self.atlas, out / "site.zip", zipped=True, overwrite=True),
                **others,
            ),
            Command(name="figure", before=old("a.png"), run=lambda out: self.figure(out / "a.png"), **others),
            Command(name="look", before=old("a.html"), run=lambda out: self.look(out / "a.html"), **others),
            Command(
                name="merge",
                before=lambda out: self.parts[0].stat(),
                run=lambda out: self.merge(out / "a.atlas"),
                again=lambda out: self.merge_anew(out / "a.atlas"),
                growing=(),
                scratch=MERGING,
            ),
            Command(
                name="train",
                run=lambda out: self.train(out / "run"),
                growing=("state.pt", "log.json"),
                read=read_run,
                **others,
            ),
            Command(name="world", run=lambda out: world(out / "w"), **others),
            Command(name="world in shards", run=lambda out: world(out / "w", shards=True), **others),
        )
        return {command.name: command for command in listed}

    def _made(self, out: Path) -> None:
        shutil.copy(self.atlas, out / "a.atlas")


def old(name: str) -> Callable[[Path], Any]:
    """Lays a file that the command replaces."""
    return lambda out: (out / name).write_bytes(b"what was here before")


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
