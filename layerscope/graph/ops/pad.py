"""Padding as a call of its own: a constant around the map, or the map mirrored, repeated or continued at its border.

Negative amounts crop. What mirrors the border sees no further than whoever reads it does anyhow, as long as that one's
window reaches as far in as the padding reaches out; the call says how large it must be.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.core.geometry import Field, Window
from layerscope.graph.ops.calls import Call, Declined, NodeInput, Sample
from layerscope.graph.ops.ranges import Range, hull
from layerscope.graph.ops.rules import HeldGates, Rule, vjp
from layerscope.graph.ops.table import Op, everything

aten = torch.ops.aten

# The least window of a reader, by the amount padded, that sees all that stands in the padding.
_REACH = {"reflect": lambda amount: 2 * amount + 1, "replicate": lambda amount: amount + 1}


def _amounts(call: Call) -> tuple[tuple[int, int], tuple[int, int]]:
    """Before and behind, of rows and of columns."""
    left, right, top, bottom = (*call["pad"], 0, 0, 0)[:4]
    return (top, bottom), (left, right)


def _window(call: Call) -> tuple[Field, ...]:
    further = call["pad"][4:]
    if len(call.inputs[0]) != 3 or len(further) > 2 or (any(further) and call["mode"] != "constant"):
        raise Declined(
            f"pads {list(call.inputs[0])} by {list(call['pad'])}; only maps, in space and channels, are known"
        )
    pads = _amounts(call)
    if call["mode"] == "circular" and any(any(pad) for pad in pads):
        return everything(call, note="a map is continued with its other side")
    rows, cols = (Window(size=1, step=1, start=-before) for before, _ in pads)
    if call["mode"] == "constant":
        return (Field(rows=rows, cols=cols),)
    most_rows, most_cols = (max(0, *pad) for pad in pads)
    reach = _REACH[call["mode"]]
    return (Field(rows=rows, cols=cols, least=(reach(most_rows), reach(most_cols))),)


def _value(call: Call) -> float:
    return float(call["value"] or 0.0)


def _pad(call: Call) -> float | None:
    return _value(call) if call["mode"] == "constant" else None


def _range(call: Call, inputs: tuple[Range, ...]) -> Range:
    added = call["mode"] == "constant" and any(amount > 0 for amount in call["pad"])
    return hull((inputs[0], Range(_value(call), _value(call)))) if added else inputs[0]


def _samples() -> Iterator[Sample]:
    x = torch.linspace(-3, 9, 2 * 2 * 5 * 4, dtype=torch.float64).sin().reshape(2, 2, 5, 4)
    for pad, *mode in (
        ((0, 1, 0, 1),),
        ((1, -1, 2, 0), "constant", 0.5),
        ((0, 0, 0, 0, 1, 2), "constant", -1.0),
        ((1, 2, 2, 1), "reflect"),
        ((1, 0, 2, 1), "replicate"),
        ((1, 1, 0, 2), "circular"),
    ):
        yield Sample(aten.pad.default, (x,), (NodeInput(0), pad, *mode))


def _back(signal: Tensor, call: Call) -> tuple[Tensor, ...]:
    """Padding is linear but for its constant, so that any values show how a signal goes back."""
    return vjp(signal, call)


def _around(call: Call) -> Tensor | None:
    return call.run(torch.zeros((1, *call.inputs[0]), dtype=torch.float64)) if _value(call) else None


ROWS = (
    Op(
        name="pad",
        sentence="a map with something around it, or cropped",
        targets=(aten.pad.default,),
        window=_window,
        samples=_samples,
        linear=True,
        pad=_pad,
        role="view",
        range=_range,
        gradient=Rule(_back, word="gradient"),
        held=HeldGates(beside=_around),
    ),
)
