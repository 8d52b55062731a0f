"""Full-image projections by autograd on the user's eager model: slow, plain, and sharing no code with the package.

The model runs once under a ``TorchFunctionMode`` that puts every form of ReLU (module, functional, method, in-place),
smooth activations, gates and normalisations in the hands of an autograd Function whose backward follows the wanted
method (those other than ReLUs stand in tests/helpers/ways.py). All else is autograd's own backward: max pooling goes
through the switches and overlapping windows add, biases stay out, batch norm is its linear map. A projection starts
from the activation's own value, zero elsewhere.

In-place calls stay in place, so a model that relies on the overwritten value computes what it always computes; what a
layer gave is kept as a clone, taken before anything can overwrite it.
"""

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tests.helpers import ways
from tests.helpers.ways import Course

METHODS = ("deconvnet", "guided", "gradient")


class Rectify(torch.autograd.Function):
    """min(max(x, slope * x), ceiling), with the way back that the course's method asks for."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Any, ceiling: float, inplace: bool, course: Course) -> Tensor:
        ctx.slope, ctx.course = slope, course
        ctx.open = (x > 0) & (x < ceiling)
        result = torch.where(x > 0, x, slope * x).clamp(max=ceiling)
        if not inplace:
            return result
        ctx.mark_dirty(x)
        return x.copy_(result)

    @staticmethod
    def backward(ctx: Any, *signals: Tensor) -> tuple[Tensor | None, ...]:
        (signal,) = signals
        if ctx.course.start is not ctx:
            if ctx.course.method in ("deconvnet", "guided"):
                signal = torch.where(signal > 0, signal, ctx.slope * signal)
            if ctx.course.method in ("guided", "gradient"):
                signal = torch.where(ctx.open, signal, ctx.slope * signal)
        return signal, None, None, None, None


def _relu(input: Tensor, inplace: bool = False) -> tuple:
    return input, 0.0, math.inf, inplace


def _relu6(input: Tensor, inplace: bool = False) -> tuple:
    return input, 0.0, 6.0, inplace


def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> tuple | None:
    return (input, 0.0, float(max_val), inplace) if min_val == 0 else None


def _clamp(input: Tensor, min: float | None = None, max: float | None = None) -> tuple | None:
    return (input, 0.0, math.inf if max is None else float(max), False) if min == 0 else None


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> tuple:
    return input, float(negative_slope), math.inf, inplace


def _prelu(input: Tensor, weight: Tensor) -> tuple:
    return input, weight.view(-1, *(1,) * (input.dim() - 2)), math.inf, False


def _in_place(form: Callable[..., tuple]) -> Callable[..., tuple]:
    return lambda *args, **kwargs: (*form(*args, **kwargs)[:3], True)


# Every way of calling a ReLU that eager PyTorch has; _assert_all_caught finds one that is missing here. None: a call
# that is none.
RECTIFIERS: dict[Callable, Callable[..., tuple | None]] = {
    functional.relu: _relu,
    torch.relu: _relu,
    Tensor.relu: _relu,
    torch.relu_: _in_place(_relu),
    Tensor.relu_: _in_place(_relu),
    functional.relu6: _relu6,
    functional.hardtanh: _hardtanh,
    functional.hardtanh_: _in_place(_hardtanh),
    functional.leaky_relu: _leaky_relu,
    functional.leaky_relu_: _in_place(_leaky_relu),
    **dict.fromkeys((torch.prelu, functional.prelu, Tensor.prelu), _prelu),
    **dict.fromkeys((torch.clamp, Tensor.clamp), _clamp),
}
UNCAUGHT = (
    "ReluBackward",
    "HardtanhBackward",
    "LeakyReluBackward",
    "PreluKernelBackward",
    "ThresholdBackward",
    "Clamp",
    *ways.UNCAUGHT,
)


@dataclass(frozen=True)
class Kept:
    """One layer's output, still in autograd's graph, and the ReLU that made it, if one did."""

    output: Tensor
    maker: object | None


def _keep(output: Tensor) -> Kept:
    # autograd's node of a Function is the ctx that its forward and backward are given
    maker = output.grad_fn if getattr(output.grad_fn, "_forward_cls", None) is Rectify else None
    with torch._C.DisableTorchFunction():
        return Kept(output.clone(), maker)


class Interception(TorchFunctionMode):
    """Replaces ReLUs and local response normalisation; keeps what each call returned when asked to."""

    def __init__(self, course: Course, calls: list[Kept] | None) -> None:
        super().__init__()
        self.course, self.calls = course, calls

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = self._call(func, args, kwargs or {})
        for part in result if isinstance(result, tuple | list) else (result,):
            if self.calls is not None and isinstance(part, Tensor) and part.requires_grad:
                self.calls.append(_keep(part))
        return result

    def _call(self, func: Any, args: tuple, kwargs: dict) -> Any:
        rectifier = RECTIFIERS[func](*args, **kwargs) if func in RECTIFIERS else None
        if rectifier is not None:
            return Rectify.apply(*rectifier, self.course)
        return ways.called(func, args, kwargs, self.course)


def frozen_copy(model: nn.Module) -> nn.Module:
    """A copy in eval mode that shares the weights' memory (VGG-16 in float64 is 1.1 GB) but asks no gradients."""
    shared: dict[int, object] = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in model.parameters()}
    shared |= {id(b): b for b in model.buffers()}
    return copy.deepcopy(model, shared).eval()


class Reference:
    """One image's way through a model, and the way back from any layer.

    model: the user's, left as it is. image: [c, h, w], in the model's dtype. names: the layers to keep, as module
    paths (``relu@2`` is the second call of ``relu``); None keeps every module and every function call.
    """

    def __init__(self, model: nn.Module, image: Float64[np.ndarray, "c h w"], names: Iterable[str] | None = None):
        self.kept: dict[str, Kept] = {}
        self.calls: list[Kept] = []
        self._course = Course()
        self._leaf = torch.tensor(image)[None].requires_grad_()
        wanted = None if names is None else set(names)
        replica = frozen_copy(model)
        self._hook(replica, wanted)
        with torch.enable_grad(), Interception(self._course, self.calls if wanted is None else None):
            # a clone, since a first in-place operation must not meet the leaf itself
            result = replica(self._leaf.clone())
        _assert_all_caught(result)

    def _hook(self, replica: nn.Module, wanted: set[str] | None) -> None:
        times: Counter[str] = Counter()

        def keep(path: str, output: Any) -> None:
            times[path] += 1
            name = path if times[path] == 1 else f"{path}@{times[path]}"
            if isinstance(output, Tensor) and (wanted is None or name in wanted):
                self.kept[name] = _keep(output)

        for path, module in replica.named_modules():
            if path:
                module.register_forward_hook(lambda _module, _args, output, path=path: keep(path, output))

    def activation(self, name: str) -> Float64[np.ndarray, "units *map"]:
        """What the layer gave: [units, rows, cols], or [units] of a dense layer."""
        return self.kept[name].output[0].detach().numpy()

    def project(self, name: str, *, unit: int, row: int = 0, col: int = 0, method: str) -> Float64[np.ndarray, "c h w"]:
        """The activation at one place, carried back to the input plane by the method."""
        return self._back(self.kept[name], unit, row, col, method)

    def project_like(
        self, activation: Float64[np.ndarray, "units *map"], *, unit: int, row: int = 0, col: int = 0, method: str
    ) -> Float64[np.ndarray, "c h w"]:
        """The same for a layer without a module: the first function call that returned these very activations."""
        kept = self.call_like(activation)
        assert kept is not None, "no call of the eager model returned these activations"
        return self._back(kept, unit, row, col, method, activation.shape)

    def call_like(self, activation: Float64[np.ndarray, "units *map"]) -> Kept | None:
        """The first function call that returned these activations, if one did; of those of this very shape, or else of
        those with the same numbers in the same order."""
        alike = [kept for kept in self.calls if kept.output[0].numel() == activation.size]
        for kept in sorted(alike, key=lambda kept: kept.output.shape[1:] != activation.shape):
            found = kept.output[0].detach().numpy().reshape(activation.shape)
            if np.allclose(found, activation, rtol=1e-10, atol=1e-12):
                return kept
        return None

    def _back(
        self, kept: Kept, unit: int, row: int, col: int, method: str, shape: tuple[int, ...] | None = None
    ) -> Float64[np.ndarray, "c h w"]:
        """shape: what the place is one of, where the call returned the same numbers in another shape."""
        assert method in METHODS
        self._course.method, self._course.start = method, kept.maker
        values = kept.output[0].detach().reshape(shape or kept.output.shape[1:])
        place = (unit, row, col)[: values.ndim]
        start = torch.zeros_like(values)
        start[place] = values[place]
        start = start.reshape(kept.output.shape)
        (signal,) = torch.autograd.grad(kept.output, self._leaf, start, retain_graph=True)
        return signal[0].numpy()


def _assert_all_caught(result: Any) -> None:
    """A ReLU that escaped would silently make every method the gradient: look for one in autograd's graph."""
    waiting = [result.grad_fn] if isinstance(result, Tensor) else []
    seen = set()
    while waiting:
        step = waiting.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        assert not step.name().startswith(UNCAUGHT), f"{step.name()} was not intercepted"
        waiting.extend(follower for follower, _ in step.next_functions)


def probes(activation: Float64[np.ndarray, "units *map"], seed: int = 0) -> Iterator[tuple[int, int, int]]:
    """(unit, row, col) of positive activations: the centre, a border, two corners, then the other borders and corners.

    The unit is drawn from all that are above zero at the place; a place without one is left out.
    """
    values = activation.reshape(len(activation), 1, 1) if activation.ndim == 1 else activation
    _, rows, cols = values.shape
    random = np.random.default_rng(seed)
    middle, end = (rows // 2, cols // 2), (rows - 1, cols - 1)
    places = [middle, (0, middle[1]), (0, 0), end, (middle[0], end[1])]
    places += [(end[0], 0), (0, end[1]), (middle[0], 0), (end[0], middle[1])]
    for row, col in dict.fromkeys(places):
        positive = np.flatnonzero(values[:, row, col] > 0)
        if positive.size:
            yield int(random.choice(positive)), row, col
