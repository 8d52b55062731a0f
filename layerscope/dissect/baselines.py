"""What the score gives where there is nothing to find: units joined with the wrong pictures, and mixed with each other.

*Shuffled masks*: every image gets the masks of another one, so that only what all images have in common (objects in
the middle, frequent concepts) can still agree. *Random mixtures*: the same activations in a random rotated basis, so
that the layer as a whole is as able as before, but no single direction is a unit of the network (Bau et al. 2017,
section 3.2). The *untrained network* needs no code of its own: it is another set of weights.
"""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor


def derangement(count: int, seed: int) -> Int64[np.ndarray, " count"]:
    """A seeded order in which no place keeps its own number: one cycle through all (Sattolo). count: at least 2."""
    rng = np.random.default_rng([seed, count])
    order = np.arange(count)
    for place in range(count - 1, 0, -1):
        other = rng.integers(place)
        order[[place, other]] = order[[other, place]]
    return order


def rotation(units: int, seed: int) -> Float32[Tensor, "u u"]:
    """A seeded random rotation or reflection, evenly spread over all of them (Mezzadri 2007)."""
    drawn = np.random.default_rng([seed, units]).standard_normal((units, units))
    basis, upper = np.linalg.qr(drawn)
    return torch.from_numpy((basis * np.sign(np.diag(upper))).astype(np.float32))
