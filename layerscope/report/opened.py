"""Where a reader of the report goes on from a unit: an anchor in the page, the unit's own page, a command."""

import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPages:
    """Where the pages of units are. below: by layer and unit, where its page stands below the atlas, without a slash in
    front. served: the path of the atlas's first page on its
    server. exported: by layer and unit, the file of
    its page in an export beside the report, as the report links to it; "" where there is none."""

    below: Callable[[AtlasLayerRecord, int], str]
    served: str
    exported: Callable[[AtlasLayerRecord, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedUnit:
    """How one figure of a unit is found and where it leads. anchor: the figure's own, in the report. file: of its page
    in an export beside, or "". address: of its page on the server that
    `serve` starts. show: the command that prints
    its peaks."""

    anchor: str
    file: str
    address: str
    serve: str
    show: str


class OpenedUnits:
    """Asked once for each figure: a unit that is shown again has another anchor."""

    def __init__(self, file: AtlasFile, pages: UnitPages) -> None:
        self._atlas, self._pages, self._shown = shlex.quote(file.path.name), pages, Counter[str]()

    def of(self, layer: AtlasLayerRecord, unit: int) -> OpenedUnit:
        """The next figure of this unit."""
        below = self._pages.below(layer, unit)
        self._shown[below] += 1
        again = self._shown[below]
        return OpenedUnit(
            anchor=below if again == 1 else f"{below}/{again}",
            file=self._pages.exported(layer, unit),
            address=f"{self._pages.served}{below}",
            serve=f"layerscope serve {self._atlas}",
            show=f"layerscope show {self._atlas} {shlex.quote(layer.name)} {unit}",
        )
