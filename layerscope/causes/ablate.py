"""What does a network lose without some of its units? The whole network and changed ones over the same images.

A batch passes the network once, to the layers whose units are changed; from there on it goes once as it is, once
without the units, and once without as many others, draw by draw (`causes/onward.py`).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from layerscope.causes.counted import Counted, agreement, changed_most, class_losses
from layerscope.causes.judging import Judge, compared
from layerscope.causes.onward import Onward
from layerscope.causes.units import Replacement, UnitsByLayer, existing, others
from layerscope.core.ablation import COMPARED, LABELS, LOGITS, Ablation
from layerscope.core.errors import ImageError, TraceError, UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.progress import Progress, Silent
from layerscope.core.records import ImageRecord, Input, LayerRecord
from layerscope.core.stages import ABLATE
from layerscope.graph import Carrier, Graph
from layerscope.graph.classifier import each_by_itself, scores_of
from layerscope.sources import Source

BATCH = 32


@plain_failures("the ablation")
def ablate(
    program: Carrier,
    input: Input,
    chosen: Sequence[tuple[LayerRecord, Sequence[int]]],
    source: Source,
    judge: Judge,
    *,
    replacement: Replacement | None = None,
    draws: int = 5,
    seed: int = 0,
    most: int = 9,
    predicted: Sequence[float] | Float64[np.ndarray, " classes"] | None = None,
    name: str = "this network",
    progress: Progress | None = None,
) -> Ablation:
    """Change units of some layers, and count what the network loses beside what it loses without as many others.

    chosen: layers, each once, with their units. replacement: what becomes of the units; None sets them to zero. draws,
    seed: of other units. most: how many of the images that change most are told. predicted: for every output the loss
    that is expected of its class, NaN for none. Raises UsageError, ImageError where no image can be used, and
    TraceError for a network without a class output or with numbers that are not finite.
    """
    reporter = progress or Silent()
    layers = [layer for layer, _ in chosen]
    node = require_class_output(program.graph, name)
    require_leading(program.graph, layers, node)
    units: UnitsByLayer = {layer.name: existing(layer, wanted) for layer, wanted in chosen}
    expected = None if predicted is None else require_predicted(predicted, program.graph.nodes[node].shape[0])
    drawn, few = others(layers, units, draws, seed)
    seen = _Networks(program, node, layers, replacement or Replacement(), [{}, units, *drawn])
    reporter.start(ABLATE.name, len(source), 0)
    runs = (range(start, min(start + BATCH, len(source))) for start in range(0, len(source), BATCH))
    for batch in source.batches(input, runs):
        if len(batch.ids):
            seen.look(batch.pixels, [record for record in batch.records if record.skipped is None], judge)
        reporter.step(len(batch.records))
    if not seen.images:
        raise ImageError(f"none of the {len(source)} images in {source.name} can be used")
    return _told(seen, judge, name, len(source), seed, most, expected, few)


def require_class_output(graph: Graph, name: str) -> int:
    """The node whose numbers are compared. Raises TraceError where the network has no class output."""
    node = scores_of(graph)
    if node is None:
        gives = ", ".join(str(["images", *graph.nodes[output].shape]).replace("'", "") for output in graph.outputs)
        raise TraceError(f"{name} has no class output, one of shape [images, classes] and no other: it gives {gives}")
    if graph.lost[node]:
        lost = graph.nodes[min(graph.lost[node])]
        raise TraceError(f'the class output of {name} cannot be computed, for "{lost.name}" cannot: {lost.stuck}')
    return node


def require_leading(graph: Graph, layers: Sequence[LayerRecord], node: int) -> None:
    """Raises UsageError for a layer of which nothing reaches the class output."""
    reaching = graph.ancestors({node})
    for layer in layers:
        if layer.node not in reaching:
            raise UsageError(f'layer "{layer.name}" does not lead to the class output: its units change nothing')


def require_predicted(predicted: Sequence[float] | np.ndarray, classes: int) -> Float64[np.ndarray, " classes"]:
    """The predicted losses as an array. Raises UsageError where they are not one number for every output."""
    try:
        found = np.asarray(predicted, np.float64)
    except (TypeError, ValueError):
        found = np.empty((0, 0))
    if found.shape != (classes,):
        raise UsageError(f"predicted must be one number for each of the {classes:,} outputs, NaN for no prediction")
    return found


class _Networks:
    """The images that were looked at, and what each of the networks gave for them: first the whole one, then the one
    without the units, then those without others."""

    def __init__(
        self,
        program: Carrier,
        node: int,
        layers: Sequence[LayerRecord],
        replacement: Replacement,
        networks: Sequence[UnitsByLayer],
    ) -> None:
        self.program, self.node, self.replacement = program, node, replacement
        self._layers = {layer.node: layer.name for layer in layers}
        self._onward = Onward(program, self._layers.keys(), node)
        classes = program.graph.nodes[node].shape[0]
        self.counted = [Counted(units, classes) for units in networks]
        self.images: list[tuple[int, str]] = []
        self.targets: list[np.ndarray] = []
        self.kind = LOGITS

    def look(self, pixels: Float32[np.ndarray, "b c h w"], records: Sequence[ImageRecord], judge: Judge) -> None:
        """Run every network on a batch of usable images."""
        given = self._onward.given(torch.from_numpy(pixels))
        targets: np.ndarray | None = None
        for one in self.counted:
            scores = self._onward.run(given, len(pixels), partial(self._changed, one.units)).cpu().double()
            self._require_finite(scores, one.units)
            if targets is None:
                targets = judge.targets(records, scores.argmax(1).numpy())
                if not self.images:
                    self.kind = compared(scores, alone=each_by_itself(self.program.graph, self.node))
            one.add(scores, targets, self.kind)
        self.targets.append(targets if targets is not None else np.empty(0, np.int64))
        self.images += [(record.id, record.source) for record in records]

    def _changed(self, units: UnitsByLayer, node: int, value: Tensor) -> Tensor:
        layer = self._layers.get(node)
        return self.replacement.changed(layer, value, units[layer]) if layer in units else value

    def _require_finite(self, scores: Tensor, units: UnitsByLayer) -> None:
        if bool(torch.isfinite(scores).all()):
            return
        if not units:
            raise TraceError("the network gives numbers that are not finite: the weights or the input are unusable")
        raise UsageError(
            f"with units {self.replacement.words} the network gives numbers that are not finite: scale them less"
        )


def _told(
    seen: _Networks, judge: Judge, name: str, images: int, seed: int, most: int, predicted: np.ndarray | None, few: str
) -> Ablation:
    """All that was seen, as plain values."""
    targets = np.concatenate(seen.targets)
    for one in seen.counted:
        one.finish()
    whole, without, *drawn = seen.counted
    classes = class_losses(judge.names, targets, whole, without, drawn)
    unlabelled = (
        ""
        if judge.judged_by == LABELS
        else ("accuracy is agreement with the whole network, for images are judged by its own predictions")
    )
    return Ablation(
        network=name,
        change=seen.replacement.words,
        judged_by=judge.judged_by,
        compared=seen.kind,
        images=len(targets),
        skipped=images - len(targets),
        before=whole.outcome(targets, whole),
        after=without.outcome(targets, whole),
        others=tuple(one.outcome(targets, whole) for one in drawn),
        seed=seed,
        outputs=tuple(((without.sums - whole.sums) / len(targets)).tolist()),
        classes=classes,
        changed=changed_most(judge.names, seen.images, targets, whole, without, most),
        predicted=None if predicted is None else agreement(predicted, classes),
        remarks=tuple(filter(None, (unlabelled, COMPARED[seen.kind], few))),
    )
