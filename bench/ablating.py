"""Units taken out of a network: one pass to their layer for all draws, beside every network run anew from the input."""

from collections.abc import Iterator
from functools import partial

from bench.report import Line
from bench.subjects import Subject, subject
from bench.timing import alternate, seconds_of
from bench.workshop import Workshop
from layerscope.causes import ablate, judge_of
from layerscope.causes.ablate import require_class_output
from layerscope.core.records import LayerRecord
from layerscope.sources import Source, open_source
from layerscope.testing.slow import slow_paths

PICTURES, UNITS, DRAWS = 32, 4, 5


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line per network, for the layer in the middle of those that are scanned."""
    source = open_source(workshop.paths[:PICTURES])
    for name in workshop.sizes.networks:
        chosen = subject(name)
        layer = chosen.scanned[len(chosen.scanned) // 2]
        timed = {
            "kept": partial(seconds_of, partial(_kept, chosen, layer, source)),
            "anew": partial(seconds_of, partial(_anew, chosen, layer, source)),
        }
        yield Line(
            name=f"ablating/{name}",
            what=f"all anew / from kept maps, {UNITS} units of {layer.name}, {DRAWS} draws, {PICTURES} images, {name}",
            samples=alternate(timed, repeats=workshop.sizes.repeats),
            above=("anew",),
            below=("kept",),
        )


def _kept(subject: Subject, layer: LayerRecord, source: Source) -> None:
    program = subject.network.program
    outputs = program.graph.nodes[require_class_output(program.graph, "this network")].shape[0]
    judge = judge_of(outputs, source, own=True)
    ablate(program, subject.network.input, [(layer, range(UNITS))], source, judge, draws=DRAWS)


def _anew(subject: Subject, layer: LayerRecord, source: Source) -> None:
    with slow_paths("maps kept by an ablation"):
        _kept(subject, layer, source)
