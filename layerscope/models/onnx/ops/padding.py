"""Margins as ONNX writes them: all beginnings, then all ends; or by word, so that the map is divided by the stride."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from layerscope.models.onnx.calls import OnnxCall, Unread


def margins(call: OnnxCall, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> list[int] | str:
    """Beginnings and ends, or "SAME_UPPER" or "SAME_LOWER" where they depend on the map's size. Raises Unread."""
    word = call.given("auto_pad", "NOTSET")
    if word in ("NOTSET", ""):
        return list(call.given("pads", [0] * 2 * len(kernel)))
    if word == "VALID":
        return [0] * 2 * len(kernel)
    if word not in ("SAME_UPPER", "SAME_LOWER"):
        raise Unread(f'has auto_pad="{word}", which means nothing')
    reach = [(size - 1) * dilation for size, dilation in zip(kernel, dilations, strict=True)]
    if all(stride == 1 and total % 2 == 0 for stride, total in zip(strides, reach, strict=True)):
        return [total // 2 for total in reach] * 2
    return str(word)


def symmetric(pads: list[int] | str) -> list[int] | None:
    """The margins of each axis where both sides have the same, none negative."""
    if isinstance(pads, str):
        return None
    half = len(pads) // 2
    return pads[:half] if pads[:half] == pads[half:] and min(pads, default=0) >= 0 else None


def padding(pads: list[int] | str, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
            value: float = 0.0) -> partial[Any]:  # fmt: skip
    """What puts such margins around a map."""
    if isinstance(pads, str):
        sizes = tuple(zip(kernel, strides, dilations, strict=True))
        return partial(pad_same, windows=sizes, upper=pads == "SAME_UPPER", value=value)
    half = len(pads) // 2
    return partial(pad, sides=tuple(zip(pads[:half], pads[half:], strict=True)), value=value)


def pad(x: Tensor, *, sides: Sequence[tuple[int, int]], value: float) -> Tensor:
    """A constant around the last axes; sides: (beginning, end) of each, the first axis first."""
    return F.pad(x, [size for side in reversed(sides) for size in side], value=value)


def pad_same(x: Tensor, *, windows: Sequence[tuple[int, int, int]], upper: bool, value: float) -> Tensor:
    """A constant around the last axes: windows of (size, step, dilation) are as many then as steps in the map."""
    return pad(x, sides=same_sides(x.shape[-len(windows) :], windows, upper), value=value)


def same_sides(sizes: Sequence[int], windows: Sequence[tuple[int, int, int]], upper: bool) -> list[tuple[int, int]]:
    """(beginning, end) of each axis; an odd one out stands at the end (upper) or at the beginning."""
    found = []
    for size, (kernel, stride, dilation) in zip(sizes, windows, strict=True):
        total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        found.append((small, large) if upper else (large, small))
    return found
