"""Normalisation: batch norm, a linear map once trained; and the local response normalisation of the first CNNs."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.rules import Rule, adjoint
from layerscope.graph.ops.table import Op, pointwise

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


def _response_range(call: Call, inputs: tuple[Range, ...]) -> Range:
    """A value is divided by (k + a sum of squares) to the power beta: by k to that power at least."""
    if call["k"] <= 0 or call["alpha"] < 0 or call["beta"] < 0:
        return ANYTHING
    least = call["k"] ** call["beta"]
    return Range(min(inputs[0].low / least, 0.0), max(inputs[0].high / least, 0.0))


def _maps() -> Tensor:
    return torch.linspace(-3, 9, 2 * 4 * 5 * 4, dtype=torch.float64).sin().reshape(2, 4, 5, 4) * 3


def _batch_norm_samples() -> Iterator[Sample]:
    statistics = [torch.tensor(values, dtype=torch.float64) for values in ([0.1, 2, -1, 0], [1, 0.5, 2, 3.0])]
    learned = [torch.tensor(values, dtype=torch.float64) for values in ([1.5, -1, 0.3, 2], [0, 1, -1, 0.5])]
    target = aten._native_batch_norm_legit_no_training.default
    yield Sample(target, (_maps(),), (NodeInput(0), *learned, *statistics, 0.1, 1e-5))
    yield Sample(target, (_maps(),), (NodeInput(0), None, None, *statistics, 0.1, 1e-3))


def _response_samples() -> Iterator[Sample]:
    yield Sample(local_response_norm, (_maps(),), (NodeInput(0), 3, 0.5, 0.75, 2.0))
    yield Sample(local_response_norm, (_maps(),), (NodeInput(0), 5, 1e-4, 0.75, 1.0))


ROWS = (
    Op(
        name="batch_norm",
        sentence="batch normalisation in evaluation: a factor and a shift for each channel",
        targets=(aten._native_batch_norm_legit_no_training.default,),
        window=pointwise,
        samples=_batch_norm_samples,
        linear=True,
        role="normalisation",
        gradient=adjoint(_batch_norm_back),
    ),
    Op(
        name="local_response_norm",
        sentence="a value over a power of its neighbouring channels' squares",
        targets=(local_response_norm,),
        window=pointwise,
        samples=_response_samples,
        linear=False,
        role="normalisation",
        range=_response_range,
        rules={"deconvnet": Rule(_pass_through), "guided": Rule(_pass_through)},
    ),
)
