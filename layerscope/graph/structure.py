"""How a network is put together: its blocks, the columns beside each other, and the branches inside of blocks.

A block is what its authors made once and called again and again, one behind the other. What only strings blocks
together is a stage, and is read for what it holds; what stands in the place of a numbered block is one, too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from layerscope.graph.blocks import ModuleCall, filters_of, module_calls
from layerscope.graph.graph import Graph
from layerscope.graph.regions import regions_of


@dataclass(frozen=True, kw_only=True)
class Structure:
    """calls: every call of a module, by name. blocks: the outermost ones, in execution order. columns: calls side by
    side, outside of blocks. branches: the chains of blocks side by side in a block that several nodes leave. listed:
    modules of own classes that stand in one list with blocks.

    Blocks and columns are calls of an own class that is called at least twice, with at least two operations with
    filters, or with one and a sum. A block has another of its class before or behind it; a column only beside it, or
    inside it.
    """

    calls: Mapping[str, ModuleCall]
    blocks: tuple[ModuleCall, ...]
    columns: tuple[ModuleCall, ...]
    branches: tuple[ModuleCall, ...]
    listed: tuple[ModuleCall, ...]


def structure_of(graph: Graph) -> Structure:
    """How a network is put together, as far as its graph tells."""
    calls = module_calls(graph)
    own = [call for call in calls.values() if call.own and _has_filters(graph, call)]
    repeated = _repeated(own)
    before = _before(graph)
    in_series = [one for one in repeated if any(_follow(before, one, other) for other in repeated)]
    stages = _stages(graph, in_series)
    units = {one.name for one in in_series if one.kind not in stages}
    outside = [one for one in repeated if one.kind not in stages and units.isdisjoint(one.around)]
    blocks = [one for one in outside if one.name in units]
    blocks += _smaller(graph, calls.values(), blocks)
    blocks = [*blocks, *_in_their_places(graph, own, blocks)]
    columns = [one for one in outside if one.name not in units]
    if not blocks and not columns:
        blocks = regions_of(graph)
    return Structure(
        calls=calls,
        blocks=tuple(sorted(blocks, key=lambda one: one.nodes)),
        columns=tuple(columns),
        branches=tuple(_branches(calls.values(), blocks, in_series)),
        listed=tuple(_listed(calls.values(), blocks)),
    )


def _has_filters(graph: Graph, call: ModuleCall) -> bool:
    """True where a call has at least two operations with filters, or one that it adds another map to.

    Operations that only make a gate do not do for all of them.
    """
    filters = filters_of(graph, call)
    roles = {graph.role(graph.nodes[node]) for node in call.nodes}
    added = call.output is not None and graph.role(graph.nodes[call.output]) == "sum" and "activation" not in roles
    return len(filters) > (0 if added else 1) and not graph.factors.issuperset(filters)


def _repeated(own: list[ModuleCall]) -> list[ModuleCall]:
    kinds: dict[str, list[ModuleCall]] = defaultdict(list)
    for call in own:
        kinds[call.kind].append(call)
    return [call for alike in kinds.values() if len(alike) > 1 for call in alike]


def _follow(before: list[int], one: ModuleCall, other: ModuleCall) -> bool:
    """True where one of two calls of a class reads, in the end, what the other gives; neither is made in the other."""
    if one.kind != other.kind or one.name in (other.name, *other.around) or other.name in one.around:
        return False
    return any(before[a] >> b & 1 or before[b] >> a & 1 for a in one.leaving for b in other.leaving)


def _before(graph: Graph) -> list[int]:
    """For every node the set of those that it depends on, as bits."""
    found: list[int] = []
    for node in graph.nodes:
        bits = 0
        for source in node.sources:
            bits |= found[source] | 1 << source
        found.append(bits)
    return found


def _outermost(calls: list[ModuleCall]) -> list[ModuleCall]:
    names = {one.name for one in calls}
    return [one for one in calls if names.isdisjoint(one.around)]


def _stages(graph: Graph, in_series: list[ModuleCall]) -> set[str]:
    """The classes that only string blocks together: no way through a call of theirs leads around one of its blocks,
    and some of the calls hold two or more. Not so a dense block, or blocks with a skip around all of them."""
    kinds: dict[str, list[list[ModuleCall]]] = defaultdict(list)
    for stage in in_series:
        held = _outermost([one for one in in_series if stage.name in one.around])
        kinds[stage.kind].append(held if all(_passes(graph, stage, one) for one in held) else [])
    return {kind for kind, held in kinds.items() if all(held) and max(map(len, held)) > 1}


def _passes(graph: Graph, stage: ModuleCall, block: ModuleCall) -> bool:
    """True where whatever goes through a stage goes through this block of it, which does not hand it on beside its
    own: what is joined to all that came before is a layer of a dense block."""
    if any(
        graph.nodes[node].op == "cat" and any(source not in block.inside for source in graph.nodes[node].sources)
        for node in block.leaving
    ):
        return False
    around: set[int] = set()
    for node in stage.nodes:
        sources = graph.nodes[node].sources
        if node not in block.inside and any(s not in stage.inside or s in around for s in sources):
            around.add(node)
    return around.isdisjoint(stage.leaving)


def _smaller(graph: Graph, calls: Iterable[ModuleCall], blocks: list[ModuleCall]) -> list[ModuleCall]:
    """The calls of a block's class that have one operation with filters only: one branch less than the others."""
    kinds, names = {one.kind for one in blocks}, {one.name for one in blocks}
    alike = [call for call in calls if call.kind in kinds and names.isdisjoint((call.name, *call.around))]
    return [call for call in alike if len(filters_of(graph, call)) == 1]


def _in_their_places(graph: Graph, own: list[ModuleCall], blocks: list[ModuleCall]) -> list[ModuleCall]:
    """The calls that are numbered like blocks: a stage's only block of its kind, a pyramid pool between blocks.

    What holds blocks is none, nor what the network ends with.
    """
    places = {_place(one.name) for one in blocks} - {None}
    holding = {name for one in blocks for name in (one.name, *one.around)}
    within = {one.name for one in blocks}
    found = [call for call in own if _place(call.name) in places and call.name not in holding]
    return [
        call for call in found
        if within.isdisjoint(call.around) and call.output is not None and call.output not in graph.outputs
    ]  # fmt: skip


def _listed(calls: Iterable[ModuleCall], blocks: list[ModuleCall]) -> list[ModuleCall]:
    """A convolution with its activation, a sampling or a joining beside blocks: numbered as they are, in one list."""
    lists = {one.name.rpartition(".")[0] for one in blocks if _place(one.name)}
    return [call for call in calls if call.own and _place(call.name) and call.name.rpartition(".")[0] in lists]


def _place(name: str) -> str | None:
    """The path of what is numbered, without the numbers; None for what is not."""
    parts = name.partition("@")[0].split(".")
    return ".".join("#" if part.isdigit() else part for part in parts) if parts[-1].isdigit() else None


def _branches(calls: Iterable[ModuleCall], blocks: list[ModuleCall], in_series: list[ModuleCall]) -> list[ModuleCall]:
    """Inside of blocks of a class that gives several maps: the outermost calls that hold blocks and that one leaves."""
    several = {one.kind for one in blocks if len(one.leaving) > 1}
    holding = {name for one in in_series for name in (one.name, *one.around)}
    found = []
    for block in blocks:
        if block.kind in several:
            inside = [call for call in calls if block.name in call.around and call.name in holding]
            found += _outermost([call for call in inside if call.output not in (None, *block.leaving)])
    return found
