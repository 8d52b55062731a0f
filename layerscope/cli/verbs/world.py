"""`layerscope world`: write pictures whose content is known, with a mask for every concept in them."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Write the world, or what is missing of it."""
    with output.bars() as progress:
        made = ls.world(**command.values, progress=progress)
    pictures = words.counted(made.pictures, "picture")
    new = f"{made.written:,} of them new, " if made.written < made.pictures else ""
    what = f"{made.classes} classes, masks of {made.concepts} concepts"
    output.result(made.data(), f"{words.printable(made.out)}: {pictures} ({new}{what}, {words.duration(made.seconds)})")
    return 0
