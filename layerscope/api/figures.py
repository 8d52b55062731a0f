"""Which figure of an atlas is meant."""

from collections.abc import Iterable
from typing import Any

from layerscope.atlas.read import AtlasFile
from layerscope.core.figure_settings import BRANCHES, DEPTH
from layerscope.core.settings import View
from layerscope.figures import Sheet, overview, plate, unit_page, unit_tree
from layerscope.figures import filters as first_filters
from layerscope.figures.fonts import missing_words

COUNT = 16


def drawn(
    file: AtlasFile,
    layer: str | None,
    *,
    units: Iterable[int] | None = None,
    count: int | None = None,
    unit: int | None = None,
    filters: bool = False,
    tree: bool = False,
    depth: int = DEPTH.default,
    branches: int = BRANCHES.default,
    method: str | None = None,
    view: View | None = None,
    shared_scale: bool = False,
) -> Sheet:
    """The sheet of the kind that is asked for; what this kind does not have was refused by the table of verbs."""
    shown: View = view or "natural"
    if filters:
        return first_filters(file, layer, shared_scale=shared_scale)
    if layer is None:
        return overview(file, **({"count": count} if count else {}), view=shown)
    if unit is not None and tree:
        return unit_tree(file, layer, unit, depth=depth, branches=branches)
    if unit is not None:
        return unit_page(file, layer, unit)
    how: dict[str, Any] = {"method": method, "view": shown, "count": count or COUNT, "shared_scale": shared_scale}
    return plate(file, layer, units=units, **how)


def remark_of(sheet: Sheet) -> str:
    """What a user should know of a figure: letters that no font of this machine has; empty where there are none."""
    missing = sheet.missing_letters
    return missing_words(missing) if missing else ""


def kind_of(layer: str | None, unit: int | None, only_filters: bool, tree: bool) -> str:
    """What kind of figure is meant by these, in one word."""
    if only_filters:
        return "filters"
    if layer is None:
        return "overview"
    return "plate" if unit is None else "tree" if tree else "unit"
