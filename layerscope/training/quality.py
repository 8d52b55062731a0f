"""How good a network is to look into: smooth first filters, few dead units."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import nn

from layerscope.core.records import Input
from layerscope.training.pictures import Pictures, normalised
from layerscope.training.score import BATCH

HIGH = 0.3  # cycles per px
PADDED = 64  # px: filters are zero-padded to this side before their transform


def filter_energy(filters: Float[np.ndarray, "units maps rows cols"]) -> Float64[np.ndarray, "2 units"]:
    """The energy of each filter, above 0.3 cycles per px of radial frequency, and in all."""
    power = (np.abs(np.fft.fft2(filters.astype(np.float64), (PADDED, PADDED))) ** 2).sum(axis=1)
    frequency = np.fft.fftfreq(PADDED)
    high = np.hypot(frequency[:, None], frequency) > HIGH
    return np.stack([power[:, high].sum(axis=1), power.sum(axis=(1, 2))])


def high_share(filters: Float[np.ndarray, "units maps rows cols"]) -> float:
    """The share, 0..1, of all filters' energy above 0.3 cycles per px: the noise that runs through every projection."""
    high, whole = filter_energy(filters).sum(axis=1)
    return float(high / whole) if whole else 0.0


def unit_high_shares(filters: Float[np.ndarray, "units maps rows cols"]) -> Float64[np.ndarray, " units"]:
    """The same for each unit; 0 for one whose filter is zero."""
    high, whole = filter_energy(filters)
    return np.divide(high, whole, out=np.zeros_like(high), where=whole > 0)


@torch.no_grad()
def dead_units(network: nn.Module, pictures: Pictures, input: Input, window: int) -> dict[str, tuple[int, int]]:
    """For each layer with a ReLU: units never above zero in these pictures, and units in all.

    network: in evaluation mode, its layers' ReLUs called "relu". Layers by the path of what holds the ReLU.
    """
    highest: dict[str, torch.Tensor] = {}

    def listen(path: str, output: torch.Tensor) -> None:
        found = output.flatten(2).amax(dim=(0, 2)) if output.dim() > 2 else output.amax(dim=0)
        highest[path] = torch.maximum(highest[path], found) if path in highest else found

    hooks = [
        module.register_forward_hook(lambda _, inputs, output, path=path: listen(path.removesuffix(".relu"), output))
        for path, module in network.named_modules()
        if path.endswith(".relu")
    ]
    for start in range(0, len(pictures), BATCH):
        network(torch.from_numpy(normalised(pictures.middle(slice(start, start + BATCH), window), input)))
    for hook in hooks:
        hook.remove()
    return {path: (int((found <= 0).sum()), len(found)) for path, found in highest.items()}
