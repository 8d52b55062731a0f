"""A module becomes a graph: beside exporting it alone, and beside torch's second trace of what was exported; and its
replay, beside one in which the graph computes everything once more."""

import copy
from collections.abc import Callable
from statistics import median

from bench.report import Line
from bench.subjects import subject
from bench.timing import Ratio, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.graph import Reading, prepared, read_module, replay
from layerscope.graph.export import exported
from layerscope.testing.slow import slow_paths

SHORT, EXPORT, TWICE = "read", "export alone", "read with a second trace"
REPLAY, COMPUTED_TWICE = "replayed", "all computed twice"


def measure(workshop: Workshop) -> list[Line]:
    """Each network read both ways and exported alone, in turns, without its replay."""
    sizes = workshop.sizes
    read = [line for name in sizes.networks for line in _lines(name, sizes.repeats)]
    return read + [_replayed(name, sizes.repeats) for name in sizes.networks]


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


def _replayed(name: str, repeats: int) -> Line:
    """A network held to the graph made of it, which is what every command does that opens one."""
    chosen = subject(name)
    net = chosen.network
    twin = prepared(copy.deepcopy(chosen.model))
    traced = read_module(twin, net.input.shape)
    reading = Reading(net.program, traced.recipe, net.layers, traced.returned)

    def once() -> object:
        return replay(twin.module, reading, net.input)

    def twice() -> None:
        with slow_paths("one computation in a replay"):
            once()

    found = alternate(
        {REPLAY: lambda: seconds_of(once), COMPUTED_TWICE: lambda: seconds_of(twice)}, repeats=repeats
    )  # fmt: skip
    return Line(
        what=f"the replay of a network, {name}: {REPLAY} / {COMPUTED_TWICE}",
        medians={key: median(found[key]) for key in (REPLAY, COMPUTED_TWICE)},
        ratio=Ratio.of_pairs(found[REPLAY], found[COMPUTED_TWICE]),
    )
