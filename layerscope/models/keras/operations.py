"""Operations of Keras that are no layers (`x + y`, `keras.ops.relu(x)`): those that act place by place, as torch's own.

They need no other order of axes; whatever else stands in a model's graph is called as Keras has it.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.keras.plans import AxisPlan, KerasLayer, TorchPlan, Unplanned

BINARY: dict[str, Callable[[Any, Any], Tensor]] = {
    "Add": lambda a, b: a + b,
    "Subtract": lambda a, b: a - b,
    "Multiply": lambda a, b: a * b,
    "Divide": lambda a, b: a / b,
    "TrueDivide": lambda a, b: a / b,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
}
UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "Relu": F.relu,
    "Relu6": F.relu6,
    "Sigmoid": torch.sigmoid,
    "Silu": F.silu,
    "Tanh": torch.tanh,
    "Softplus": F.softplus,
    "HardSigmoid": F.hardsigmoid,
    "HardSilu": F.hardswish,
    "Selu": F.selu,
    "Mish": F.mish,
    "Negative": torch.neg,
    "Exp": torch.exp,
    "Abs": torch.abs,
    "Absolute": torch.abs,
    "Square": torch.square,
    "Sqrt": torch.sqrt,
}


def _binary(module: KerasLayer, *maps: Tensor) -> Tensor:
    sides, waiting = [], list(maps)
    for side in module.arguments["sides"]:
        sides.append(waiting.pop(0) if side is None else module.constant if side == "constant" else side)
    return BINARY[module.arguments["name"]](*sides)


def _unary(module: KerasLayer, x: Tensor) -> Tensor:
    return UNARY[module.arguments["name"]](x)


def operation_plan(operation: Any, sides: list[Any], ranks: list[int], axes: AxisPlan) -> TorchPlan:
    """The plan of an operation. sides: its arguments in order: None for a map, a number, or a tensor that is constant.

    ranks: how many axes each map has. Raises Unplanned.
    """
    name = type(operation).__name__
    if name in UNARY and sides == [None]:
        return TorchPlan(run=_unary, arguments={"name": name})
    if name not in BINARY or len(sides) != 2 or len(set(ranks)) != 1:
        raise Unplanned(name)
    constants = [side for side in sides if isinstance(side, Tensor)]
    numbers = [side for side in sides if isinstance(side, int | float)]
    if len(constants) > 1 or len(constants) + len(numbers) + len(ranks) != 2:
        raise Unplanned(name)
    if name in ("Maximum", "Minimum") and numbers:
        raise Unplanned(name)
    arguments = {"name": name, "sides": tuple("constant" if isinstance(side, Tensor) else side for side in sides)}
    weights = {"constant": axes.spread(constants[0], ranks[0])} if constants else {}
    return TorchPlan(run=_binary, weights=weights, arguments=arguments)
