"""What rounding alone does to a network: how far its values move when its picture moves by units of the last place.

Deep networks with weights that nobody trained can be so steep that the last digit of a picture is seen in the fifth of
a layer. Two runs that round in another order differ there by as much, and neither is wrong.
"""

import numpy as np

# Units of the last place by which a picture is moved, and how many times what comes of it two orders of rounding may
# differ: each operation rounds, not the picture alone.
UNITS, TIMES = 4, 10


def moved(x: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    """A picture whose numbers are some units of the last place of a type away from what they were."""
    signs = np.random.default_rng(1).choice([-1.0, 1.0], x.shape)
    return (x * (1 + UNITS * np.finfo(dtype).eps * signs)).astype(x.dtype)


def allowed(before: np.ndarray, after: np.ndarray, scale: float) -> float:
    """How far two runs may differ, as a share of a scale: from what moving the picture changed."""
    found = TIMES * float(np.abs(after - before).max()) / scale if scale else 0.0
    return found if np.isfinite(found) else 0.0
