"""Projections beside the tests' reference: autograd on the user's eager module, which shares no code with layerscope.

The reference knows only some functions. What autograd's own graph shows behind a layer and the reference has no rule
for is told by name, and deconvnet and guided are not compared there: its way back would be the gradient, and an
agreement would mean nothing.
"""

from typing import Any

import numpy as np
import torch

import layerscope as ls
from families.kinds import Given
from families.places import pictures
from families.steep import allowed, moved
from tests.helpers.reference import METHODS, Kept, Reference, probes

PLACES = 4
# By so much of the largest value the same activations may differ in float64.
SAME = 1e-10
# Linear maps, and maxima that go back by their places: autograd's own way is that of every method.
PLAIN = {
    "AccumulateGrad", "AdaptiveAvgPool2DBackward", "AdaptiveMaxPool2DBackward", "AddBackward", "AddmmBackward",
    "AliasBackward", "AsStridedBackward", "AvgPool2DBackward", "CatBackward", "CloneBackward", "ConstantPadNdBackward",
    "ConvolutionBackward", "CopyBackwards", "CopySlices", "ExpandBackward", "FlipBackward", "IndexBackward",
    "IndexSelectBackward", "MaxPool2DWithIndicesBackward", "MeanBackward", "MmBackward", "NativeBatchNormBackward",
    "NegBackward", "PermuteBackward", "PixelShuffleBackward", "PixelUnshuffleBackward", "ReflectionPad2DBackward",
    "RepeatBackward", "ReplicationPad2DBackward", "ReshapeAliasBackward", "RollBackward", "SelectBackward",
    "SliceBackward", "SplitBackward", "SplitWithSizesBackward", "SqueezeBackward", "StackBackward", "SubBackward",
    "SumBackward", "TBackward", "ToCopyBackward", "TransposeBackward", "UnbindBackward", "UnsafeSplitBackward",
    "UnsafeViewBackward", "UnsqueezeBackward", "UpsampleBicubic2DBackward", "UpsampleBilinear2DAaBackward",
    "UpsampleBilinear2DBackward", "UpsampleNearest2DBackward", "ViewBackward", "NativeDropoutBackward", "RsubBackward",
}  # fmt: skip
# Linear where one of the two is made of weights alone.
JOINT = {"MulBackward": 2, "DivBackward": 2, "MmBackward": 2, "BmmBackward": 2, "ConvolutionBackward": 3}


def check(net: ls.Network, given: Given, layers: list[ls.Layer]) -> dict[str, Any]:
    """worst: by method the largest difference as a share of the reference's largest signal. compared: how many
    projections by method. unknown: what the reference has no rule for. without: layers without projections. steep:
    projections that differ by more than is allowed elsewhere and by no more than rounding does to the reference itself.
    unmatched: layers whose values no call of the eager module returned."""
    open_layers = [layer for layer in layers if not layer.scan_only]
    found: dict[str, Any] = {"without": len(layers) - len(open_layers)}
    if given.module is None:
        return found | {"none": "no eager module that the reference could run"}
    if not open_layers:
        return found
    image = pictures(net, 1, seed=4)
    with torch.enable_grad():
        backs = _Backs(net, given, image)
        for layer in open_layers:
            backs.compare(layer)
    return found | {
        "worst": backs.worst, "at": backs.where, "compared": backs.compared, "unknown": sorted(backs.unknown),
        "unmatched": backs.missed, "steep": backs.steep,
    }  # fmt: skip


class _Backs:
    """What was compared so far; see `check`."""

    def __init__(self, net: ls.Network, given: Given, image: np.ndarray) -> None:
        self.net, self.given, self.image = net, given, image
        self.reference = _reference(given, image[0])
        self.worst, self.compared = dict.fromkeys(METHODS, 0.0), dict.fromkeys(METHODS, 0)
        self.where, self.steep = dict.fromkeys(METHODS, ""), dict[str, list[float]]()
        self.unknown, self.missed = set[str](), 0

    def compare(self, layer: ls.Layer) -> None:
        """One layer by all methods that the reference can speak for, at a few places of positive activation."""
        activation = self.net.activations(self.image, layer.name)[0]
        kept = _kept(self.reference, layer, activation)
        if kept is None:
            self.missed += 1
            return
        foreign = _foreign(kept)
        self.unknown |= foreign
        chosen = list(probes(activation))[:PLACES]
        for method in METHODS:
            if chosen and (method == "gradient" or not foreign):
                self._by(method, layer, kept, chosen)

    def _by(self, method: str, layer: ls.Layer, kept: Kept, chosen: list[tuple[int, int, int]]) -> None:
        unit, row, col = (list(column) for column in zip(*chosen, strict=True))
        count = len(unit)
        signals = self.net.project(
            self.image, layer.name, image=[0] * count, unit=unit, row=row, col=col, method=method
        )
        for place, signal in zip(chosen, signals.full(), strict=True):
            expected = self.reference._back(kept, *place, method)
            peak, gap = float(np.abs(expected).max()), float(np.abs(signal - expected).max())
            share = gap / peak if peak else (0.0 if gap == 0 else float("inf"))
            self.compared[method] += 1
            if SAME < share < np.inf and share <= (rounding := self._rounding(layer, place, method, expected, peak)):
                self.steep[f"{method} at {layer.name} {place}"] = [share, rounding]
            elif not share <= self.worst[method]:
                self.worst[method], self.where[method] = share, f"{layer.name} {place}"

    def _rounding(
        self, layer: ls.Layer, place: tuple[int, int, int], method: str, expected: np.ndarray, peak: float
    ) -> float:
        """What rounding may do to this projection: the reference's own, of a picture that was moved a little."""
        image = moved(self.image, np.float64)
        reference = _reference(self.given, image[0])
        kept = _kept(reference, layer, self.net.activations(image, layer.name)[0])
        return 0.0 if kept is None else allowed(expected, reference._back(kept, *place, method), peak)


def _reference(given: Given, image: np.ndarray) -> Reference:
    reference = Reference.__new__(Reference)
    try:
        Reference.__init__(reference, given.module, image)
    except AssertionError as error:  # of the functions that it must not meet without a rule
        if "was not intercepted" not in str(error):
            raise
    return reference


def _kept(reference: Reference, layer: ls.Layer, activation: np.ndarray) -> Kept | None:
    """What the eager module gave that has these values: the module of the layer's name, or else the first call."""
    named = [reference.kept[name] for name in (layer.name, *layer.aliases) if name in reference.kept]
    for kept in [*named, *reference.calls]:
        found = kept.output[0].detach().numpy()
        if found.shape == activation.shape and np.abs(found - activation).max() <= SAME * np.abs(activation).max():
            return kept
    return None


def _foreign(kept: Kept) -> set[str]:
    """The functions between a layer and the picture that have neither a rule in the reference nor one way for all."""
    waiting, seen, found = [kept.output.grad_fn], set(), set()
    while waiting:
        step = waiting.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        waiting.extend(follower for follower, _ in step.next_functions)
        name = step.name().rpartition("::")[2].rstrip("0123456789")
        if getattr(step, "_forward_cls", None) is not None:
            continue
        moving = sum(follower is not None for follower, _ in step.next_functions[:2])
        if name not in PLAIN | set(JOINT) or (name in JOINT and moving > 1):
            found.add(name.removesuffix("Backward"))
    return found
