"""What PyTorch has no 16-bit kernel for on some device is computed in float32 and rounded at the end.

On the CPU that is, for one, the pooling inside local response normalisation. Which operations these are is learned
from PyTorch's own refusal, once for each, so that a release that brings the kernel is used as it is.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

NARROW = (torch.float16, torch.bfloat16)

_lacking: set[tuple[OpOverload, torch.dtype, str]] = set()


def computed(target: Any, args: Mapping[str, Any], like: Tensor | None) -> Any:
    """What an operation gives on these arguments; in float32, rounded, where it has no kernel for the dtype of `like`,
    the first of them that is a map."""
    # The input of a call without a row is perhaps several tensors.
    if not isinstance(like, Tensor) or like.dtype not in NARROW:
        return target(**args)
    met = (target, like.dtype, like.device.type)
    if met not in _lacking:
        try:
            return target(**args)
        except NotImplementedError as error:
            if "not implemented for" not in str(error):
                raise
            _lacking.add(met)
    return _each(target(**_each(args, torch.float32)), like.dtype)


def _each(value: Any, dtype: torch.dtype) -> Any:
    """The floating tensors in a value in another dtype, and whatever else it holds as it is."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, Mapping):
        return {name: _each(part, dtype) for name, part in value.items()}
    return type(value)(_each(part, dtype) for part in value) if isinstance(value, tuple | list) else value
