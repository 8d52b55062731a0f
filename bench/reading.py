"""A module becomes a graph: beside exporting it alone, and beside torch's second trace of what was exported; and its
replay, beside one in which the graph computes everything once more."""

import copy
from collections.abc import Callable, Iterator

from bench.report import Line
from bench.subjects import subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.graph import Reading, prepared, read_module, replay
from layerscope.graph.export import exported
from layerscope.testing.slow import slow_paths

SHORT, EXPORT, TWICE = "read", "export alone", "read with a second trace"
REPLAY, COMPUTED_TWICE = "replayed", "all computed twice"


def measure(workshop: Workshop) -> Iterator[Line]:
    """Each network read both ways and exported alone, in turns, without its replay; then replayed both ways."""
    for name in workshop.sizes.read:
        yield from _read(name, workshop.sizes.repeats)
        yield _replayed(name, workshop.sizes.repeats)


def _read(name: str, repeats: int) -> Iterator[Line]:
    chosen = subject(name)
    twin, shape = prepared(copy.deepcopy(chosen.model)), chosen.network.input.shape

    def traced_twice() -> None:
        with slow_paths("one trace"):
            read_module(twin, shape)

    works: dict[str, Callable[[], object]] = {
        SHORT: lambda: read_module(twin, shape), EXPORT: lambda: exported(twin.module, shape), TWICE: traced_twice,
    }  # fmt: skip
    found = alternate({key: lambda work=work: seconds_of(work) for key, work in works.items()}, repeats=repeats)
    for path, other in (("export", EXPORT), ("second trace", TWICE)):
        yield Line(
            name=f"reading/{name}/{path}",
            what=f"a module read as a graph, {name}: {SHORT} / {other}",
            samples={key: found[key] for key in (SHORT, other)},
            above=(SHORT,),
            below=(other,),
        )


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
        name=f"reading/{name}/replay",
        what=f"the replay of a network, {name}: {REPLAY} / {COMPUTED_TWICE}",
        samples=found,
        above=(REPLAY,),
        below=(COMPUTED_TWICE,),
    )
