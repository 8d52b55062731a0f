"""How the program's own calls compute: without gradients, and in all of float32's digits.

cuDNN's convolutions use TF32 unless told otherwise, which keeps ten of a number's 23 bits: peaks would not be those of
a processor, nor those of another GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Convolutions and products: whose switch, what it is called, and what it is without TF32. PyTorch 2.9 renamed them, and
# refuses to read the old ones where convolutions and recurrent networks differ.
_OLD = ((torch.backends.cudnn, "allow_tf32", False), (torch.backends.cuda.matmul, "allow_tf32", False))
_CONV: Any = getattr(torch.backends.cudnn, "conv", None)
SWITCHES: tuple[tuple[Any, str, Any], ...] = (
    ((_CONV, "fp32_precision", "ieee"), (torch.backends.cuda.matmul, "fp32_precision", "ieee")) if _CONV else _OLD
)


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Inside, calls on this device compute so; what a user has set is put back behind it."""
    with torch.no_grad():
        if device.type != "cuda":
            yield
            return
        before = [getattr(owner, name) for owner, name, _ in SWITCHES]
        try:
            for owner, name, full in SWITCHES:
                setattr(owner, name, full)
            yield
        finally:
            for (owner, name, _), value in zip(SWITCHES, before, strict=True):
                setattr(owner, name, value)
