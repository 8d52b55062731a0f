"""`layerscope merge`: one atlas of several, and the command that goes on with it."""

import shlex
from pathlib import Path

import layerscope as ls
from layerscope.api.going_on import going_on
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
        how = going_on(atlas, [Path(part) for part in values["atlases"]])
        go_on = shlex.join(("layerscope", *how.words))
        data = {
            "atlas": str(atlas.file.path), "images": images, "copies": copies, "layers": len(atlas), "next": go_on,
            "missing": list(how.missing),
        }  # fmt: skip
        held = f"{atlas.file.path}: {words.counted(images, 'image')}, {words.counted(len(atlas), 'layer')}"
        lines = [
            f"{held}; its tiles and projections are yet to be made:",
            f"  {go_on}",
            *how.missing,
            "An atlas keeps no names of other files: --weights, --labels and the like are as for its parts.",
        ]
        output.result(data, "\n".join(map(words.printable, lines)))
    return 0
