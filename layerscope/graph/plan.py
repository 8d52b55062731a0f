"""A plan: which calls are made, in which order, what each leaves behind and what it writes over.

A value is dropped as soon as nothing reads it any more, and a rectifier or a sum writes over an input that nobody else
needs: the memory traffic of the user's own in-place modules, without their side effects. A convolution and what
follows it are one call where nobody asks for what lies between them (`graph/fused.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch._ops import OpOverload

from layerscope.graph.bounded import measured_steps
from layerscope.graph.fused import FusedCall, MakesFilters, fusions
from layerscope.graph.graph import Graph, Node
from layerscope.graph.ops.calls import Call, NodeInput
from layerscope.graph.runner import Carrier


@dataclass(frozen=True)
class Step:
    """One call of a plan: where its inputs are, and which values nobody needs after it.

    measured: whether its values must be known to be small before the calls behind it are made (`graph/bounded.py`).
    """

    node: int
    call: Call | FusedCall
    sources: tuple[int, ...]
    dropped: tuple[int, ...]
    measured: bool = False


def plan_of(
    program: Carrier, wanted: frozenset[int], kept: frozenset[int], filters: MakesFilters | None
) -> tuple[Step, ...]:
    """The steps that lead to the wanted nodes. kept: those that must still be there at the end; the others are looked
    at once, right behind their step. filters: makes those of joined calls; None where none are to be joined."""
    needed = sorted(program.graph.ancestors(set(wanted)) - {0})
    steps = [Step(node, program.call(node), program.graph.nodes[node].sources, ()) for node in needed]
    if filters is not None:
        steps = _joined(program, filters, steps, wanted)
    steps = [_writing_over(program.graph, step) for step in _with_drops(steps, kept)]
    measured = measured_steps(program, [(step.node, step.call, step.sources) for step in steps])
    if measured is None:
        return plan_of(program, wanted, kept, None)
    return tuple(replace(step, measured=step.node in measured) for step in steps)


def _joined(program: Carrier, filters: MakesFilters, steps: Sequence[Step], wanted: Collection[int]) -> list[Step]:
    """The same with fusions in place of the last step of each, and without the others of it."""
    found = fusions(program, filters, [step.node for step in steps], wanted)
    hidden = {node for fusion in found.values() for node in fusion.nodes}
    made: list[Step] = []
    for step in steps:
        if step.node in found:
            made.append(Step(step.node, found[step.node], found[step.node].sources, ()))
        elif step.node not in hidden:
            made.append(step)
    return made


def _with_drops(steps: Sequence[Step], kept: Collection[int]) -> list[Step]:
    last: dict[int, int] = {}
    for step in steps:
        last[step.node] = step.node
        last |= dict.fromkeys(step.sources, step.node)
    return [
        replace(step, dropped=tuple(
            node for node in dict.fromkeys((*step.sources, step.node)) if last[node] == step.node and node not in kept
        ))
        for step in steps
    ]  # fmt: skip


def _writing_over(graph: Graph, step: Step) -> Step:
    """The same step, in place of an input that is its alone."""
    if isinstance(step.call, FusedCall):
        over = len(step.sources) == 2 and may_overwrite(graph, step, 1)
        return replace(step, call=replace(step.call, over=over))
    node = graph.nodes[step.node]
    # An in-place call writes over its first argument, which in `bias + x` is a weight.
    if not node.sources or graph.behind[node.id] or next(iter(node.args.values())) != NodeInput(0):
        return step
    over = _in_place(step.call.target) if may_overwrite(graph, step, 0) else None
    return replace(step, call=replace(step.call, target=over or step.call.target))


def may_overwrite(graph: Graph, step: Step, place: int) -> bool:
    """True where an input is this step's alone: not the network's input, and no view of another value."""
    source = step.sources[place]
    fresh = source != 0 and not _is_view(graph, graph.nodes[source])
    viewed = any(_is_view(graph, graph.nodes[reader]) for reader in graph.consumers[source])
    alone = source in step.dropped and step.sources.count(source) == 1
    return fresh and not viewed and alone and graph.nodes[source].shape == graph.nodes[step.node].shape


def _is_view(graph: Graph, node: Node) -> bool:
    """True for what may lie in the memory of another value: views, and calls of which nothing is known."""
    return bool(node.refused) or graph.role(node) == "view"


def _in_place(target: Any) -> OpOverload | None:
    """The in-place variant of an ATen overload, for what acts on each number by itself."""
    namespace, name = target._schema.name.split("::")
    packet = getattr(torch.ops.aten, f"{name}_", None) if namespace == "aten" else None
    return getattr(packet, target._overloadname, None) if packet is not None else None
