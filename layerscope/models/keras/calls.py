"""The modules of a Keras graph: its steps in order, and what has no plan, called as Keras has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from layerscope.models.keras.plans import AxisPlan, KerasLayer


@dataclass(frozen=True)
class Slot:
    """In a step's arguments: what an earlier step gave, by its number."""

    number: int


@dataclass(frozen=True)
class HeldWeight:
    """In a step's arguments: a weight that is handed to an operation, by the child's name for it."""

    name: str


@dataclass(frozen=True, kw_only=True)
class KerasStep:
    """One call: which child, with which arguments, and the numbers of what it gives."""

    child: str
    args: Any
    kwargs: Any
    gives: tuple[int, ...]


class KerasModel(nn.Module):
    """A model's graph: steps in order, over children that are layers or models."""

    def __init__(self, steps: tuple[KerasStep, ...], taken: tuple[int, ...], given: tuple[int, ...]) -> None:
        super().__init__()
        self.steps, self.taken, self.given = steps, taken, given

    def forward(self, *maps: Tensor) -> Any:
        """The outputs for maps in torch's order of axes; one alone as it is, several as a tuple."""
        values: dict[int, Any] = dict(zip(self.taken, maps, strict=True))
        for step in self.steps:
            child: Any = self._modules[step.child]
            args, kwargs = _filled(step.args, values), _filled(step.kwargs, values)
            if isinstance(child, KerasLayer | KerasModel):
                given = child(*tensors((args, kwargs)))
            else:
                given = child(*args, **kwargs)
            given = given if isinstance(given, tuple | list) else (given,)
            values.update(zip(step.gives, given, strict=True))
        outputs = tuple(values[one] for one in self.given)
        return outputs[0] if len(outputs) == 1 else outputs


class KerasCall(nn.Module):
    """What has no plan: Keras' own layer or operation, called on maps in Keras' order of axes.

    Weights that stand among an operation's arguments are parameters here; a layer brings its own.
    """

    def __init__(self, layer: Any, axes: AxisPlan, training: bool, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.axes, self.passes_training = axes, training
        self.layer: Any = layer
        for name, value in weights.items():
            self.register_parameter(name, nn.Parameter(value, requires_grad=value.is_floating_point()))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What Keras gives, its maps in torch's order."""
        args, kwargs = self._theirs(args), self._theirs(kwargs)
        if self.passes_training:
            kwargs["training"] = False
        # Not by the layer's own __call__, which would make the numbers as coarse as Keras' policy has them.
        given = self.layer.call(*args, **kwargs)
        if isinstance(given, tuple | list):
            return tuple(self.axes.ours(value) for value in tensors(given))
        return self.axes.ours(given)

    def _theirs(self, value: Any) -> Any:
        if isinstance(value, HeldWeight):
            return getattr(self, value.name)
        if isinstance(value, Tensor):
            return self.axes.theirs(value)
        return each(value, self._theirs)


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [one for part in value for one in flat(part)] if isinstance(value, list | tuple) else [value]


def _filled(value: Any, values: dict[int, Any]) -> Any:
    if isinstance(value, Slot):
        return values[value.number]
    return each(value, lambda one: _filled(one, values))


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same list, tuple or dictionary with each of its entries changed; anything else as it is."""
    if type(value) in (list, tuple):
        return type(value)([change(one) for one in value])
    return {name: change(one) for name, one in value.items()} if type(value) is dict else value


def tensors(value: Any) -> list[Tensor]:
    """The tensors in arguments, in their order."""
    return [one for one in flat(value) if isinstance(one, Tensor)]
