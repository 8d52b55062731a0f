"""The widget of notebooks: which layer, page and unit is shown are traits, and what is shown of them comes in traits.

The browser sets `layer`, `first` and `unit`, Python may set them as well, and the answer follows in `grid` or `sheet`.
So it works wherever traits travel, where no server can be reached, and a page that was saved shows what was last seen.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from layerscope.api import html
from layerscope.api.atlas import Atlas
from layerscope.api.unit import Unit
from layerscope.api.units_shown import UNITS, first_of_page, listed_layers, page_of_units, sheet_of_unit
from layerscope.core.errors import LayerscopeError, UsageError

STATIC = Path(__file__).parent / "static"


class UnitsWidget(anywidget.AnyWidget):
    """An atlas in a notebook: a grid of a layer's units, and the sheet of the unit that was chosen.

    layer: the name of the layer that is shown. unit: the unit that was chosen, None while the grid is shown; both can
    be read, observed and set; what the atlas does not hold is refused. first: the grid's first unit.
    """

    _esm = STATIC / "units.js"
    _css = STATIC / "units.css"

    title = traitlets.Unicode().tag(sync=True)
    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    layer = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Int(None, allow_none=True).tag(sync=True)
    first = traitlets.Int(0).tag(sync=True)
    per_page = traitlets.Int(UNITS).tag(sync=True)
    grid = traitlets.Dict().tag(sync=True)
    sheet = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __init__(self, atlas: Atlas, layer: str | None = None) -> None:
        """layer: the one that is shown first; None takes the atlas's first."""
        self._atlas = atlas
        run = atlas.run
        chosen = atlas[layer].name if layer is not None else next((one.name for one in atlas.layers), "")
        super().__init__(
            title=f"{html.cut(run.network)} over {html.cut(run.images)}",
            layers=listed_layers(atlas.file),
            layer=chosen,
        )
        self._follow()
        self.observe(self._follow, names=["layer", "unit", "first"])

    @property
    def chosen(self) -> Unit | None:
        """The unit that was chosen; None while the grid is shown."""
        return None if self.unit is None else self._atlas[self.layer][self.unit]

    def __repr__(self) -> str:
        where = f"layer {self.layer!r}" if self.unit is None else f"unit {self.unit} of {self.layer!r}"
        return f"<UnitsWidget of {self.title!r}: {where}>"

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict[str, Any]) -> str:
        # An atlas whose build has only begun has no layers, and shows none.
        if not proposal["value"] and not self._atlas.layers:
            return ""
        return self._found(proposal["value"], lambda name: self._atlas[name].name)

    @traitlets.validate("unit")
    def _known_unit(self, proposal: dict[str, Any]) -> int | None:
        if proposal["value"] is None:
            return None
        return self._found(proposal["value"], lambda unit: self._atlas[self.layer][unit].number)

    @traitlets.validate("first")
    def _first_of_a_page(self, proposal: dict[str, Any]) -> int:
        return first_of_page(max(proposal["value"], 0))

    def _found(self, wanted: Any, ask: Callable[[Any], Any]) -> Any:
        """What the atlas has of that name or number; what it has not is a TraitError, and traits stay as they were."""
        try:
            return ask(wanted)
        except UsageError as error:
            raise traitlets.TraitError(str(error)) from None
        except LayerscopeError:
            return wanted  # an atlas that cannot be read is told where something of it is to be shown

    def _follow(self, change: object = None) -> None:
        """Put what is to be shown into `grid` or `sheet`; what cannot be read is told in `trouble`."""
        if not self.layer:
            self.trouble = "this atlas has no layers yet: its build has only begun"
            return
        try:
            layer = self._atlas[self.layer]
            if self.first >= layer.units:
                self.first = 0
            if self.unit is not None and self.unit >= layer.units:
                self.unit = None
            if self.unit is not None:
                self._show("sheet", {"unit": self.unit}, sheet_of_unit, layer.stored, self.unit)
            else:
                self._show("grid", {"first": self.first}, page_of_units, layer.stored, self.first)
            self.trouble = ""
        except LayerscopeError as error:
            self.trouble = str(error)

    def _show(self, name: str, which: dict[str, int], made: Any, layer: Any, number: int) -> None:
        """Set a trait anew, unless it is of that page or unit already."""
        held: dict[str, Any] = getattr(self, name)
        wanted = {"layer": layer.name, **which}
        if any(held.get(key) != value for key, value in wanted.items()):
            setattr(self, name, made(self._atlas.file, layer, number))
