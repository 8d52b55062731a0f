"""Stochastic gradient descent as recipes want it: first weights, decay, a rate per step, filters kept in bounds."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from layerscope.core.errors import UsageError
from layerscope.training.recipe import Recipe


def optimiser_of(network: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """Weight decay goes to the weights of convolutions and dense layers, to no bias and no batch norm."""
    weights = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": weights, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=recipe.rate, momentum=recipe.momentum, nesterov=recipe.nesterov)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def start(network: nn.Module, recipe: Recipe) -> None:
    """First weights: PyTorch's own, or from a normal distribution with biases of 0; the first filters blurred."""
    weighted = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if recipe.start_std is not None:
        for module in weighted:
            nn.init.normal_(module.weight, std=recipe.start_std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if recipe.start_blur:
        blur(weighted[0].weight, recipe.start_blur)


def begin_from(network: nn.Module, weights: dict[str, Tensor], run: str | Path | None) -> None:
    """Put the weights of an earlier run into a network. Raises UsageError where they do not fit."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        why = " ".join(str(error).split())
        raise UsageError(f'the weights of "{run}" do not fit this network and data: {why}') from error


def digest(weights: dict[str, Tensor]) -> str:
    """Tells weights apart: the SHA-256 of their bytes in order."""
    found = hashlib.sha256()
    for tensor in weights.values():
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


@torch.no_grad()
def blur(filters: Tensor, deviation: float) -> None:
    """Blur filters [units, channels, rows, cols] in place, each channel by itself, keeping their root mean square."""
    before = filters.pow(2).mean().sqrt()
    for axis in (-2, -1):
        places = torch.arange(filters.shape[axis], dtype=filters.dtype, device=filters.device)
        kernel = torch.exp(-0.5 * ((places[:, None] - places[None, :]) / deviation) ** 2)
        filters.copy_((filters.movedim(axis, -1) @ kernel).movedim(-1, axis))
    filters.mul_(before / filters.pow(2).mean().sqrt())


@torch.no_grad()
def renormalise(network: nn.Module, largest: float) -> None:
    """Scale down convolution filters whose root mean square is above `largest` (Zeiler & Fergus 2013, section 3)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            rms = module.weight.pow(2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
            module.weight.mul_(torch.clamp(largest / rms.clamp_min(1e-12), max=1.0))


class Plateau:
    """The rate falls to a tenth whenever `patience` epochs in a row brought no better top-1."""

    def __init__(self, rate: float, patience: int) -> None:
        self.patience = patience
        self.state = {"rate": rate, "best": -1.0, "waited": 0}

    def after(self, top1: float) -> None:
        better = top1 > self.state["best"]
        self.state["best"] = max(top1, self.state["best"])
        self.state["waited"] = 0 if better else self.state["waited"] + 1
        if self.state["waited"] >= self.patience:
            self.state |= {"rate": self.state["rate"] / 10, "waited": 0}
