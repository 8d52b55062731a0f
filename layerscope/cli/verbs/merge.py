"""`layerscope merge`: one atlas of several, and the command that goes on with it."""

import shlex

import layerscope as ls
from layerscope.api.merging import going_on
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Merge, and say how to go on."""
    values = dict(command.values)
    with output.bars() as bars:
        values["progress"] = bars
        atlas = ls.merge(**values)
    with atlas:
        images, copies = atlas.file.image_count(), atlas.file.copies_left_out()
        go_on = shlex.join(("layerscope", *going_on(atlas)))
        data = {"atlas": str(atlas.file.path), "images": images, "copies": copies, "layers": len(atlas), "next": go_on}
        text = words.printable(
            f"{atlas.file.path}: {words.counted(images, 'image')}, {words.counted(len(atlas), 'layer')}; its tiles and "
            f"projections are yet to be made, with all images in place of IMAGES:\n  {go_on}"
        )
        output.result(data, text)
    return 0
