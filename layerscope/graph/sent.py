"""A batch sent to the device that computes, while the host goes on.

A GPU copies from pinned memory by itself, in the order of its calls; from other memory the host waits for the copy.
"""

import torch
from torch import Tensor


def sent(x: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The same numbers on a device and in a dtype. To a GPU the copy may still be under way; what is called on it comes
    behind."""
    if device.type != "cuda" or x.device.type != "cpu":
        return x.to(device, dtype)
    # Made another dtype there: the host would wait while it is done here.
    return _pinned(x).to(device, non_blocking=True).to(dtype)


def _pinned(x: Tensor) -> Tensor:
    return x.pin_memory() if torch.cuda.is_available() else x
