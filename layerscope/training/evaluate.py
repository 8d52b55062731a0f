"""Top-1 and top-5 of any network over any pictures whose classes can be known."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.export import ExportedProgram

from layerscope.core.errors import TraceError
from layerscope.core.records import Input
from layerscope.sources import Source
from layerscope.training.classes import Outputs, read_table
from layerscope.training.score import Score, Tally

BATCH = 64


@torch.no_grad()
def evaluate(
    model: nn.Module | ExportedProgram,
    input: Input,
    source: Source,
    *,
    classes: tuple[str, ...] = (),
    table: Path | None = None,
    device: str = "cpu",
    step: Callable[[int], None] = lambda count: None,
) -> Score:
    """Run every usable picture through a network at one crop, and count where its class comes out first, or in five.

    classes: the network's names of its outputs. table: a file with index, wnid and name of each. step: is told how
    many more pictures were tried. Raises UsageError where a picture's class cannot be known, TraceError for a network
    that gives no scores [b, classes].
    """
    network = model.module() if isinstance(model, ExportedProgram) else model.eval()
    network.to(device)
    rows = read_table(table) if table is not None else []
    listed = list(zip([identity for identity, _ in source.listing()], source.labelling(), strict=True))
    tally, outputs = Tally(), None
    for batch in source.batches(input, (range(s, min(s + BATCH, len(source))) for s in range(0, len(source), BATCH))):
        step(len(batch.records))
        if not len(batch.ids):
            continue
        scores = network(torch.from_numpy(batch.pixels).to(device))
        if not isinstance(scores, torch.Tensor) or scores.dim() != 2:
            raise TraceError("the network gives no scores of classes [pictures, classes], so it cannot be evaluated")
        outputs = outputs or Outputs(scores.shape[1], classes, rows, listed)
        tally.add(scores, outputs.indices([(r.source, r.label) for r in batch.records if r.skipped is None]))
    return tally.score
