"""What Keras itself computes: beside a network when it is loaded, and from picture files on for trace-check."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.core.errors import TraceError
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.models.keras.calls import KerasModel
from layerscope.models.keras.package import keras
from layerscope.models.keras.plans import AxisPlan
from layerscope.models.loaded import RANDOM_SEED, OwnForward

# What Keras' numbers and ours may differ by, as a share of the largest: in float32, and where Keras rounds to half.
BOUND, COARSE_BOUND = 1e-3, 0.1
_COLOURS = {1: "grayscale", 3: "rgb", 4: "rgba"}


def own_forward(model: Any, axes: AxisPlan, expected: Input, mode: str) -> OwnForward | None:
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


def require_the_same(
    model: Any, twin: KerasModel, axes: AxisPlan, expected: Input, name: str, *, coarse: bool = False
) -> None:
    """Raises TraceError where the module does not give what Keras does, for a picture of noise.

    coarse: Keras computes in half precision.
    """
    random = torch.Generator().manual_seed(RANDOM_SEED)
    picture = torch.rand((1, *expected.shape), generator=random)
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (expected.mean, expected.std))
    picture = (picture - mean) / std
    flat = keras().tree.flatten
    with quiet(), torch.no_grad():
        theirs = flat(model(axes.theirs(picture).contiguous(), training=False))
        ours = flat(twin(picture))
    gaps = [_gap(axes.theirs(found), value) for found, value in zip(ours, theirs, strict=True)]
    worst = max(gaps, default=0.0)
    # What depth makes of the rounding of float32 is no fault.
    if worst > (COARSE_BOUND if coarse else BOUND) and worst > 8 * _rounding(twin, picture, ours):
        raise TraceError(
            f"{name} was not read rightly: for the same picture it differs by {worst:.0e} of the largest value from "
            "what Keras computes; this is a fault of layerscope: please report it, with model.summary()"
        )


def _gap(found: Tensor, expected: Tensor) -> float:
    """How far two tensors are apart, as a share of the largest magnitude; nothing where Keras' own is not finite."""
    if found.shape != expected.shape:
        return float("inf")
    if not expected.numel() or not expected.isfinite().all():
        return 0.0
    apart = (found.double() - expected.double()).abs().max() / expected.double().abs().max().clamp(min=1e-30)
    return float(apart.nan_to_num(nan=float("inf")))


def _rounding(twin: KerasModel, picture: Tensor, ours: list[Tensor]) -> float:
    """How far rounding moves the module's outputs: from its own in float64, and for nearly the same picture."""
    flat = keras().tree.flatten
    with quiet(), torch.no_grad():
        others = [flat(twin(picture * (1 + sign * 1e-6))) for sign in (1, -1)]
        with suppress(Exception):  # parts that Keras computes in float32 alone
            others.append(flat(copy.deepcopy(twin).double()(picture.double())))
    return max((_gap(found, value) for one in others for found, value in zip(ours, one, strict=True)), default=0.0)
