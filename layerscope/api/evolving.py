"""How the features of a training run developed, as a figure and in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.api import before
from layerscope.api.checked import checked
from layerscope.api.figures import remark_of
from layerscope.api.network import Network
from layerscope.api.opening import opened_images
from layerscope.api.reporting import reporting
from layerscope.api.selection import chosen_layers
from layerscope.core import settings as s
from layerscope.core.choice import ChosenImages
from layerscope.core.columns import Columns
from layerscope.core.errors import UsageError
from layerscope.core.evolution import Evolution
from layerscope.core.records import LayerRecord
from layerscope.core.verbs import VERBS
from layerscope.figures.evolution import evolution
from layerscope.figures.files import require_writable
from layerscope.training.evolution import evolve as measured
from layerscope.training.kept import KeptRun

if TYPE_CHECKING:
    from layerscope.core.progress import Progress
    from layerscope.sources.types import Images


@dataclass(frozen=True, kw_only=True, eq=False)
class Evolved:
    """What came of it. figure: the file; found: the numbers behind it."""

    figure: Path
    found: Evolution

    def data(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"figure": str(self.figure), "bytes": self.figure.stat().st_size, **self.found.data()}


@checked(VERBS["evolve"])
def evolve(
    run: str | PathLike[str],
    images: "Images",
    out: str | PathLike[str],
    *,
    labels: str | PathLike[str] | None = s.LABELS.default,
    image_column: str | None = s.IMAGE_COLUMN.default,
    label_column: str | None = s.LABEL_COLUMN.default,
    sample: int | None = s.SPREAD.default,
    begin: int | None = s.BEGIN.default,
    end: int | None = s.END.default,
    limit: int | None = s.LIMIT.default,
    orientation: s.Orientation = s.ORIENTATION.default,
    max_pixels: int = s.MAX_PIXELS.default,
    overwrite: bool = s.OVERWRITE.default,
    layers: str | Sequence[str] | None = None,
    units: int = s.EVOLVE_UNITS.default,
    seed: int = s.SEED.default,
    method: str = s.METHODS.default[0],
    view: s.View = s.VIEW.default,
    progress: "bool | Progress | None" = s.PROGRESS.default,
) -> Evolved:
    """Show how features develop over the checkpoints of a training run: a figure, and the numbers behind it.

    run: the folder of a training run, with two checkpoints at least. images, labels to max_pixels: as for `build`. out:
    a .png, .pdf or .svg file. layers: names or globs; None is those of "auto" that have a map. units: a seeded sample
    of so many of each layer. method, view: of the projections. progress: as for `build`. Raises UsageError, ImageError
    and TraceError.
    """
    path = Path(out).expanduser()
    before.require_file(path, "the figure")
    require_writable(path)
    if path.exists() and not overwrite:
        raise UsageError(f'"{path}" exists already; overwrite it, or choose another file')
    kept = KeptRun(Path(run).expanduser())
    columns = Columns(image=image_column, label=label_column)
    choice = ChosenImages(sample=sample, begin=begin, end=end, limit=limit)
    source = opened_images(images, labels, columns, choice, orientation, max_pixels)
    wanted = _wanted(kept, layers)
    with reporting(progress) as reporter:
        found = measured(kept, wanted, source, units=units, seed=seed, method=method, view=view, reporter=reporter)
        figure = evolution(found)
        if remark := remark_of(figure):
            reporter.say(remark)
    return Evolved(figure=figure.save(path), found=found)


def _wanted(kept: KeptRun, names: str | Sequence[str] | None) -> list[LayerRecord]:
    """The layers named; without names, those with a map among the ones that "auto" means."""
    network = Network(kept.network, kept.input, kept.program(kept.epochs[-1]))
    if names is not None:
        return list(chosen_layers(network, names))
    return [layer for layer in chosen_layers(network, s.LAYERS.default) if layer.map]
