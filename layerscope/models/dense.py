"""Torchvision's networks for segmentation and detection, and why others of its networks are refused.

A segmenter is a network of one picture, which returns maps by name. A detector is not: it takes a list of pictures, and
what follows its backbone works picture by picture. So of a detector the backbone is looked at, and that is said.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.transforms import CenterCrop, Compose

from layerscope.core.errors import TraceError
from layerscope.core.networks import NONE
from layerscope.core.records import Input
from layerscope.models.builders import built
from layerscope.models.loaded import RANDOM_SEED, Loaded, OwnForward, picture_by_picture
from layerscope.models.weights import Filled, fill, resized


def names() -> list[str]:
    """The segmentation and detection networks of torchvision."""
    return [name for module in (models.segmentation, models.detection) for name in models.list_models(module=module)]


def refusal(name: str) -> str:
    """Why a network that torchvision has cannot be had, with the way out; "" for one that it does not have."""
    if name in models.list_models(module=models.quantization):
        return (
            f"torchvision:{name} is quantised, its numbers are whole ones of 8 bits: give the network as it was "
            f"before, torchvision:{name.removeprefix('quantized_')}"
        )
    if name in models.list_models(module=models.video):
        return f"torchvision:{name} takes clips of several frames; only networks of one picture are known"
    if name in models.list_models(module=models.optical_flow):
        return f"torchvision:{name} takes two pictures; only networks of one picture are known"
    return ""


def dense_network(spec: str, name: str, *, weights: str | Path | None, with_weights: bool) -> Loaded:
    """A segmenter, or the backbone of a detector, with published weights, a file's or random ones."""
    entry = models.get_model_weights(name)["DEFAULT"]
    torch.manual_seed(RANDOM_SEED)
    filled = Filled()
    if weights is not None or not with_weights:
        model, _ = built(name, entry)
        filled = filled if weights is None else fill(model, weights)
    else:
        try:
            model = models.get_model(name, weights=entry)
        except Exception as error:
            raise TraceError(
                f"the weights of {spec} cannot be fetched ({error}); give a file with --weights, or {spec}{NONE} for "
                "random ones"
            ) from error
    remarks = (*filled.remarks, *resized(filled))
    if name in models.list_models(module=models.segmentation):
        expects, own = _of_segmenter(entry)
        return Loaded(name=spec, model=model, input=expects, remarks=remarks, unloaded=filled.unloaded, own=own)
    head = "backbone."
    unloaded = {key.removeprefix(head): why for key, why in filled.unloaded.items() if key.startswith(head)}
    remark = f"of the detector {name} its backbone is looked at: what follows it works picture by picture"
    return Loaded(
        name=spec, model=model.get_submodule("backbone"), input=_of_detector(model), remarks=(remark, *remarks),
        unloaded=unloaded,
    )  # fmt: skip


def _of_segmenter(entry: Any) -> tuple[Input, OwnForward]:
    """Its own transforms resize and do not cut; what a batch needs beside them is the middle square."""
    own = entry.transforms()
    side = own.resize_size[0]
    expects = Input(height=side, width=side, resize=side, mean=tuple(own.mean), std=tuple(own.std))
    return expects, picture_by_picture(
        f"the transforms of {type(entry).__name__}, and the middle of what they give,", Compose([own, CenterCrop(side)])
    )


def _of_detector(model: nn.Module) -> Input:
    """As its own first part prepares pictures: of one size where it fixes one, else by their short side."""
    own: Any = model.transform
    mean, std = tuple(own.image_mean), tuple(own.image_std)
    if own.fixed_size is not None:
        width, height = own.fixed_size
        return Input(height=height, width=width, crop="squash", mean=mean, std=std)
    side = own.min_size[-1]
    return Input(height=side, width=side, resize=side, mean=mean, std=std)
