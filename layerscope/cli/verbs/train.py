"""`layerscope train`: from pictures with classes to a trained network, its checkpoints and its card."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Train, or go on. Of several processes the first one speaks."""
    with output.bars() as progress:
        done = ls.train(**command.values, progress=progress)
    if not done.first:
        return 0
    last = done.epochs[-1]
    right = f"top-1 {last['top1']:.1%}, top-5 {last['top5']:.1%}"
    seen = f"{right} on {words.counted(last['images'], 'validation picture')}"
    weights = words.printable(done.weights)
    output.result(done.data(), f"{words.counted(len(done.epochs), 'epoch')}: {seen}; {weights}, card.md beside it")
    return 0
