"""Other weights and pictures to hold a reading to, where the network's own leave calls of it without effect."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def wake(twin: nn.Module) -> bool:
    """Give numbers to weights that are zero as a whole, biases aside: what a residual branch is scaled by at the start
    of a training closes it, and what is inside makes no difference to what comes behind. True where there were any."""
    random = torch.Generator().manual_seed(0)
    named = [(name, weight) for name, weight in twin.named_parameters() if weight.is_floating_point()]
    asleep = [weight for name, weight in named if not name.endswith("bias") and weight.numel() and not weight.any()]
    for weight in asleep:
        weight.copy_(_few(weight.shape, random))
    return bool(asleep)


def turn(twin: nn.Module, seed: int) -> None:
    """Turn the signs of the weights, of all of them first, then of units at random, and wake those that are zero: the
    sizes stay as they were."""
    random = torch.Generator().manual_seed(seed)
    for weight in twin.parameters():
        if weight.is_floating_point() and weight.numel():
            shape = (len(weight), *(1,) * (weight.dim() - 1)) if weight.dim() else ()
            signs = torch.randint(1 if seed == 1 else 2, shape, generator=random).mul(2).sub(1).to(weight)
            asleep = weight == 0
            weight.mul_(signs)
            # No numbers for weights that are awake: dense layers have a hundred million of them.
            weight.masked_scatter_(asleep, _few((int(asleep.sum()),), random).to(weight))


def turned(pictures: Tensor, seed: int) -> Tensor:
    """Other pictures out of these: turned in sign and in space, at another scale."""
    return pictures.flip(seed % 2 + 2) * (-2.0) ** seed


def _few(shape: Sequence[int], random: torch.Generator) -> Tensor:
    """Numbers from -0.5 to 0.5."""
    return torch.rand(tuple(shape), generator=random, dtype=torch.float64).sub(0.5)
