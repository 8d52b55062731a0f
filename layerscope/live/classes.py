"""What a network takes a picture for: the first classes of its classifier."""

import torch
from jaxtyping import Float32
from torch import Tensor

from layerscope.core.live import Top

FIRST = 5


def first_classes(values: Float32[Tensor, " classes"], names: tuple[str, ...]) -> Top:
    """The five likeliest classes. values: before the softmax. names: or none, then numbers stand in."""
    shares = torch.softmax(values, 0)
    order = shares.argsort(descending=True, stable=True)[:FIRST].tolist()
    return tuple((names[index] if names else str(index), float(shares[index])) for index in order)
