"""Normalisation: batch norm, a linear map once trained; and the local response normalisation of the first CNNs."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.graph.ops.calls import Call, NodeInput, Sample
from layerscope.graph.ops.ranges import ANYTHING, Range
from layerscope.graph.ops.rules import HeldGates, Rule, adjoint, holding
from layerscope.graph.ops.table import Op, pointwise

aten = torch.ops.aten

# ATen has no such operation: exporting takes it apart, and tracing puts it together again under this name.
_library = torch.library.Library("layerscope", "DEF")
_library.define("local_response_norm(Tensor input, int size, float alpha, float beta, float k) -> Tensor")
_library.impl("local_response_norm", F.local_response_norm, "CompositeImplicitAutograd")
local_response_norm = torch.ops.layerscope.local_response_norm.default


def _batch_norm_back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The linear map that batch norm is in evaluation: one factor per channel; no shift on the way back."""
    return (signal * _factor(call).reshape(1, -1, *(1,) * (signal.dim() - 2)),)


def _factor(call: Call) -> Tensor:
    factor = torch.rsqrt(call["running_var"] + call["eps"])
    return factor if call["weight"] is None else factor * call["weight"]


def _shift(call: Call) -> Tensor:
    """What batch norm makes of nothing."""
    shift = -call["running_mean"] * _factor(call)
    shift = shift if call["bias"] is None else shift + call["bias"]
    return shift.reshape(1, -1, *(1,) * (len(call.shape) - 1))


def _over_neighbours(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """The power that each number was divided by, its neighbours counting as constants."""
    (x,) = call.tensors
    size = call["size"]
    squares = F.pad(x.square().flatten(2).transpose(1, 2), (size // 2, (size - 1) // 2))
    mean = squares.unfold(2, size, 1).mean(3).transpose(1, 2).reshape(x.shape)
    return (signal * (call["k"] + call["alpha"] * mean).pow(-call["beta"]),)


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
        held=HeldGates(beside=_shift),
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
        held=HeldGates(holding(_over_neighbours), note="the neighbours' squares count as constants"),
    ),
)
