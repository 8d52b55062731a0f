"""A projection at full resolution, computed again for a peak that an atlas names."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float32

from layerscope.api.network import Network
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Peak
from layerscope.core.errors import WrongModel
from layerscope.core.geometry import Box
from layerscope.core.records import LayerRecord
from layerscope.pipeline.project_work import tolerance
from layerscope.pipeline.settings import as_built
from layerscope.sources import open_source

if TYPE_CHECKING:
    from layerscope.sources.types import Images


def signal_again(
    file: AtlasFile, peak: Peak, layer: LayerRecord, unit: int, method: str, net: Network, images: "Images"
) -> tuple[Float32[np.ndarray, "c h w"], Box]:
    """The signal of a peak, and its box in input px. Raises WrongModel where the activation does not come back."""
    batch = as_built(open_source(images), file.run.fingerprint).load([peak.image], net.input)
    found = net.project(
        torch.as_tensor(batch.pixels),
        layer.path,
        image=[0],
        unit=[unit],
        row=[peak.row],
        col=[peak.col],
        method=method,
    )
    if abs(float(found.values[0]) - peak.value) > tolerance(net.program) * max(abs(peak.value), 1e-30):
        raise WrongModel(
            f"unit {unit} of {layer.name} is {found.values[0]:.6g} there, the atlas says {peak.value:.6g}: "
            "the weights, the image or the preprocessing are others"
        )
    return found.signal[0].astype(np.float32), found.boxes[0]
