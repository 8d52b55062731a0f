"""An atlas as its users hold it: layers by name, units by number, their patches and projections. No torch."""

import operator
import os
from collections.abc import Iterator
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from jaxtyping import Float32, UInt8

from layerscope.api import notebook
from layerscope.api.numbers import UnitNumbers
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord, Peak, RunRecord
from layerscope.core.concepts import ConceptScore, UnitConcept
from layerscope.core.errors import UsageError, nearest
from layerscope.core.geometry import Box, Field
from layerscope.core.records import UnitStatistics
from layerscope.figures import Sheet, plate, unit_page

if TYPE_CHECKING:
    import pandas

__all__ = ["Atlas", "AtlasLayer", "Peak", "Unit", "UnitNumbers", "open"]


def open(path: str | os.PathLike[str]) -> "Atlas":
    """Open an atlas for reading; it needs neither torch nor the network.

    Raises AtlasError for a file that does not exist, NotAnAtlas for one that is something else or damaged,
    UnknownVersion for one of another version.
    """
    return Atlas(AtlasFile(path))


class Atlas:
    """An open atlas; a context manager, and a collection of its layers in execution order.

    file: the same atlas as plain questions, for programs that want arrays of a whole layer.
    """

    def __init__(self, file: AtlasFile) -> None:
        self.file = file

    def __enter__(self) -> "Atlas":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self.file.close()

    @property
    def run(self) -> RunRecord:
        """What made this atlas: network, images, settings, fingerprints, versions."""
        return self.file.run

    @property
    def finished(self) -> bool:
        """True once its build is complete."""
        return self.file.finished

    @property
    def layers(self) -> "tuple[AtlasLayer, ...]":
        """All layers, in execution order."""
        return tuple(AtlasLayer(self.file, layer) for layer in self.file.layers)

    def __getitem__(self, name: str) -> "AtlasLayer":
        """The layer of this name, path or alias. Raises UsageError, with the nearest names, if there is none."""
        return AtlasLayer(self.file, self.file.layer(name))

    def __iter__(self) -> "Iterator[AtlasLayer]":
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.file.layers)

    def to_frame(self, table: str) -> "pandas.DataFrame":
        """One of the tables "peaks", "units", "images", "layers" and "concepts" as a data frame, in its natural order.

        Raises UsageError for another name, or where pandas is not installed.
        """
        columns, rows = self.file.table(table)
        try:
            import pandas
        except ImportError as error:
            raise UsageError("to_frame needs pandas, which is not installed: pip install pandas") from error
        return pandas.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        return f"<Atlas {str(self.file.path)!r}: {len(self)} layers{'' if self.finished else ', unfinished'}>"

    def _repr_html_(self) -> str:
        return notebook.atlas_html(self.file)


class AtlasLayer:
    """A layer of an atlas: a collection of its units.

    name, kind: as `layerscope layers` shows them. units: how many. map: rows and columns, None for a dense layer.
    field: what a position sees, in input px. auto: chosen by "auto". method: what its plate shows by default, None
    without projections.
    """

    def __init__(self, file: AtlasFile, layer: AtlasLayerRecord) -> None:
        self._file = file
        self._layer = layer

    @property
    def name(self) -> str:
        return self._layer.record.name

    @property
    def kind(self) -> str:
        return self._layer.record.kind

    @property
    def units(self) -> int:
        return self._layer.record.units

    @property
    def map(self) -> tuple[int, int] | None:
        return self._layer.record.map

    @property
    def field(self) -> Field:
        return self._layer.record.field

    @property
    def auto(self) -> bool:
        return self._layer.record.auto

    @property
    def method(self) -> str | None:
        return self._layer.method

    @cached_property
    def statistics(self) -> UnitStatistics:
        """What the scan counted, as arrays over all units."""
        return self._file.unit_statistics(self._layer.id)

    @cached_property
    def concepts(self) -> tuple[UnitConcept, ...]:
        """What every unit detects; empty where the layer was not dissected."""
        return self._file.concepts(self._layer.id)

    @cached_property
    def notes(self) -> dict[int, str]:
        """What is said of its units in words, by unit."""
        found: dict[int, str] = {}
        for note in self._file.notes(self._layer.id):
            found[note.unit] = f"{found[note.unit]} {note.text}" if note.unit in found else note.text
        return found

    def __getitem__(self, unit: SupportsIndex) -> "Unit":
        """One unit, 0 to units - 1. Raises UsageError for any other."""
        number = operator.index(unit)
        if not 0 <= number < self.units:
            raise UsageError(f'layer "{self.name}" has units 0 to {self.units - 1}, and no unit {number}')
        return Unit(self._file, self, number)

    def __iter__(self) -> "Iterator[Unit]":
        return (Unit(self._file, self, number) for number in range(self.units))

    def __len__(self) -> int:
        return self.units

    def plot(self) -> Sheet:
        """The layer's plate: projections beside patches for a seeded sample of units."""
        return plate(self._file, self.name)

    def __repr__(self) -> str:
        size = "dense" if self.map is None else f"map {self.map[0]} x {self.map[1]}"
        return f"<AtlasLayer {self.name!r}: {self.kind}, {self.units} units, {size}>"

    def _repr_html_(self) -> str:
        return notebook.layer_html(self._file, self._layer)


class Unit:
    """One unit of a layer: where it fires most, and what that looks like. number: its place in the layer."""

    def __init__(self, file: AtlasFile, layer: AtlasLayer, number: int) -> None:
        self._file = file
        self.layer = layer
        self.number = number

    @property
    def peaks(self) -> tuple[Peak, ...]:
        """Its highest activations, best first, one per image; none for a unit that was never above zero."""
        return self._file.peaks(self.layer._layer.id, self.number)

    @property
    def statistics(self) -> UnitNumbers:
        """What the scan counted for it. Raises UsageError before the layer was scanned."""
        every = self.layer.statistics
        if self.number >= len(every.mean):
            raise UsageError(f'layer "{self.layer.name}" has not been scanned yet: finish the build first')
        names = ("mean", "std", "maximum", "images_above", "positions_above")
        means = every.class_means[self.number].tolist()
        return UnitNumbers(
            **{name: float(getattr(every, name)[self.number]) for name in names},
            histogram=every.histogram[self.number],
            class_means=dict(zip(self._file.statistic("classes"), means, strict=True)) if means else {},
        )

    @property
    def concept(self) -> ConceptScore | None:
        """The concept that it is named by; None where none was found, or nobody dissected the atlas."""
        every = self.layer.concepts
        return every[self.number].best if every else None

    @property
    def note(self) -> str | None:
        """What is said of it in words; None where nothing is."""
        return self.layer.notes.get(self.number)

    def patch(self, rank: SupportsIndex) -> UInt8[np.ndarray, "h w 3"]:
        """What the picture shows at the peak of this rank, at the network's resolution. Raises UsageError."""
        return self._tile(rank, "patches")

    def projection(
        self, rank: SupportsIndex, method: str | None = None, view: str = "natural"
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The peak of this rank carried back to pixels; zero is 128.

        method: None takes what the layer's plate shows. view: "natural" or "signal". Raises UsageError for a rank,
        method or view that the atlas does not hold.
        """
        run = self._file.run
        if method is not None and method not in run.methods:
            held = ", ".join(run.methods) or "none"
            raise UsageError(f'no projections by "{method}" in this atlas, only {held}{nearest(method, run.methods)}')
        if view not in run.views:
            held = ", ".join(run.views) or "none"
            raise UsageError(f'no view "{view}" in this atlas, only {held}{nearest(view, run.views)}')
        if method is None and self.layer.method is None:
            raise UsageError(f'layer "{self.layer.name}" has no projections in this atlas, only patches')
        return self._tile(rank, "projections", method or self.layer.method or "", view)

    def signal(
        self, rank: SupportsIndex, method: str | None = None, *, net: Any = None, images: Any = None
    ) -> tuple[Float32[np.ndarray, "c h w"], Box]:
        """The projection itself, at the network's resolution, and where it lies, in input px (see Projections).

        Kept by a build with keep_signal; else computed again, which needs the network and the images of the build.
        Raises UsageError where neither is there, WrongModel where the activation does not come back.
        """
        peak = self._peak(rank)
        method = method or self.layer.method or "deconvnet"
        kept = self._file.signal(self.layer._layer.id, self.number, peak.rank, method)
        if kept is not None:
            return kept
        if net is None or images is None:
            raise UsageError(
                f"this atlas keeps no {method} signal of {self._where}; build with keep_signal=True, "
                "or compute it again: unit.signal(rank, net=net, images=images)"
            )
        from layerscope.api.again import signal_again

        return signal_again(peak, self.layer._layer.record, self.number, method, net, images)

    @property
    def _where(self) -> str:
        return f'layer "{self.layer.name}", unit {self.number}'

    def _peak(self, rank: SupportsIndex) -> Peak:
        """The peak of this rank. Raises UsageError where there is none."""
        peaks = self.peaks
        if not peaks:
            raise UsageError(f"{self._where} has no peaks: it was never above zero")
        place = operator.index(rank)
        if not 0 <= place < len(peaks):
            raise UsageError(f"{self._where} has peaks of rank 0 to {len(peaks) - 1}, and none of rank {place}")
        return peaks[place]

    def _tile(self, rank: SupportsIndex, kind: str, method: str = "", view: str = "") -> UInt8[np.ndarray, "h w 3"]:
        place = self._peak(rank).rank
        sheet = self._file.sheet(self.layer._layer.id, self.number, kind, method, view)
        if sheet is None:
            by = f" by {method}" if method else ""
            raise UsageError(
                f"{self._where} has no {kind}{by} in this atlas: they were not asked for, or its build is unfinished"
            )
        return self._file.tiles(sheet)[place]

    def plot(self) -> Sheet:
        """The unit's page: patches with their places in the whole pictures, projections, values, classes."""
        return unit_page(self._file, self.layer.name, self.number)

    def __repr__(self) -> str:
        return f"<Unit {self.number} of {self.layer.name!r}: {len(self.peaks)} peaks>"

    def _repr_html_(self) -> str:
        return notebook.unit_html(self._file, self.layer._layer, self.number)
