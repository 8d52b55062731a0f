"""Which atlases can be merged: finished ones of one network, one way of reading and one set of settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from layerscope.atlas.connection import plain_values
from layerscope.atlas.parts import PartFile
from layerscope.atlas.records import RunRecord
from layerscope.core.errors import AtlasError, UsageError, WrongModel
from layerscope.pipeline.kept_totals import ScanKept, scans_kept
from layerscope.pipeline.settings import Settings, differences

# What is a matter of the images alone, and may differ.
_OF_IMAGES = ("images", "labels")


@dataclass(frozen=True, eq=False)
class Mergeable:
    """An atlas that can be merged. scans: of which sums are kept, which are those of all its layers."""

    file: PartFile
    run: RunRecord
    scans: Sequence[ScanKept]

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def settings(self) -> Settings:
        """The settings of its run, as far as there are such today."""
        known = {one.name for one in fields(Settings)}
        lists: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.run.settings.items()
        }
        return Settings(**{name: value for name, value in lists.items() if name in known})


def require_mergeable(files: Sequence[PartFile]) -> list[Mergeable]:
    """The atlases, each looked at. Raises UsageError, AtlasError or WrongModel, naming what is in the way."""
    if len(files) < 2:
        raise UsageError("one atlas is whole already; name two or more that are to be merged")
    for place, one in enumerate(files):
        twice = next((other for other in files[:place] if other.path.samefile(one.path)), None)
        if twice is not None:
            raise UsageError(f"{one.path} is named twice; name each atlas once")
    found = [_looked_at(one) for one in files]
    for other in found[1:]:
        _require_alike(found[0], other)
    return found


def _looked_at(file: PartFile) -> Mergeable:
    run = file.run
    if run.finished is None:
        raise AtlasError(f"{file.path} is unfinished: run its build again, which goes on, and merge then")
    if file.statistic("engine") is not None:
        raise AtlasError(
            f"{file.path} was made by the engine {file.statistic('engine')['name']}, whose bounds were measured on its "
            "own images: build it again with the engine local to merge it"
        )
    with plain_values(file.path):
        scans = scans_kept(file)
    if {node for scan in scans for node in scan.layers} != {layer.record.node for layer in file.layers} or not scans:
        raise AtlasError(
            f"{file.path} holds statistics, but not the sums that a merge needs: build it again with --mergeable (in "
            "Python mergeable=True)"
        )
    return Mergeable(file, run, scans)


def _require_alike(one: Mergeable, other: Mergeable) -> None:
    """Raises WrongModel, with all that differs besides the images."""
    found = differences(_without_images(one.run.fingerprint), _without_images(other.run.fingerprint))
    if [scan.layers for scan in one.scans] != [scan.layers for scan in other.scans]:
        found.append(f"layers were {_layers(one)}, are {_layers(other)}")
    read = [tuple(mergeable.scans[0].reading) for mergeable in (one, other)]
    if read[0] != read[1]:
        found.append(f"images were read with {_said(read[0])}, are with {_said(read[1])}")
    if found:
        raise WrongModel(
            f"{other.path} cannot be merged with {one.path}, in which other things are otherwise: {'; '.join(found)}; "
            "build one of them again like the other"
        )


def _without_images(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"engine": None, **json.loads(json.dumps(dict(fingerprint)))}
    return {name: value for name, value in plain.items() if name not in _OF_IMAGES}


def _layers(one: Mergeable) -> str:
    """The layers, by the scans that they were scanned in."""
    names = {layer.record.node: layer.name for layer in one.file.layers}
    return " and then ".join(", ".join(names[node] for node in scan.layers) for scan in one.scans)


def _said(reading: Sequence[str]) -> str:
    return ", ".join(reading) or "the usual settings"
