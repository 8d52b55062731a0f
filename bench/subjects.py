"""The networks that are measured, each twice: traced by layerscope, and as its user would run it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

import layerscope as ls
from layerscope.api.network import Network
from layerscope.core.records import Batch, LayerRecord
from layerscope.models import load
from layerscope.pipeline.settings import BATCH
from layerscope.sources import open_source

FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


@dataclass(frozen=True)
class Subject:
    """One network of torchvision with seeded random weights.

    model: in eval mode, as torchvision makes it. network: the same, traced. layers: those that "auto" means and that
    have maps. prefix: the user's modules as deep as the deepest of these layers, and no deeper.
    """

    model: nn.Module
    network: Network
    layers: tuple[LayerRecord, ...]
    prefix: nn.Sequential


@cache
def subject(name: str) -> Subject:
    """A network of torchvision whose layers with maps all lie in its `features`."""
    loaded = load(f"torchvision:{name}/none")
    assert isinstance(loaded.model, nn.Module)
    model = loaded.model.eval().requires_grad_(False)
    network = ls.trace(model, loaded.input)
    layers = tuple(layer for layer in network.layers if layer.auto and layer.map)
    deepest = max(depth(layer) for layer in layers)
    return Subject(model, network, layers, features_of(model)[: deepest + 1])


def features_of(model: nn.Module) -> nn.Sequential:
    """The convolutional part of a torchvision network."""
    features = model.get_submodule("features")
    assert isinstance(features, nn.Sequential)
    return features


def depth(layer: LayerRecord) -> int:
    """The place in `features` of the module that a layer belongs to."""
    return int(layer.name.split(".")[1])


def batches_of(paths: Sequence[Path], subject: Subject) -> list[Batch]:
    """The pictures, decoded and prepared once, in batches of the size that a scan takes."""
    starts = range(0, len(paths), BATCH)
    runs = (range(first, min(first + BATCH, len(paths))) for first in starts)
    return list(open_source(paths).batches(subject.network.input, runs))


def pixels_of(paths: Sequence[Path], subject: Subject) -> Float32[np.ndarray, "n c h w"]:
    """The pictures as one array, decoded and prepared once."""
    return np.concatenate([batch.pixels for batch in batches_of(paths, subject)])


def forward_loops(subject: Subject, batches: Sequence[Batch]) -> dict[str, Callable[[], None]]:
    """The user's own loop over preloaded tensors, by memory format: nothing but the model's forward."""
    return {name: _loop(subject.prefix, batches, name) for name in FORMATS}


def laid_out(model: nn.Module, layout: str) -> nn.Module:
    """A copy of a model with its weights in one of the FORMATS."""
    return copy.deepcopy(model).to(memory_format=FORMATS[layout])  # pyright: ignore[reportCallIssue]


def _loop(prefix: nn.Sequential, batches: Sequence[Batch], layout: str) -> Callable[[], None]:
    model = laid_out(prefix, layout)
    inputs: list[Tensor] = [torch.from_numpy(b.pixels).contiguous(memory_format=FORMATS[layout]) for b in batches]

    def run() -> None:
        with torch.inference_mode():
            for x in inputs:
                model(x)

    return run
