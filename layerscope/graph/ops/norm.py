"""Normalisation: batch norm, a linear map once trained; and the local response normalisation of the first CNNs."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.graph.ops.table import Call, Op, Sample, Source, pointwise

aten = torch.ops.aten

# ATen has no such operation: exporting takes it apart, and tracing puts it together again under this name.
_library = torch.library.Library("layerscope", "DEF")
_library.define("local_response_norm(Tensor input, int size, float alpha, float beta, float k) -> Tensor")
_library.impl("local_response_norm", F.local_response_norm, "CompositeImplicitAutograd")
local_response_norm = torch.ops.layerscope.local_response_norm.default


def _batch_norm_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The linear map that batch norm is in evaluation: one factor per channel; no shift on the way back."""
    factor = torch.rsqrt(call["running_var"] + call["eps"])
    if call["weight"] is not None:
        factor = factor * call["weight"]
    return (signal * factor.reshape(1, -1, *(1,) * (signal.dim() - 2)),)


def _pass_through(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Deconvnet and guided leave the normalisation out (Mahendran & Vedaldi 2016 read the paper so)."""
    return (signal,)


def _maps() -> Tensor:
    return torch.linspace(-3, 9, 2 * 4 * 5 * 4, dtype=torch.float64).sin().reshape(2, 4, 5, 4) * 3


def _batch_norm_samples() -> Iterator[Sample]:
    statistics = [torch.tensor(values, dtype=torch.float64) for values in ([0.1, 2, -1, 0], [1, 0.5, 2, 3.0])]
    learned = [torch.tensor(values, dtype=torch.float64) for values in ([1.5, -1, 0.3, 2], [0, 1, -1, 0.5])]
    target = aten._native_batch_norm_legit_no_training.default
    yield Sample(target, (_maps(),), (Source(0), *learned, *statistics, 0.1, 1e-5))
    yield Sample(target, (_maps(),), (Source(0), None, None, *statistics, 0.1, 1e-3))


def _response_samples() -> Iterator[Sample]:
    yield Sample(local_response_norm, (_maps(),), (Source(0), 3, 0.5, 0.75, 2.0))
    yield Sample(local_response_norm, (_maps(),), (Source(0), 5, 1e-4, 0.75, 1.0))


ROWS = (
    Op(
        name="batch_norm",
        targets=(aten._native_batch_norm_legit_no_training.default,),
        window=pointwise,
        samples=_batch_norm_samples,
        linear=True,
        gradient=_batch_norm_back,
    ),
    Op(
        name="local_response_norm",
        targets=(local_response_norm,),
        window=pointwise,
        samples=_response_samples,
        linear=False,
        deconvnet=_pass_through,
        guided=_pass_through,
    ),
)
