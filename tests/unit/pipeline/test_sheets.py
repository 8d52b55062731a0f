"""From tiles to sheets: each kind is encoded as what it shows."""

from pathlib import Path

import numpy as np
import pytest

from layerscope.atlas.codecs import encode, grid
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.pieces import make
from layerscope.core.progress import Clock, Silent
from layerscope.core.records import Peaks
from layerscope.pipeline.scratch import Scratch
from layerscope.pipeline.settings import Settings
from layerscope.pipeline.sheets import Sheets
from layerscope.pipeline.work import LayerWork
from tests.helpers.atlases import layer_records, small_atlas

SIDE = 40


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_each_kind_of_sheet_is_encoded_as_what_it_shows(tmp_path: Path, codec: str) -> None:
    """Patches, natural views and signals of the same pixels: the bytes are those of their own quality."""
    settings, (layer, *_) = Settings(codec=codec), layer_records(6)
    peaks = Peaks.empty(6, settings.k)
    peaks.image[2] = 0
    work = LayerWork(
        layer=layer, methods=("deconvnet",), patches=True, units=(2,), peaks=peaks, side=SIDE, size=(SIDE, SIDE)
    )
    scratch = Scratch(tmp_path / "a.tiles", {work.node: work.slots(0, settings.k, len(settings.views))})
    noise = np.random.default_rng(0).integers(0, 256, (settings.k, SIDE, SIDE, 3), dtype=np.uint8)
    for rank, tile in enumerate(noise):
        scratch.put(work.node, 2, rank, np.stack([tile] * 3), np.ones(3, np.float32))
    path = small_atlas(tmp_path / "a.atlas", units=6, images=24)
    with AtlasWriter.resume(path) as writer:
        sheets = Sheets(writer, scratch, [work], settings, label="sheets", clock=Clock(), threads=1)
        make(sheets, writer, Silent())
    scratch.close()
    with AtlasFile(path) as file:
        for key, shows in ((("patches",), "patches"), *((("projections", "deconvnet", v), v) for v in settings.views)):
            stored = file.encoded_sheet(work.node, 2, *key)
            assert stored is not None and stored.codec == codec
            assert stored.pixels == encode(grid(noise), codec, shows=shows)
