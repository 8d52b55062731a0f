"""`layerscope evaluate`: how often a network is right."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Load the network, go through the pictures, print shares."""
    with output.bars() as progress:
        found = ls.evaluate(**wanted(command, output), progress=progress)
    left_out = f" ({words.counted(found.skipped, 'file')} left out)" if found.skipped else ""
    seen = f"on {words.counted(found.images, 'picture')}{left_out}"
    output.result(found.data(), f"{found.network}: top-1 {found.top1:.1%}, top-5 {found.top5:.1%} {seen}")
    return 0
