"""What Keras itself makes of picture files: `load_img`, `preprocess_input` and `predict`, for trace-check."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.models.keras.package import keras
from layerscope.models.keras.plans import Axes
from layerscope.models.loaded import OwnForward

_COLOURS = {1: "grayscale", 3: "rgb", 4: "rgba"}


def own_forward(model: Any, axes: Axes, expected: Input, mode: str) -> OwnForward | None:
    """Keras' way from a picture file to the model's outputs; None where its pictures have other channels than files."""
    colours = _COLOURS.get(expected.channels)
    if colours is None:
        return None
    package = keras()

    def prepare(files: Sequence[Path]) -> Tensor:
        size = (expected.height, expected.width)
        options = {"color_mode": colours, "target_size": size, "interpolation": "bilinear"}
        loaded = (package.utils.load_img(file, **options) for file in files)
        pictures = np.stack([package.utils.img_to_array(one, data_format="channels_last") for one in loaded])
        if mode in ("tf", "torch", "caffe"):
            preprocess = package.applications.imagenet_utils.preprocess_input
            pictures = preprocess(pictures, data_format="channels_last", mode=mode)
        elif mode == "unit":
            pictures = pictures / 255
        return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))

    def run(pictures: Tensor) -> list[Tensor]:
        with quiet():
            returned = model.predict(axes.theirs(pictures).contiguous().numpy(), verbose=0)
        return [axes.ours(torch.from_numpy(np.asarray(one))) for one in package.tree.flatten(returned)]

    return OwnForward(sentence="keras.utils.load_img and predict", prepare=prepare, run=run)
