"""The networks that are measured, each twice: traced by layerscope, and as its user would run it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

# How many pictures the user's loop takes at once: the better of these counts.
LOOPED = (16, 32)
FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


# Every network that was asked for, by name.
OPENED: dict[str, "Subject"] = {}


@dataclass(frozen=True)
class Subject:
    """One network of torchvision with seeded random weights.

    model: in eval mode, as torchvision makes it. network: the same, traced. scanned: the layers that "auto" means.
    layers: those of them that have maps.
    """

    model: nn.Module
    network: Network
    scanned: tuple[LayerRecord, ...]

    @property
    def layers(self) -> tuple[LayerRecord, ...]:
        return tuple(layer for layer in self.scanned if layer.map)


def subject(name: str) -> Subject:
    """A network of torchvision, with random weights; made once."""
    if name not in OPENED:
        OPENED[name] = _opened(name)
    return OPENED[name]


def _opened(name: str) -> Subject:
    loaded = load(f"torchvision:{name}/none")
    assert isinstance(loaded.model, nn.Module)
    model = loaded.model.eval().requires_grad_(False)
    network = ls.trace(model, loaded.input)
    return Subject(model, network, tuple(layer for layer in network.layers if layer.auto))


def modules_to(model: nn.Module, layer: LayerRecord) -> nn.Sequential:
    """The modules of a torchvision network that lead to a layer, itself included: a part of `features`, or the
    network's own children up to the stage that gives the layer, which it calls in their order."""
    whole, _, rest = layer.name.rpartition("features.")
    modules = model.get_submodule("features") if whole or rest != layer.name else model
    last, found = rest.split(".")[0], []
    for name, module in modules.named_children():
        found.append(module)
        if name == last:
            return nn.Sequential(*found)
    raise AssertionError(f"no module gives {layer.name}")


def batches_of(paths: Sequence[Path], subject: Subject) -> list[Batch]:
    """The pictures, decoded and prepared once, in batches of the size that a scan takes."""
    starts = range(0, len(paths), BATCH)
    runs = (range(first, min(first + BATCH, len(paths))) for first in starts)
    return list(open_source(paths).batches(subject.network.input, runs))


def pixels_of(paths: Sequence[Path], subject: Subject) -> Float32[np.ndarray, "n c h w"]:
    """The pictures as one array, decoded and prepared once."""
    return np.concatenate([batch.pixels for batch in batches_of(paths, subject)])


def forward_loops(subject: Subject, batches: Sequence[Batch]) -> dict[str, Callable[[], None]]:
    """The user's own loop over preloaded tensors, by the size of its batches: the model as it is called, in inference
    mode and with its channels last, with hooks that hold what the scanned layers give."""
    pixels = np.concatenate([batch.pixels for batch in batches])
    return {f"batches of {size}": _loop(subject, torch.from_numpy(pixels), size) for size in LOOPED}


def laid_out(model: nn.Module, layout: str) -> nn.Module:
    """A copy of a model with its weights in one of the FORMATS."""
    return copy.deepcopy(model).to(memory_format=FORMATS[layout])  # pyright: ignore[reportCallIssue]


def _loop(subject: Subject, pixels: Tensor, size: int) -> Callable[[], None]:
    model = laid_out(subject.model, "channels-last")
    inputs = [x.contiguous(memory_format=torch.channels_last) for x in pixels.split(size)]
    held = holding(model, subject)

    def run() -> None:
        with torch.inference_mode():
            for x in inputs:
                model(x)
                held.clear()

    return run


def holding(model: nn.Module, subject: Subject) -> dict[str, Tensor]:
    """What a model gives at the scanned layers while it is called, by hooks: to be cleared after each call."""
    held: dict[str, Tensor] = {}

    def holds(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda module, given, output: held.update({name: output})

    for layer in subject.scanned:
        model.get_submodule(layer.name).register_forward_hook(holds(layer.name))
    return held
