"""`layerscope find`: the units of an atlas that a name leads to. No torch."""

import layerscope as ls
from layerscope.api.finding import data_of
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

HEADER = ("layer", ">unit", "found by", ">score", "name")


def run(command: Command, output: Output) -> int:
    """Print the units, the likeliest first."""
    found = ls.find(**command.values)
    rows = [(one.layer, one.unit, one.kind, words.four_digits(one.score), one.said) for one in found]
    output.result(data_of(command.values["atlas"], command.values["text"], found), words.table(HEADER, rows))
    return 0
