"""The verb `figure`: a sheet of an atlas, and its file. No torch."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.api import before
from layerscope.api.atlas import Atlas, open
from layerscope.api.checked import checked
from layerscope.core import settings as s
from layerscope.core.failures import plain_failures
from layerscope.core.figure_settings import BRANCHES, DEPTH, TREE
from layerscope.core.verbs import VERBS

if TYPE_CHECKING:
    from layerscope.figures import Sheet

__all__ = ["figure"]


@checked(VERBS["figure"])
@plain_failures()
def figure(
    atlas: Atlas | str | PathLike[str],
    layer: str | None = s.LAYER.default,
    out: str | PathLike[str] | None = None,
    *,
    units: Iterable[int] | None = s.SHOWN_UNITS.default,
    count: int | None = s.SHOWN_COUNT.default,
    unit: int | None = s.UNIT.default,
    filters: bool = s.FILTERS.default,
    tree: bool = TREE.default,
    depth: int = DEPTH.default,
    branches: int = BRANCHES.default,
    method: str | None = s.METHOD.default,
    view: s.View | None = None,
    shared_scale: bool = s.SHARED_SCALE.default,
    width: float | None = s.FIGURE_WIDTH.default,
    dpi: int = s.DPI.default,
) -> "Sheet":
    """A figure of an atlas; of a layer its plate, as in Figure 2 of Zeiler & Fergus 2013; without one, an overview.

    A plate shows, per unit, the grid of projections beside the grid of patches. out: a .png, .pdf or .svg file that is
    written too. units: which; without them a seeded sample of `count` is drawn (16; an overview shows 4 a layer).
    unit: the page of this one instead; with tree, the units that it is made of, and what these are made of, `depth`
    layers back, of each the `branches` that send most. filters: the first layer's, or the layer's own. method: None
    shows the layer's own (its caption says why). view: "natural" (what None means) or "signal". shared_scale: the tiles
    of a unit share one scale. width: of the saved figure, inches (7). dpi: of a saved .png. Raises UsageError.
    """
    from layerscope.api.figures import drawn
    from layerscope.figures.files import require_writable

    path = None if out is None else Path(out).expanduser()
    if path is not None:
        before.require_file(path, "the figure")
        require_writable(path)
    held = atlas if isinstance(atlas, Atlas) else open(atlas)
    sheet = drawn(
        held.file, layer, units=units, count=count, unit=unit, filters=filters, tree=tree, depth=depth,
        branches=branches, method=method, view=view, shared_scale=shared_scale,
    )  # fmt: skip
    if path is not None:
        sheet.save(path, width_inches=width, dpi=dpi)
    return sheet
