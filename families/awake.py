"""Seeded random weights that keep a whole network awake, whatever its modules are called.

A network as its author initialises it is half asleep: scales of residual branches start at 0 or 1e-6, batch norms know
no data. What is wrong behind such a factor would not be seen.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd


@torch.no_grad()
def awaken(model: nn.Module, example: Tensor, seed: int = 0) -> nn.Module:
    """The model in evaluation mode, its weights drawn anew in place, its batch norms fitted to an example batch."""
    random = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, _ConvNd | nn.Linear) and not hasattr(module, "parametrizations"):
            spread = (2 / max(module.weight[0].numel(), 1)) ** 0.5
            module.weight.copy_(torch.randn(module.weight.shape, generator=random) * spread)
    for name, weight in model.named_parameters():
        if weight.is_floating_point() and weight.numel() and float(weight.max() - weight.min()) == 0:
            weight.copy_(_drawn(name, weight, random))
    model.eval()
    _fit(model, example, random)
    return model


def _drawn(name: str, weight: Tensor, random: torch.Generator) -> Tensor:
    """Something other than a constant: around 1 for what multiplies, around 0 for what is added."""
    if name.endswith("bias"):
        return 0.1 * torch.randn(weight.shape, generator=random)
    if float(weight.flatten()[0]) == 1 or weight.dim() == 1:
        return 0.5 + torch.rand(weight.shape, generator=random)
    return 0.3 * torch.randn(weight.shape, generator=random)


def _fit(model: nn.Module, example: Tensor, random: torch.Generator) -> None:
    """Draw the statistics of each batch norm around those of what it is given, in one pass for all."""

    def fit(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        mean, variance = norm.running_mean, norm.running_var
        if not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
            return
        values = given[0].transpose(0, 1).flatten(1)
        spread = values.var(1) + 1e-6 if values.shape[1] > 1 else torch.ones_like(variance)
        mean.copy_(values.mean(1) + 0.3 * torch.randn(mean.shape, generator=random) * spread.sqrt())
        variance.copy_(spread * (0.5 + torch.rand(variance.shape, generator=random)))

    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    hooks = [norm.register_forward_pre_hook(fit) for norm in norms]
    try:
        model(example)
    finally:
        for hook in hooks:
            hook.remove()
