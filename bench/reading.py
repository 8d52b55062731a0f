"""A module becomes a graph: beside exporting it alone, and beside torch's second trace of what was exported."""

import copy
from collections.abc import Callable
from statistics import median

from bench.report import Line
from bench.subjects import subject
from bench.timing import Ratio, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.graph import prepared, read_module
from layerscope.graph.export import exported
from layerscope.testing.slow import slow_paths

SHORT, EXPORT, TWICE = "read", "export alone", "read with a second trace"


def measure(workshop: Workshop) -> list[Line]:
    """Each network read both ways and exported alone, in turns, without its replay."""
    return [line for name in workshop.sizes.networks for line in _lines(name, workshop.sizes.repeats)]


def _lines(name: str, repeats: int) -> list[Line]:
    chosen = subject(name)
    twin, shape = prepared(copy.deepcopy(chosen.model)), chosen.network.input.shape

    def traced_twice() -> None:
        with slow_paths("one trace"):
            read_module(twin, shape)

    works: dict[str, Callable[[], object]] = {
        SHORT: lambda: read_module(twin, shape), EXPORT: lambda: exported(twin.module, shape), TWICE: traced_twice,
    }  # fmt: skip
    found = alternate({key: lambda work=work: seconds_of(work) for key, work in works.items()}, repeats=repeats)
    return [
        Line(
            what=f"a module read as a graph, {name}: {SHORT} / {other}",
            medians={key: median(found[key]) for key in (SHORT, other)},
            ratio=Ratio.of_pairs(found[SHORT], found[other]),
        )
        for other in (EXPORT, TWICE)
    ]
