"""`layerscope look`: which units a picture of one's own excites at every layer, as one HTML file."""

import argparse

from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.core.live import Portrait


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Look at the picture, write the page."""
    from layerscope.api.looking import look_at

    portrait = look_at(
        arguments.atlas,
        arguments.network,
        arguments.picture,
        arguments.out,
        weights=arguments.weights,
        method=arguments.method,
        orientation=arguments.orientation,
        max_pixels=arguments.max_pixels,
    )
    show_portrait(portrait, arguments.out, output)
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
