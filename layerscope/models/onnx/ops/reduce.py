"""Reductions: one number in the place of all along some axes."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

# The opset from which on the axes are an input.
_SUM_SINCE, _SINCE = 13, 18


def _reduced(function: Callable[..., Tensor], since: int = _SINCE) -> Callable[[OnnxCall], Computed]:
    return partial(_read, function=function, since=since)


def _read(call: OnnxCall, *, function: Callable[..., Tensor], since: int) -> Computed:
    axes = call.axes(1, since)
    if not axes:
        if call.given("noop_with_empty_axes", 0):
            return Computed(by=None)
        axes = list(range(call.rank()))
    places = tuple(sorted(axis % call.rank() for axis in axes))
    if function is mean and call.rank() == 4 and places == (2, 3) and call.given("keepdims", 1):
        # How exporters write the pool of a whole map.
        return Computed(by=nn.AdaptiveAvgPool2d(1))
    return Computed(by=partial(function, axes=places, kept=bool(call.given("keepdims", 1))))


def mean(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.mean(list(axes), keepdim=kept)


def total(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.sum(list(axes), keepdim=kept)


def largest(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.amax(list(axes), keepdim=kept)


def smallest(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.amin(list(axes), keepdim=kept)


def length(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return torch.linalg.vector_norm(x, dim=list(axes), keepdim=kept)


def sum_of_sizes(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.abs().sum(list(axes), keepdim=kept)


def sum_of_squares(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return (x * x).sum(list(axes), keepdim=kept)


def logarithm_of_sum(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return x.sum(list(axes), keepdim=kept).log()


def logarithm_of_exponentials(x: Tensor, *, axes: Sequence[int], kept: bool) -> Tensor:
    return torch.logsumexp(x, list(axes), keepdim=kept)


def _product(call: OnnxCall) -> Computed:
    raise Unread("multiplies all numbers along axes, which no layer does")


ROWS = (
    OnnxOperator(name="ReduceMean", read=_reduced(mean)),
    OnnxOperator(name="ReduceSum", read=_reduced(total, _SUM_SINCE)),
    OnnxOperator(name="ReduceMax", read=_reduced(largest)),
    OnnxOperator(name="ReduceMin", read=_reduced(smallest)),
    OnnxOperator(name="ReduceL1", read=_reduced(sum_of_sizes)),
    OnnxOperator(name="ReduceL2", read=_reduced(length)),
    OnnxOperator(name="ReduceSumSquare", read=_reduced(sum_of_squares)),
    OnnxOperator(name="ReduceLogSum", read=_reduced(logarithm_of_sum)),
    OnnxOperator(name="ReduceLogSumExp", read=_reduced(logarithm_of_exponentials)),
    OnnxOperator(name="ReduceProd", read=_product),
)
