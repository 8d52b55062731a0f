"""What has filters to learn: convolutions, transposed convolutions, dense layers."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.models.onnx.calls import OnnxCall, Unread
from layerscope.models.onnx.ops.padding import margins, padding, symmetric
from layerscope.models.onnx.ops.table import Computed, OnnxOperator

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def _conv(call: OnnxCall) -> Computed:
    rank = call.rank(1) - 2
    if rank not in _CONVOLUTIONS:
        raise Unread(f"convolves {rank} dimensions")
    kernel = list(call.shape(1)[2:])
    strides, dilations = (tuple(call.given(name, [1] * rank)) for name in ("strides", "dilations"))
    pads = margins(call, kernel, strides, dilations)
    even, groups = symmetric(pads), call.given("group", 1)
    before = padding(pads, kernel, strides, dilations) if even is None else None
    weight, bias = call.weight(1), call.weight(2)
    if weight is None or (call.has(2) and bias is None):
        by = partial(
            convolved, stride=strides, padding=tuple(even or [0] * rank), dilation=dilations, groups=groups, rank=rank
        )
        return Computed(by=by, inputs=(0, 1, 2) if call.has(2) else (0, 1), before=before)
    out, each = weight.shape[:2]
    made = _CONVOLUTIONS[rank](
        each * groups, out, tuple(kernel), strides, tuple(even or [0] * rank), dilations, groups,
        bias=bias is not None, device="meta",
    )  # fmt: skip
    return Computed(by=filled(made, weight, bias), before=before)


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, rank: int, **geometry: Any) -> Tensor:
    """A convolution with weights that are computed."""
    return (F.conv1d, F.conv2d, F.conv3d)[rank - 1](x, weight, bias, **geometry)


def _conv_transpose(call: OnnxCall) -> Computed:
    weight, bias, rank = call.weight(1), call.weight(2), call.rank(1) - 2
    if rank not in _TRANSPOSED:
        raise Unread(f"convolves {rank} dimensions")
    if weight is None or (call.has(2) and bias is None):
        raise Unread("takes its filters from the picture, where only constants are known")
    kernel = list(weight.shape[2:])
    strides, dilations = (list(call.given(name, [1] * rank)) for name in ("strides", "dilations"))
    extra, pads = list(call.given("output_padding", [0] * rank)), _transposed_margins(call, kernel, strides, dilations)
    sides, cut = [0] * rank, [(0, 0)] * rank
    for axis, (first, last) in enumerate(zip(pads[:rank], pads[rank:], strict=True)):
        longer = extra[axis] + first - last
        # A margin that is smaller at the end is an output that is longer at the end, as far as torch has that.
        if first >= 0 and extra[axis] <= longer < max(strides[axis], dilations[axis]):
            sides[axis], extra[axis] = first, longer
        elif min(first, last) < 0:
            raise Unread(f"has margins {pads}, where none can be below zero")
        else:
            sides[axis] = min(first, last)
            cut[axis] = (first - sides[axis], last - sides[axis])
    groups = call.given("group", 1)
    made = _TRANSPOSED[rank](
        weight.shape[0], weight.shape[1] * groups, tuple(kernel), tuple(strides), tuple(sides), tuple(extra), groups,
        bias=bias is not None, dilation=tuple(dilations), device="meta",
    )  # fmt: skip
    after = partial(cropped, sides=tuple(cut)) if any(map(any, cut)) else None
    return Computed(by=filled(made, weight, bias), after=after)


def cropped(x: Tensor, *, sides: Sequence[tuple[int, int]]) -> Tensor:
    """A map without so many places at the beginning and the end of its last axes."""
    rank = x.dim() - len(sides)
    for axis, (first, last) in enumerate(sides):
        size = x.shape[rank + axis]
        x = x.narrow(rank + axis, first, size - first - last) if first or last else x
    return x


def _transposed_margins(call: OnnxCall, kernel: list[int], strides: list[int], dilations: list[int]) -> list[int]:
    """What is cut off at the beginnings and ends of what a transposed convolution gives."""
    rank, word, wanted = len(kernel), call.given("auto_pad", "NOTSET"), call.given("output_shape")
    extra = call.given("output_padding", [0] * rank)
    if wanted is None and word not in ("SAME_UPPER", "SAME_LOWER"):
        return list(call.given("pads", [0] * 2 * rank)) if word in ("NOTSET", "") else [0] * 2 * rank
    begin, end = [], []
    for axis, size in enumerate(call.shape(0)[2:]):
        whole = (size - 1) * strides[axis] + extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        cut = whole - (wanted[-rank:][axis] if wanted else size * strides[axis])
        # What is wanted beyond the whole stands at the end.
        small, large = (cut // 2, cut - cut // 2) if cut >= 0 else (0, cut)
        begin.append(small if word == "SAME_UPPER" or cut < 0 else large)
        end.append(large if word == "SAME_UPPER" or cut < 0 else small)
    return begin + end


def _gemm(call: OnnxCall) -> Computed:
    weight, bias = call.weight(1), call.weight(2)
    alpha, beta = call.given("alpha", 1.0), call.given("beta", 1.0)
    turned = bool(call.given("transA", 0)), bool(call.given("transB", 0))
    plain = not turned[0] and weight is not None and not (call.has(2) and bias is None)
    if not plain or (bias is not None and (bias.dim() > 1 and bias.shape[0] != 1)):
        inputs = (0, 1, 2) if call.has(2) else (0, 1)
        return Computed(by=partial(general, alpha=alpha, beta=beta, turned=turned), inputs=inputs)
    assert weight is not None
    weight = alpha * (weight if turned[1] else weight.t())
    if bias is not None:
        bias = beta * bias.reshape(-1).expand(weight.shape[0])
    return Computed(by=dense(weight, bias))


def general(
    a: Tensor, b: Tensor, c: Tensor | None = None, *, alpha: float, beta: float, turned: Sequence[bool]
) -> Tensor:
    """alpha times the product of two matrices, either of them turned, and beta times a third."""
    product = torch.matmul(a.t() if turned[0] else a, b.t() if turned[1] else b)
    product = product if alpha == 1 else alpha * product
    return product if c is None else product + (c if beta == 1 else beta * c)


def _matmul(call: OnnxCall) -> Computed:
    weight = call.weight(1)
    if weight is not None and weight.dim() == 2:
        # A third input is the bias that was found behind it.
        return Computed(by=dense(weight.t(), call.weight(2)))
    return Computed(by=partial(product), inputs=(0, 1))


def product(a: Tensor, b: Tensor) -> Tensor:
    """The product of matrices."""
    return torch.matmul(a, b)


def dense(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A dense layer of these numbers: weight[out, in], bias[out]."""
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    return filled(made, weight, bias)


def filled(made: Any, weight: Tensor, bias: Tensor | None) -> Any:
    """A module with these numbers in the place of its own."""
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=weight.is_floating_point())
    if bias is not None:
        made.bias = nn.Parameter(bias.contiguous(), requires_grad=bias.is_floating_point())
    return made


ROWS = (
    OnnxOperator(name="Conv", read=_conv),
    OnnxOperator(name="ConvTranspose", read=_conv_transpose),
    OnnxOperator(name="Gemm", read=_gemm),
    OnnxOperator(name="MatMul", read=_matmul),
)
