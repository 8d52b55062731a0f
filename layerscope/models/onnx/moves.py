"""What a chain of reshapes and turns does, told by where each number ends: a repeated map, a shuffle, nothing at all.

Exporters write an upsampling as axes that are added, repeated and joined again, a pixel shuffle as a reshape, a turn
and a reshape. Such a chain is run once on a map that holds the place of each of its numbers; if the outcome is that of
one module, it is this module. Where Keras flattens a map with its channels last, the dense layer is turned instead.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from layerscope.models.onnx.ops import arrange, parts
from layerscope.models.onnx.ops.layers import dense as layer
from layerscope.models.onnx.steps import OnnxStep, ValueNamed

_MOVES = (
    arrange.reshaped, arrange.permuted, arrange.squeezed, arrange.unsqueezed, arrange.expanded, arrange.flattened,
    parts.tiled,
)  # fmt: skip
_MOST_NUMBERS = 1 << 22
_PICTURES = 2


def rewritten(steps: list[OnnxStep], values: Mapping[str, Any], outputs: Sequence[str]) -> list[OnnxStep]:
    """Steps of which each chain that is one module is this module. values: by name, without numbers."""
    reading = defaultdict[str, list[OnnxStep]](list)
    for step in steps:
        for name in step.reads:
            reading[name].append(step)
    gone, made = set[int](), dict[int, OnnxStep]()
    for step in steps:
        if id(step) in gone or not _is_move(step):
            continue
        chain = list(_chain(step, reading, outputs))
        for length in range(len(chain), 0, -1):
            last, whole = chain[length - 1], chain[:length]
            found, dense = _module(whole, values), None
            if found is None:
                found, dense = _flattened(whole, values, reading[last.outputs[0]], outputs)
            if found is None or (length == 1 and dense is None):
                continue
            gone.update(map(id, whole))
            alike = ("moves", type(found).__name__, last.outputs)
            made[id(last)] = replace(last, by=found, arguments=step.arguments[:1], alike=alike)
            if dense is not None:
                (reader,) = reading[last.outputs[0]]
                made[id(reader)] = replace(reader, by=dense)
            break
    return [made.get(id(step), step) for step in steps if id(step) not in gone or id(step) in made]


def _is_move(step: OnnxStep) -> bool:
    moves = isinstance(step.by, partial) and step.by.func in _MOVES
    return moves and isinstance(step.arguments[0], ValueNamed)


def _chain(step: OnnxStep, reading: Mapping[str, list[OnnxStep]], outputs: Sequence[str]) -> Iterator[OnnxStep]:
    """A move, and the moves behind it as long as nothing else reads what lies between, but for its sizes."""
    while True:
        yield step
        (name,) = step.outputs
        moving = [one for one in reading[name] if _is_move(one) and one.arguments[0] == ValueNamed(name)]
        others = [one for one in reading[name] if one not in moving]
        if len(moving) != 1 or not all(one.op == "Shape" for one in others) or name in outputs:
            return
        (step,) = moving


def _module(chain: list[OnnxStep], values: Mapping[str, Any]) -> nn.Module | None:
    """The module that does what a chain does; None where there is none, or where it cannot be tried."""
    source, result = values.get(chain[0].reads[0]), values.get(chain[-1].outputs[0])
    if not (isinstance(source, Tensor) and isinstance(result, Tensor) and source.dim() == result.dim() == 4):
        return None
    before, places = tuple(source.shape[1:]), _places(source)
    found = _run(chain, places, values) if result[0].numel() <= _MOST_NUMBERS else None
    if found is None or found.dim() != 4 or len(found) != _PICTURES:
        return None
    for make in _CANDIDATES:
        wanted = make(before, tuple(found.shape[1:]))
        if wanted is not None and torch.equal(wanted(places), found):
            return wanted
    return None


def _flattened(
    chain: list[OnnxStep], values: Mapping[str, Any], readers: list[OnnxStep], outputs: Sequence[str]
) -> tuple[nn.Module | None, nn.Module | None]:
    """A map in a row in another order than torch's, before a dense layer: torch's, and the layer for it."""
    source, result = values.get(chain[0].reads[0]), values.get(chain[-1].outputs[0])
    dense = readers[0].by if len(readers) == 1 and chain[-1].outputs[0] not in outputs else None
    if not (isinstance(source, Tensor) and isinstance(result, Tensor) and isinstance(dense, nn.Linear)):
        return None, None
    if (source.dim(), result.dim()) != (4, 2) or source[0].numel() != dense.in_features:
        return None, None
    found = _run(chain, _places(source), values)
    if found is None or found.shape != (_PICTURES, dense.in_features):
        return None, None
    order, count = found[0].long(), dense.in_features
    if not (torch.equal(order.sort().values, torch.arange(count)) and torch.equal(found[1], found[0] + count)):
        return None, None
    weight = torch.empty_like(dense.weight)
    weight[:, order] = dense.weight
    return nn.Flatten(), layer(weight, dense.bias)


def _places(source: Tensor) -> Tensor:
    """A map of the same sizes, for fewer pictures, that holds at each place its number."""
    shape = (_PICTURES, *source.shape[1:])
    return torch.arange(prod(shape), dtype=torch.float64).reshape(shape)


def _run(chain: list[OnnxStep], places: Tensor, values: Mapping[str, Any]) -> Tensor | None:
    """A chain on so many pictures; None where its sizes are those of another number."""
    current = places
    for step in chain:
        others = [values.get(one.name) if isinstance(one, ValueNamed) else one for one in step.arguments[1:]]
        given = [_for_so_many(other, values[chain[0].reads[0]].shape[0]) for other in others]
        try:
            current = step.by(current, *given)
        except Exception:
            return None
    return current


def _for_so_many(sizes: Any, pictures: int) -> Any:
    """Sizes of the number of pictures that the file was read with, for the number that is tried."""
    if sizes is None or isinstance(sizes, tuple | int | float):
        return sizes
    return tuple(_PICTURES if size == pictures else size for size in sizes)


def _upsample(before: tuple[int, ...], after: tuple[int, ...]) -> nn.Module | None:
    times = [out // size for size, out in zip(before[1:], after[1:], strict=True)]
    fits = before[0] == after[0] and all(
        size * k == out for size, k, out in zip(before[1:], times, after[1:], strict=True)
    )
    return nn.Upsample(scale_factor=tuple(map(float, times)), mode="nearest") if fits and max(times) > 1 else None


def _shuffle(before: tuple[int, ...], after: tuple[int, ...]) -> nn.Module | None:
    side = after[1] // before[1]
    return nn.PixelShuffle(side) if side > 1 and before[0] == after[0] * side**2 else None


def _unshuffle(before: tuple[int, ...], after: tuple[int, ...]) -> nn.Module | None:
    side = before[1] // after[1] if after[1] else 0
    return nn.PixelUnshuffle(side) if side > 1 and after[0] == before[0] * side**2 else None


def _same_map(before: tuple[int, ...], after: tuple[int, ...]) -> nn.Module | None:
    return nn.Identity() if before == after else None


_CANDIDATES = (_same_map, _upsample, _shuffle, _unshuffle)
