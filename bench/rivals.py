"""What a user would run today for the same projections, each at the batch size and memory format that suit it best.

Both take one image per projection through the network and back. captum gets the whole model, as its users give it
(with ReLU modules that do not act in place, which it needs), and chooses a neuron of its own for each image of a batch.
Batched autograd gets only the modules that are needed, and a ReLU whose backward is the deconvnet's. Signals start from
activations above zero, so that the layer's own ReLU lets them pass in both.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from bench.report import LeftOut
from bench.subjects import FORMATS, laid_out, modules_to
from bench.timing import seconds_of
from layerscope.core.records import LayerRecord
from layerscope.project.cone import Entries

BATCHES = (9, 32)
Attribute = Callable[[Tensor, tuple[Tensor, ...]], Tensor]
Make = Callable[[nn.Module, LayerRecord], Attribute]


@dataclass(frozen=True)
class Sample:
    """Some peaks of one layer. pixels: float32[m, c, h, w], the image of each. values: the activations."""

    entries: Entries
    pixels: Float32[Tensor, "m c h w"]
    values: Float32[np.ndarray, " m"]

    def part(self, chosen: slice) -> "Sample":
        return Sample(self.entries.part(chosen), self.pixels[chosen], self.values[chosen])

    def in_order(self) -> Entries:
        """The entries with their images as they lie in `pixels`."""
        e = self.entries
        return Entries(e.node, np.arange(len(e)), e.unit, e.row, e.col)


@dataclass(frozen=True)
class Rival:
    """One way to make a layer's projections. attribute: (images, (unit, row, col)) -> signals. device: where."""

    attribute: Attribute
    batch: int
    layout: str
    device: torch.device = torch.device("cpu")  # noqa: RUF009

    @property
    def how(self) -> str:
        return f"{self.batch} {self.layout}"

    def run(self, sample: Sample) -> Float[Tensor, "m c h w"]:
        """All projections of a sample, batch by batch."""
        e = sample.entries
        places = [torch.from_numpy(np.ascontiguousarray(index)).to(self.device) for index in (e.unit, e.row, e.col)]
        parts = []
        for first in range(0, len(e), self.batch):
            batch = slice(first, first + self.batch)
            x = sample.pixels[batch].to(self.device).contiguous(memory_format=FORMATS[self.layout])
            parts.append(self.attribute(x, tuple(index[batch] for index in places)))
        return torch.cat(parts).cpu()

    def seconds(self, sample: Sample) -> float:
        return seconds_of(lambda: self.run(sample))


def quickest(
    make: Make, model: nn.Module, layer: LayerRecord, sample: Sample, *, batches: Sequence[int] = BATCHES
) -> Rival:
    """The rival at its best batch and memory format for a layer: each is tried once, after a warm-up."""
    tried, device = [], next(model.parameters()).device
    for layout in FORMATS:
        attribute = make(laid_out(model, layout), layer)
        for batch in batches:
            rival, few = Rival(attribute, batch, layout, device), sample.part(slice(0, max(batches)))
            rival.run(few.part(slice(0, batch)))
            tried.append((rival.seconds(few) / len(few.entries), rival))
    return min(tried, key=lambda pair: pair[0])[1]


def captum(model: nn.Module, layer: LayerRecord) -> Attribute:
    """captum's NeuronDeconvolution on the whole model."""
    try:
        from captum.attr import NeuronDeconvolution
    except ImportError as error:
        raise LeftOut("captum is not installed (make bench installs it)") from error
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    method = NeuronDeconvolution(model, model.get_submodule(layer.name))

    def attribute(x: Tensor, places: tuple[Tensor, ...]) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns on every call that it sets hooks
            signal = method.attribute(x, lambda maps: _at(maps, places))  # pyright: ignore[reportArgumentType]
        return signal.detach()

    return attribute


def autograd(model: nn.Module, layer: LayerRecord) -> Attribute:
    """The modules up to the layer, and autograd through a ReLU with the deconvnet's rule."""
    prefix = modules_to(model, layer)
    for module in [*prefix.modules()]:
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, _Rectifier())

    def attribute(x: Tensor, places: tuple[Tensor, ...]) -> Tensor:
        x = x.requires_grad_()
        (signal,) = torch.autograd.grad(_at(prefix(x), places).sum(), x)
        return signal

    return attribute


def _at(maps: Tensor, places: tuple[Tensor, ...]) -> Tensor:
    """One activation of each image."""
    return maps[(torch.arange(len(maps), device=maps.device), *places)]


class _Rectifier(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _DeconvnetRelu.apply(x)


class _DeconvnetRelu(torch.autograd.Function):
    """A ReLU whose backward rectifies the signal (Zeiler & Fergus 2013, section 2.1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return signal.clamp(min=0)
