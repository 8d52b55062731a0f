"""The random weights that wake a network up: none of them is a one or a zero, as a fresh module's are."""

import torch
from torch import Tensor, nn

FILTERS = (nn.Conv2d, nn.Linear, nn.ConvTranspose2d, nn.Conv1d)
# What multiplies, and perhaps adds, a number for each channel or place.
SCALED = (nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.RMSNorm, nn.PReLU)


def randomise(model: nn.Module, seed: int, example: Tensor | None = None) -> nn.Module:
    """Seeded random weights, biases, slopes and batch-norm statistics, in place; returns the model, in eval mode.

    Weights are scaled as He et al. (2015), so that depth neither blows activations up nor lets them fade. With an
    `example` input each batch norm's running statistics are drawn around those of what it is given: networks with
    many residual sums, or with ReLU6, stay well spread then.
    """
    random = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, FILTERS):
            fan_in = module.weight[0].numel()
            _fill(module.weight, torch.randn(module.weight.shape, generator=random) * (2 / fan_in) ** 0.5)
            if module.bias is not None:
                _fill(module.bias, torch.randn(module.bias.shape, generator=random) * 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            _randomise_norm(module, random)
        elif isinstance(module, SCALED) and module.weight is not None:
            _fill(module.weight, 0.5 + torch.rand(module.weight.shape, generator=random))
            if getattr(module, "bias", None) is not None:
                _fill(module.bias, 0.3 * torch.randn(module.bias.shape, generator=random))
    model.eval()
    if example is not None:
        _match_statistics(model, example)
    return model


def _fill(tensor: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        tensor.copy_(values)


def _randomise_norm(norm: nn.BatchNorm2d, random: torch.Generator) -> None:
    shape = norm.weight.shape
    assert norm.running_mean is not None and norm.running_var is not None
    _fill(norm.weight, 0.5 + torch.rand(shape, generator=random))
    _fill(norm.bias, 0.3 * torch.randn(shape, generator=random))
    _fill(norm.running_mean, 0.3 * torch.randn(shape, generator=random))
    _fill(norm.running_var, 0.5 + torch.rand(shape, generator=random))


def _match_statistics(model: nn.Module, example: Tensor) -> None:
    """Moves and scales each batch norm's random statistics to those of its input, one forward pass for all."""

    def match(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None and norm.running_var is not None
        mean, variance = given[0].mean((0, 2, 3)), given[0].var((0, 2, 3)) + 1e-6
        _fill(norm.running_mean, mean + norm.running_mean * variance.sqrt())
        _fill(norm.running_var, variance * norm.running_var)

    hooks = [m.register_forward_pre_hook(match) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        model(example)
    for hook in hooks:
        hook.remove()
