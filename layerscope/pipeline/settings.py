"""What a build is asked for, and the fingerprint that tells whether an atlas holds the same run."""

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import torch

from layerscope.core import settings as table
from layerscope.core.records import Input
from layerscope.core.version import __version__
from layerscope.graph import Carrier
from layerscope.sources import Source

SHARD = 128
BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of a build that decide what the atlas holds.

    k: peaks per unit. methods, views: of projections. units: how many units of each layer get sheets, a seeded
    sample; None for all. tile: largest side of a stored tile, px. dense: project dense layers too. pictures: keep
    small whole pictures. keep_signal: keep the signals themselves. codec: of tiles and pictures. seed: of all samples.
    strict: no projection goes by a rule that no paper states. mergeable: keep the sums of the scan.
    """

    k: int = table.K.default
    methods: tuple[str, ...] = table.METHODS.default
    views: tuple[str, ...] = table.VIEWS
    units: int | None = table.UNITS.default
    tile: int = table.TILE.default
    dense: bool = table.DENSE.default
    pictures: bool = table.THUMBNAILS.default
    keep_signal: bool = table.KEEP_SIGNAL.default
    codec: str = table.CODEC.default
    seed: int = table.SEED.default
    strict: bool = table.STRICT.default
    mergeable: bool = table.MERGEABLE.default

    def __post_init__(self) -> None:
        for setting in table.HELD.settings:
            name = setting.stored or setting.name
            if name != LAYERS:
                object.__setattr__(self, name, setting.check(getattr(self, name)))


# Layers are chosen beside the settings. What is not stored may grow from run to run without scanning again.
LAYERS = table.LAYERS.name
_MAY_DIFFER = tuple(setting.name for setting in table.HELD.settings if not setting.stored)


def fingerprint(program: Carrier, input: Input, settings: Settings, source: Source) -> dict[str, Any]:
    """What must be the same for a run to go on: one entry for each thing that a user can change."""
    kept = {name: value for name, value in asdict(settings).items() if name not in _MAY_DIFFER}
    if not settings.strict:  # as runs were marked before there was this setting
        del kept[table.STRICT.name]
    return {
        "graph": graph_hash(program),
        "weights": weights_hash(program),
        "input": json.loads(json.dumps(asdict(input))),
        "settings": json.loads(json.dumps(kept)),
        "images": images_hash(source),
        "labels": labels_hash(source.label_names, (entry.label for entry in source.entries)),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": program.device.type,
    }


def images_hash(source: Source) -> str:
    """The SHA-256 of what tells these images from others; files that are no images have no part in it."""
    return hash_of(source.identity())


def labels_hash(names: tuple[str, ...], labels: Iterable[str | None]) -> str:
    """The SHA-256 of all classes, and of those of the images in their order."""
    return hash_of(chain([repr(names)], map(repr, labels)))


def as_built(source: Source, stored: dict[str, Any]) -> Source:
    """The source as a stored fingerprint knows it: version 0.1.0 numbered files that are no images as well."""
    former = source.former()
    return former if former is not None and stored.get("images") == images_hash(former) else source


def graph_hash(program: Carrier) -> str:
    """The SHA-256 of all operations: what each calls, on what, with which arguments and shapes."""
    return hash_of(repr((n.name, n.target, n.sources, n.args, n.shape)) for n in program.graph.nodes)


def weights_hash(program: Carrier) -> str:
    """The SHA-256 of all weights, by name."""
    digest = hashlib.sha256()
    for name in sorted(program.weights):
        weight = program.weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        # By their bytes: NumPy has no bfloat16.
        digest.update(weight.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def hash_of(parts: Iterable[str]) -> str:
    """The SHA-256 of texts in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two fingerprints, in words."""
    if old.get("graph") != new["graph"]:
        return ["the network is not the same"]
    found = []
    for key in new:
        before, after = old.get(key), new[key]
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            found += [f"{key}.{k} was {before.get(k)!r}, is {after[k]!r}" for k in after if before.get(k) != after[k]]
        elif len(str(after)) == 64:
            found.append(f"the {key} are not the same")
        else:
            advice = f" (OMP_NUM_THREADS={before} goes on)" if key == "threads" else ""
            found.append(f"{key} was {before!r}, is {after!r}{advice}")
    return found


def versions() -> dict[str, str]:
    """The programs that a run was made with."""
    return {"layerscope": __version__, "torch": torch.__version__, "python": platform.python_version()}
