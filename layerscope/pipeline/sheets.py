"""The last stage: the tiles of a unit become one picture per kind, method and view."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.write import AtlasWriter
from layerscope.core.codecs import BLANK
from layerscope.pipeline.progress import Clock, Progress
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.work import LayerWork

GROUP = 64
Sheet = tuple[int, str, str, str, np.ndarray, bytes]


def write_sheets(
    writer: AtlasWriter,
    scratch: Scratch,
    works: list[LayerWork],
    settings: Settings,
    progress: Progress,
    clock: Clock,
    *,
    stage: str,
    workers: int,
) -> None:
    """Encode and store the sheets of all units, in groups of 64 units; each group is one transaction."""
    groups = [(work, work.units[first : first + GROUP]) for work in works for first in range(0, len(work.units), GROUP)]
    done = writer.done(stage)
    units = [len(units) for _, units in groups]
    progress.start("sheets", sum(units), sum(units[number] for number in done))
    with ThreadPoolExecutor(workers) as pool:
        for number, (work, chosen) in enumerate(groups):
            if number in done:
                continue
            with clock.time("encode"):
                made = list(pool.map(lambda unit, work=work: list(_sheets(work, unit, scratch, settings)), chosen))
            with clock.time("write"), writer.transaction():
                for unit, kind, method, view, scales, data in (sheet for sheets in made for sheet in sheets):
                    writer.put_sheet(work.node, unit, kind, method, view, scales, settings.codec, data)
                writer.mark(stage, number)
            progress.step(len(chosen))


def _sheets(work: LayerWork, unit: int, scratch: Scratch, settings: Settings) -> Iterator[Sheet]:
    """The sheets of one unit; a unit without any peak has none."""
    present = work.peaks.image[unit] >= 0
    if not present.any():
        return
    tiles, scales = scratch.unit(work.node, unit)
    tiles = np.where(present[:, None, None, None, None], tiles, np.uint8(BLANK))
    scales = np.where(present[:, None], scales, np.float32(0))
    kinds = [("projections", method, view) for method in work.methods for view in settings.views]
    for index, (kind, method, view) in enumerate([("patches", "", ""), *kinds]):
        if kind == "projections" or work.patches:
            data = encode(grid(tiles[:, index]), settings.codec, shows=view or kind)
            yield unit, kind, method, view, scales[:, index], data
