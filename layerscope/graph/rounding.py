"""What rounding may do to a network's values: far more in one than in another.

Networks with weights that nobody trained can be so steep that the last bit of a picture is seen in the fifth digit of a
layer. There, two runs that round in another order differ by as much, and neither is wrong. So before a difference is
called a fault, the pictures are moved by some units of their last place, and it is seen how far the values move.
"""

from math import isfinite

import torch
from torch import Tensor

from layerscope.graph.in_step import gap, values
from layerscope.graph.runner import Carrier

# Units of the last place by which pictures are moved, and how many times what comes of it two orders of rounding may
# differ: each operation rounds, not the pictures alone.
UNITS = 4.0
TIMES = 10.0
# Beyond this share nothing is proved.
MOST = 1e-3


def allowed(program: Carrier, pictures: Tensor, nodes: set[int]) -> dict[int, float]:
    """By node, how far two runs of a program may differ by rounding, as a share of its largest magnitude."""
    signs = torch.randint(2, pictures.shape, generator=torch.Generator().manual_seed(1)).mul(2).sub(1).to(pictures)
    moved = pictures * (1 + UNITS * torch.finfo(program.dtype).eps * signs)
    pairs = zip(values(program, pictures, nodes), values(program, moved, nodes), strict=True)
    apart = {node: TIMES * gap(other, value) for (node, value), (_, other) in pairs}
    return {node: min(found, MOST) for node, found in apart.items() if isfinite(found)}
