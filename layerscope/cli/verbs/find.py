"""`layerscope find`: the units of an atlas that a name leads to. No torch."""

import layerscope as ls
from layerscope.api.finding import FoundUnit, data_of
from layerscope.cli import words
from layerscope.cli.output import Output
from layerscope.cli.parser import Command

HEADER = ("layer", ">unit", "found by", ">score", "name")


def run(command: Command, output: Output) -> int:
    """Print the units, the likeliest first."""
    found = ls.find(**command.values)
    rows = [(one.layer, one.unit, one.kind, words.four_digits(one.score), _said(one)) for one in found]
    output.result(data_of(command.values["atlas"], command.values["text"], found), words.table(HEADER, rows))
    return 0


def _said(one: FoundUnit) -> str:
    """The name, behind what the unit's peaks show where that is doubtful."""
    return f"{one.at_peaks} (by overlap {one.name})" if one.at_peaks else one.name
