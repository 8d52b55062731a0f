"""A picture whose channels come last in the file: what only turns it is left out, and channels come first throughout.

Keras' networks take [n, h, w, c], prepare the picture there, and turn it before the first convolution. The steps up to
there act on each number by itself, and do so alike whichever way the picture lies.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from layerscope.models.onnx.ops import arithmetic, pointwise
from layerscope.models.onnx.ops.arrange import permuted
from layerscope.models.onnx.steps import OnnxStep, ValueNamed

LAST_TO_FIRST, FIRST_TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_EACH_NUMBER = (
    arithmetic.add, arithmetic.subtract, arithmetic.multiply, arithmetic.divide, arithmetic.power, pointwise.clipped,
)  # fmt: skip


def channels_first(steps: list[OnnxStep], picture: str) -> list[OnnxStep]:
    """The steps for a picture whose channels come first; where they cannot be turned, it is turned in front of them."""
    found = _turned(steps, picture)
    if found is not None:
        return found
    inner = f"{picture}\0last"
    first = OnnxStep(
        op="Transpose", by=partial(permuted, axes=FIRST_TO_LAST), arguments=(ValueNamed(picture),), outputs=(inner,),
        scope=(),
    )  # fmt: skip
    return [first, *(renamed(step, {picture: inner}) for step in steps)]


def renamed(step: OnnxStep, names: dict[str, str]) -> OnnxStep:
    """A step that reads other values in the place of these."""
    arguments = (
        ValueNamed(names.get(one.name, one.name)) if isinstance(one, ValueNamed) else one for one in step.arguments
    )
    return replace(step, arguments=tuple(arguments))


def _turned(steps: list[OnnxStep], picture: str) -> list[OnnxStep] | None:
    """None where a step reads the picture otherwise than number by number before it is turned."""
    last, names, found = {picture}, dict[str, str](), list[OnnxStep]()
    for step in steps:
        if last.isdisjoint(step.reads):
            found.append(renamed(step, names))
        elif _turns(step):
            names[step.outputs[0]] = step.reads[0]
        else:
            other = _other_way(step) if last.issuperset(step.reads) else None
            if other is None:
                return None
            last.update(step.outputs)
            found.append(other)
    return found


def _turns(step: OnnxStep) -> bool:
    return isinstance(step.by, partial) and step.by.func is permuted and step.by.keywords["axes"] == LAST_TO_FIRST


def _other_way(step: OnnxStep) -> OnnxStep | None:
    """A step that acts on each number by itself, with its constants turned."""
    if not (isinstance(step.by, partial) and step.by.func in _EACH_NUMBER):
        return None
    arguments: list[Any] = []
    for argument in step.arguments:
        if isinstance(argument, Tensor):
            if argument.dim() > 4:
                return None
            argument = argument.reshape((1,) * (4 - argument.dim()) + argument.shape).permute(*LAST_TO_FIRST)
        arguments.append(argument)
    return replace(step, arguments=tuple(arguments))
