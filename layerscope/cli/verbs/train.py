"""`layerscope train`: from pictures with classes to a trained network, its checkpoints and its card."""

import argparse
import os
from contextlib import nullcontext
from pathlib import Path

from layerscope.api.bars import Bars
from layerscope.cli import words
from layerscope.cli.output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Train, or go on. Of several processes the first one speaks."""
    from layerscope.training import train

    first = os.environ.get("RANK", "0") == "0"
    named = ("validate", "recipe", "epochs", "rate", "batch", "seed", "start", "device")
    options = {name: getattr(arguments, name) for name in named}
    with Bars() if first and not output.quiet else nullcontext() as bars:
        log = train(
            arguments.network,
            arguments.data,
            arguments.out,
            **options,
            bf16=not arguments.no_bf16,
            reporter=bars,
        )
    if not first:
        return 0
    folder, last = Path(arguments.out).expanduser(), log[-1]
    data = {
        "network": arguments.network,
        "folder": str(folder),
        "weights": str(folder / "last.safetensors"),
        "top1": last["top1"],
        "top5": last["top5"],
        "images": last["images"],
        "epochs": log,
    }
    right = f"top-1 {last['top1']:.1%}, top-5 {last['top5']:.1%}"
    seen = f"{right} on {words.counted(last['images'], 'validation picture')}"
    weights = words.printable(folder / "last.safetensors")
    output.result(data, f"{words.counted(len(log), 'epoch')}: {seen}; {weights}, card.md beside it")
    return 0
