"""The eager module with what sees whole maps held still: what is left is the way of the maps themselves.

Gates, divisors and sums of a number for many places, and the statistics that a map is normalised by, are kept from one
picture, in the order of their calls; on other pictures each of these calls is given what it was given then. So a field
that says what gives strength from beyond it can be tried like any other: it shares no code with layerscope.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tests.helpers.reference import frozen_copy

# Two maps in one call, of which one may be a number for many places of the other.
MEETING = (
    *(torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__, Tensor.__imul__, Tensor.mul_),
    *(torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__, Tensor.__iadd__, Tensor.add_),
    *(torch.sub, Tensor.sub, Tensor.__sub__, Tensor.__rsub__, Tensor.__isub__),
    *(torch.div, Tensor.div, Tensor.__truediv__, Tensor.__itruediv__),
)
# One number for a whole map, or for a row or column of it, repeated over its places.
SPREADING = (Tensor.expand, Tensor.expand_as, functional.interpolate)


class Held(TorchFunctionMode):
    """kept: what is held; None where it is to be found, and `found` fills."""

    def __init__(self, kept: list[Any] | None) -> None:
        super().__init__()
        self.kept, self.found = kept, []

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in MEETING and all(isinstance(side, Tensor) for side in args[:2]):
            args = (*self._met(*args[:2]), *args[2:])
        elif func in SPREADING and min(args[0].shape[-2:], default=0) == 1:
            args = (self._held(args[0]), *args[1:])
        elif func in NORMS:
            return NORMS[func](self._held, *args, **kwargs)
        return func(*args, **kwargs)

    def _held(self, value: Any) -> Any:
        """What was given to this call when it was kept; the values themselves, of so many pictures."""
        if self.kept is None:
            self.found.append(value)
            return value
        kept = self.kept[len(self.found)]
        self.found.append(kept)
        return kept.expand(len(value), *kept.shape[1:])

    def _met(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        places = [side.shape[-2:] for side in (one, other)]
        if one.dim() < 4 or other.dim() != one.dim() or places[0] == places[1]:
            return one, other
        return (self._held(one), other) if places[0].numel() < places[1].numel() else (one, self._held(other))


def _layer_norm(
    held: Callable, x: Tensor, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Of one axis, that is of channels that stand last, nothing is held."""
    axes = tuple(range(-len(normalized_shape), 0))
    if len(axes) == 1:
        return functional.layer_norm(x, normalized_shape, weight, bias, eps)
    return _scaled(_standard(held, x, axes, eps), weight, bias)


def _rms_norm(held: Callable, x: Tensor, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Tensor:
    axes = tuple(range(-len(normalized_shape), 0))
    if len(axes) == 1:
        return functional.rms_norm(x, normalized_shape, weight, eps)
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    return _scaled(x / held((x.square().mean(axes, keepdim=True) + eps).sqrt()), weight, None)


def _group_norm(
    held: Callable, x: Tensor, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    parts = x.reshape(len(x), num_groups, -1)
    return _by_channel(_standard(held, parts, (2,), eps).reshape(x.shape), weight, bias)


def _instance_norm(
    held: Callable, x: Tensor, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    if not use_input_stats:
        return functional.batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    return _by_channel(_standard(held, x, (2, 3), eps), weight, bias)


def _standard(held: Callable, x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """Less the mean, over the deviation."""
    mean = held(x.mean(axes, keepdim=True))
    return (x - mean) / held((x.var(axes, correction=0, keepdim=True) + eps).sqrt())


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _by_channel(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    return _scaled(x, *(None if part is None else part[:, None, None] for part in (weight, bias)))


NORMS: dict[Any, Callable[..., Tensor]] = {
    functional.layer_norm: _layer_norm, functional.rms_norm: _rms_norm, functional.group_norm: _group_norm,
    functional.instance_norm: _instance_norm,
}  # fmt: skip


class HeldStill:
    """A module whose gates and statistics stay what they are on one picture.

    model: the user's, left as it is. image: [c, h, w], in the model's dtype.
    """

    def __init__(self, model: nn.Module, image: Float64[np.ndarray, "c h w"]) -> None:
        self._model = frozen_copy(model)
        mode = Held(None)
        self.own = self._run(image[None], mode)
        self._kept = mode.found

    def outputs(self, images: Float64[np.ndarray, "n c h w"]) -> dict[str, Float64[np.ndarray, "n *map"]]:
        """What every module gives, by its path (``relu@2`` is the second call of ``relu``)."""
        return self._run(images, Held(self._kept))

    def _run(self, images: Float64[np.ndarray, "n c h w"], mode: Held) -> dict[str, Float64[np.ndarray, "n *map"]]:
        outputs: dict[str, Any] = {}
        times: Counter[str] = Counter()

        def keep(path: str, output: Any) -> None:
            times[path] += 1
            if isinstance(output, Tensor):
                # A copy, before anything can write over it.
                with torch._C.DisableTorchFunction():
                    outputs[path if times[path] == 1 else f"{path}@{times[path]}"] = output.detach().clone().numpy()

        hooks = [
            module.register_forward_hook(lambda _module, _args, output, path=path: keep(path, output))
            for path, module in self._model.named_modules()
            if path
        ]
        try:
            with torch.no_grad(), mode:
                self._model(torch.from_numpy(images.copy()))
        finally:
            for hook in hooks:
                hook.remove()
        return outputs
