"""`layerscope evaluate`: how often a network is right."""

import argparse
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from layerscope.api.bars import Bars
from layerscope.cli import words
from layerscope.cli.networks import given, overruled
from layerscope.cli.output import Output
from layerscope.core.errors import TraceError


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Load the network, go through the pictures, print shares."""
    from layerscope.models import load
    from layerscope.training import evaluate
    from layerscope.training.classes import table_beside
    from layerscope.training.data import open_validation

    loaded = load(arguments.network, weights=arguments.weights)
    expected = overruled(loaded.input, given(arguments), arguments.network)
    if loaded.unloaded:
        raise TraceError(f"{loaded.name} cannot be evaluated: {'; '.join(loaded.remarks)}")
    source = open_validation(arguments.data, side=expected.height, limit=arguments.limit)
    table = arguments.classes or table_beside(Path(arguments.data).expanduser())
    output.remark(f"{loaded.name} expects {words.input_text(expected)}; {source.name}")
    for remark in loaded.remarks:
        output.remark(remark)
    with nullcontext() if output.quiet else Bars() as bars:
        if bars:
            bars.start("evaluate", len(source), 0)
        found = evaluate(
            loaded.model,
            expected,
            source,
            classes=loaded.classes,
            table=Path(table) if table else None,
            device=arguments.device,
            step=bars.step if bars else lambda count: None,
        )
    skipped = len(source.skipped)
    left_out = f" ({words.counted(skipped, 'file')} left out)" if skipped else ""
    data = {"network": loaded.name, **asdict(found), "skipped": skipped}
    seen = f"on {words.counted(found.images, 'picture')}{left_out}"
    output.result(data, f"{loaded.name}: top-1 {found.top1:.1%}, top-5 {found.top5:.1%} {seen}")
    return 0
