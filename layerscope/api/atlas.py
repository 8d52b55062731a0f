"""An atlas as its users hold it: layers by name, units by number, their patches and projections. No torch."""

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, SupportsIndex

from layerscope.api import notebook
from layerscope.api.unit import Unit
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord, Neighbour, Peak, RunRecord, Stratum
from layerscope.core import settings as s
from layerscope.core.concepts import UnitConcept
from layerscope.core.errors import UsageError
from layerscope.core.geometry import Field
from layerscope.core.labels import UnitLabels
from layerscope.core.records import UnitStatistics
from layerscope.core.words import UnitWords
from layerscope.figures import Sheet, plate

if TYPE_CHECKING:
    import pandas  # pyright: ignore[reportMissingTypeStubs]

    from layerscope.api.exporting import Site
    from layerscope.api.finding import FoundUnit
    from layerscope.api.network import Network
    from layerscope.api.serving import Served
    from layerscope.api.widget import UnitsWidget
    from layerscope.core.progress import Progress
    from layerscope.models.types import Model

__all__ = ["Atlas", "AtlasLayer", "Neighbour", "Peak", "Stratum", "Unit", "open"]


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

    def find(self, text: str) -> "tuple[FoundUnit, ...]":
        """The units that a name leads to: of a concept, a label or a class, or a word of the notes on them.

        Each with layer, unit, kind, name and score. Raises UsageError, with near names, where there is none.
        """
        from layerscope.api.finding import find

        return find(self, text)

    def serve(
        self,
        *,
        host: str = s.HOST.default,
        port: int = s.PORT.default,
        base: str = s.BASE.default,
        names: Sequence[str] = s.HOST_NAMES.default,
    ) -> "Served":
        """Show the atlas in the browser: starts a server in the background and returns the link to it.

        port: the first that is tried; the next free one is taken. host: another one than this machine's own can be
        reached by others, and the address then holds a token. base, names: the path below which, and the host names
        under which, a proxy shows the pages. Raises UsageError where no port is free.
        """
        from layerscope.api.serving import serve

        return serve(self, host=host, port=port, base=base, names=names, browser=False)

    def widget(self, layer: str | None = None) -> "UnitsWidget":
        """A grid of its units for a notebook, in which a click shows a unit; Python reads and sets what is shown.

        layer: the one that is shown first. No server is needed. Raises UsageError where anywidget is not installed.
        """
        return _widget(self, layer)

    def to_frame(self, table: str) -> "pandas.DataFrame":
        """A table as a data frame, in its natural order: "peaks", "units", "images", "layers", "shares", "kept",
        "uses", "concepts", "labels", "words" or "misfits".

        Raises UsageError for another name, or where pandas is not installed.
        """
        columns, rows = self.file.table(table)
        try:
            import pandas  # pyright: ignore[reportMissingTypeStubs]
        except ImportError as error:
            raise UsageError("to_frame needs pandas, which is not installed: pip install pandas") from error
        return pandas.DataFrame(rows, columns=columns)

    def export(
        self, folder: str | os.PathLike[str] | None = s.FOLDER.default, *,
        layers: str | Sequence[str] | None = None,
        tile: int | None = s.EXPORT_TILE.default, budget: int | str | None = s.BUDGET.default,
        photographs: bool = s.PHOTOGRAPHS.default, projections: bool = s.PROJECTIONS.default,
        zipped: bool = s.ZIPPED.default, url: str | None = s.SITE_URL.default,
        overwrite: bool = s.OVERWRITE.default, dry_run: bool = s.DRY_RUN.default,
        network: "Network | Model | None" = None, weights: str | os.PathLike[str] | None = s.WEIGHTS.default,
        trust: bool = s.TRUST.default, bind: Mapping[str, Any] | None = s.BIND.default,
        runtime: str | os.PathLike[str] | None = s.export_settings.RUNTIME.default,
        progress: "bool | Progress | None" = s.PROGRESS.default,
    ) -> "Site":  # fmt: skip
        """Write the viewer's pages as a folder of files that opens without a server; what was written, counted.

        As `layerscope.export`, of this atlas: what each argument means and raises stands there.
        """
        from layerscope.api.exporting import export

        return export(
            self, folder, layers=layers, tile=tile, budget=budget, photographs=photographs, projections=projections,
            zipped=zipped, url=url, overwrite=overwrite, dry_run=dry_run, network=network, weights=weights, trust=trust,
            bind=bind, runtime=runtime, progress=progress,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Atlas {str(self.file.path)!r}: {len(self)} layers{'' if self.finished else ', unfinished'}>"

    def _repr_html_(self) -> str:
        return notebook.atlas_html(self.file)


class AtlasLayer:
    """A layer of an atlas: a collection of its units.

    name, kind: as `layerscope layers` shows them. units: how many. map: rows and columns, None for a dense layer.
    field: what a position sees, in input px. auto: chosen by "auto". method: what its plate shows by default, None
    without projections. stored: the layer as the file holds it.
    """

    def __init__(self, file: AtlasFile, layer: AtlasLayerRecord) -> None:
        self._file = file
        self.stored = layer

    @property
    def name(self) -> str:
        return self.stored.record.name

    @property
    def kind(self) -> str:
        return self.stored.record.kind

    @property
    def units(self) -> int:
        return self.stored.record.units

    @property
    def map(self) -> tuple[int, int] | None:
        return self.stored.record.map

    @property
    def field(self) -> Field:
        return self.stored.record.field

    @property
    def scan_only(self) -> str:
        """Why the layer has patches and statistics and no projections, as a clause; empty where it can have them."""
        return self.stored.record.scan_only

    @property
    def auto(self) -> bool:
        return self.stored.record.auto

    @property
    def method(self) -> str | None:
        return self.stored.method

    @cached_property
    def statistics(self) -> UnitStatistics:
        """What the scan counted, as arrays over all units."""
        return self._file.unit_statistics(self.stored.id)

    @cached_property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """For every unit those whose image maxima rise and fall with its own, by unit and rank."""
        return self._file.neighbours(self.stored.id)

    @cached_property
    def concepts(self) -> tuple[UnitConcept, ...]:
        """What every unit detects; empty where the layer was not dissected."""
        return self._file.concepts(self.stored.id)

    @cached_property
    def labels(self) -> tuple[UnitLabels, ...]:
        """What labels say of every unit; empty where they were not tried on the layer."""
        return self._file.labels(self.stored.id)

    @cached_property
    def words(self) -> tuple[UnitWords, ...]:
        """What words say of every unit; empty where none were tried on the layer."""
        return self._file.words(self.stored.id)

    @cached_property
    def notes(self) -> dict[int, str]:
        """What is said of its units in words, by unit."""
        found: dict[int, str] = {}
        for note in self._file.notes(self.stored.id):
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

    def widget(self) -> "UnitsWidget":
        """The atlas's grid for a notebook, which begins with this layer. Raises UsageError as the atlas's does."""
        return _widget(Atlas(self._file), self.name)

    def plot(self) -> Sheet:
        """The layer's plate: projections beside patches for a seeded sample of units."""
        return plate(self._file, self.name)

    def __repr__(self) -> str:
        size = "dense" if self.map is None else f"map {self.map[0]} x {self.map[1]}"
        return f"<AtlasLayer {self.name!r}: {self.kind}, {self.units} units, {size}>"

    def _repr_html_(self) -> str:
        return notebook.layer_html(self._file, self.stored)


def _widget(atlas: Atlas, layer: str | None) -> "UnitsWidget":
    try:
        from layerscope.api.widget import UnitsWidget
    except ImportError as error:
        message = "widget needs anywidget, which is not installed: pip install 'layerscope[widget]'"
        raise UsageError(message) from error
    return UnitsWidget(atlas, layer)
