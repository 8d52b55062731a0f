"""Before a scan whose engine only proposes: does the engine run this network, and how far is it off at most?"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from layerscope.core.engines import Engine
from layerscope.core.failures import out_of_memory
from layerscope.core.records import Input, LayerRecord
from layerscope.graph import Carrier, Runner, visit
from layerscope.pipeline.settings import BATCH
from layerscope.scan.proposed import MEASURED_ON, Bounds, bounds_of, highest, maxima_of, watched
from layerscope.sources import Source
from layerscope.sources.decode import reason


class Unsuited(Exception):
    """Why an engine does not propose for this network, as a clause."""


def measured(
    engine: Engine, program: Carrier, layers: tuple[LayerRecord, ...], source: Source, input: Input
) -> Bounds | None:
    """An engine's bounds, on images that are spread over the source; None where none of them can be used.

    Raises Unsuited where the engine cannot run the network, where no bound can be told, or where the network's own
    numbers for an image depend on the others of its batch: candidates are run again beside others.
    """
    assert engine.proposer is not None
    _require_continuous(program, layers)
    batches = _batches(source, input)
    if not batches:
        return None
    nodes = watched(program.graph, layers)
    mixed = depending_on_others(program, layers, batches[0])
    if mixed:
        raise Unsuited(f"the numbers of {mixed[0].name} depend on the other images of a batch")
    try:
        proposer = engine.proposer(program)
        fast = [maxima_of(proposer, x, nodes) for x in batches]
    except Exception as error:
        if out_of_memory(error):
            raise
        raise Unsuited(_where(engine, program, batches[0][:1], error)) from error
    exact = [maxima_of(program, x, nodes) for x in batches]
    joined = [{node: torch.cat([part[node] for part in parts]) for node in nodes} for parts in (exact, fast)]
    if not all(bool(torch.isfinite(joined[1][node]).all()) for node in nodes):
        raise Unsuited("its numbers are not finite")
    return bounds_of(*joined)


def _require_continuous(program: Carrier, layers: tuple[LayerRecord, ...]) -> None:
    graph = program.graph
    for number in sorted(graph.ancestors({layer.node for layer in layers}) - {0}):
        node = graph.nodes[number]
        row = graph.row(node)
        if row is None:
            raise Unsuited(
                f'node "{node.name}" ({node.op}) has no row, so that nothing is known of how an error grows in it'
            )
        if row.jumps:
            raise Unsuited(f'node "{node.name}" ({node.op}) jumps at some values, so that its error has no bound')


def _batches(source: Source, input: Input) -> list[Tensor]:
    """Some images, spread over the source, in batches; none where none of them can be used."""
    ids = np.unique(np.linspace(0, len(source) - 1, MEASURED_ON).round().astype(int)).tolist()
    pixels = torch.from_numpy(source.apart().load(ids, input).pixels)
    return list(pixels.split(BATCH)) if len(pixels) else []


def depending_on_others(program: Runner, layers: Sequence[LayerRecord], x: Tensor) -> list[LayerRecord]:
    """The layers whose maxima of an image have other last bits where other images, or none, stand beside it."""
    there = _maxima(program, layers, x)
    found = []
    for first in (0, 1):
        stays = slice(first, None, 2)
        for others in (torch.zeros_like(x), x.flip(0)):
            mixed = others.contiguous(memory_format=torch.channels_last).clone()
            mixed[stays] = x[stays]
            other = _maxima(program, layers, mixed)
            found += [one for one in layers if not torch.equal(there[one.node][stays], other[one.node][stays])]
    return [layer for layer in layers if layer in found]


def _maxima(program: Runner, layers: Sequence[LayerRecord], x: Tensor) -> dict[int, Tensor]:
    found: dict[int, list[Tensor]] = {layer.node: [] for layer in layers}
    visit(program, x, set(found), lambda node, first, values: found[node].append(highest(values)))
    return {node: torch.cat(parts) for node, parts in found.items()}


def _where(engine: Engine, program: Carrier, x: Tensor, error: Exception) -> str:
    """What went wrong, and at which node, as far as that can be found."""
    assert engine.proposer is not None
    for node in program.graph.nodes[1:]:
        try:
            engine.proposer(program).run(x, {node.id})
        except Exception as failure:
            return f'it cannot run node "{node.name}" ({node.op}): {reason(failure)}'
    return reason(error)
