"""`layerscope look`: which units a picture of one's own excites at every layer, as one HTML file."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command
from layerscope.core.live import Portrait


def run(command: Command, output: Output) -> int:
    """Look at the picture, write the page."""
    show_portrait(ls.look(**command.values), command.values["out"], output)
    return 0


def show_portrait(portrait: Portrait, out: str, output: Output) -> None:
    """The classes, and each layer's strongest units with their values."""
    layers = {
        layer.layer: [
            {"unit": one.unit, "value": one.value, "relative": one.relative, "row": one.row, "col": one.col}
            for one in layer.firings
        ]
        for layer in portrait.layers
    }
    top = [{"class": name, "probability": share} for name, share in portrait.top]
    data = {"page": str(out), "top": top, "layers": layers}
    rows = [(name, ", ".join(str(one["unit"]) for one in units) or "none above zero") for name, units in layers.items()]
    taken = ", ".join(f"{name} {words.percent(share)}" for name, share in portrait.top)
    parts = ([taken] if taken else []) + [words.table(("layer", "strongest units"), rows), words.printable(out)]
    output.result(data, "\n".join(parts))
