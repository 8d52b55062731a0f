"""`layerscope diff`: what changed between two atlases, layer by layer and unit by unit, the worst first. No torch."""

import shlex

import layerscope as ls
from layerscope.api.comparing import Diff
from layerscope.cli import words
from layerscope.cli.output import Output, complain
from layerscope.cli.parser import Command
from layerscope.core.changes import MATCHED, NAMES
from layerscope.core.conditions import Condition

LAYERS = ("layer", ">units", *(f">{name}" for name in NAMES), ">agreement")
UNITS = ("layer", ">unit", ">now", "", ">agreement", ">nearest", "was", "is")
SHOWN = 24


def run(command: Command, output: Output) -> int:
    """Compare, and end with status 1 where more changed than was allowed."""
    conditions: tuple[Condition, ...] = command.values.pop("fail_on")
    found = ls.diff(**command.values)
    for sentence in remarks(found):
        output.remark(sentence)
    output.result(found.data(), text_of(found))
    met = [one for one in conditions if one.holds(found.count(one.change), found.alive)]
    if met:
        counts = ", ".join(f"{found.count(one.change):,} {one.change} ({one.written})" for one in met)
        complain(f"more changed than --fail-on allows, of {words.counted(found.alive, 'unit')} that fired: {counts}")
        return 1
    return 0


def remarks(found: Diff) -> list[str]:
    """What a reader should know besides: layers that were not compared, or in which moved units were not looked for."""
    only = zip(found.files, (found.only_before, found.only_after), strict=True)
    said = [f"not compared: {file} alone has {', '.join(names)}" for file, names in only if names]
    unsought = [layer.layer for layer in found.layers if not layer.sought]
    return said + ([f"too many units are left over in {', '.join(unsought)} to find who moved"] if unsought else [])


def text_of(found: Diff) -> str:
    """Which atlas is which, the layers, and the units that changed."""
    how = "peaks, strata and class means" if found.by_class else "peaks and strata"
    head = [
        *(_side(name, found, place) for place, name in enumerate(("A", "B"))),
        f"over {words.counted(found.images, 'image')} that both hold, by {how}; the same from {found.least:g} on",
    ]
    rows = [
        (
            layer.layer,
            layer.units if layer.units == layer.others else f"{layer.units} -> {layer.others}",
            *(getattr(layer, name) or "" for name in NAMES),
            _two_digits(layer.agreement),
        )
        for layer in found.layers
    ]
    return "\n".join([*head, "", words.table(LAYERS, rows), *_units(found), "", _next(found)])


def _side(name: str, found: Diff, place: int) -> str:
    side = (found.before, found.after)[place]
    weights = f", weights {side.weights}" if side.weights else ""
    return words.printable(f"{name}: {found.files[place]}, {side.network}{weights}, of {side.date}, over {side.images}")


def _units(found: Diff) -> list[str]:
    """The units that are not as they were, the worst first; what each was called, and is."""
    told = [one for one in found.units if one.change != MATCHED]
    if not told:
        return ["", "nothing changed: every unit that fired is matched"]
    rows = [
        (
            one.layer,
            "" if one.unit is None else one.unit,
            "" if one.other in (None, one.unit) else one.other,
            one.change,
            _two_digits(one.agreement),
            "" if one.near is None else f"{one.nearest} ({one.near:.2f})",
            one.name,
            one.other_name,
        )
        for one in told[:SHOWN]
    ]
    more = [f"and {words.counted(len(told) - SHOWN, 'other unit')}: --json tells all"] if len(told) > SHOWN else []
    return ["", words.table(UNITS, rows), *more]


def _two_digits(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"


def _next(found: Diff) -> str:
    return words.printable(f"to see them side by side: layerscope serve {' '.join(map(shlex.quote, found.files))}")
