"""Blocks of a network whose code has no modules to tell them by: where ways part and meet again.

Keras' functional networks, files whose calls stand in one list, and a forward written in one piece are such networks.
What begins at one node, ends at another and is read nowhere else is a region; the outermost regions that hold at most
half of the filters are blocks, where at least two of them stand one behind the other. A dense block is a run of
regions that each hand on what they got beside their own. A block without a way around it (the first of a stage of
EfficientNet) has no region: it is told by its filters' names, which end as those of the regions do.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from layerscope.graph.blocks import ModuleCall, module_calls
from layerscope.graph.graph import Graph

REGION = "region"
# A map of so many times the places of all that it is made of is sampled up; a border is less.
LARGER = 2


@dataclass(frozen=True, kw_only=True)
class Region:
    """entry: the node that all ways come from, not of the region itself. nodes: what lies between, exit included."""

    entry: int
    exit: int
    nodes: frozenset[int]


def regions_of(graph: Graph) -> list[ModuleCall]:
    """The blocks of a network, as calls that bear the name of what leaves them; none where no two follow."""
    known = {node.id for node in graph.nodes if not graph.lost[node.id]}
    filters = {node for node in known if graph.role(graph.nodes[node]) == "filters"} - graph.factors
    made = module_calls(graph).values()
    found = [region for region in _meeting(graph, known) if _may_be_block(graph, region, filters, made)]
    outermost: list[Region] = []
    for region in sorted(found, key=lambda one: len(one.nodes), reverse=True):
        if all(region.nodes.isdisjoint(other.nodes) for other in outermost):
            outermost.append(region)
    outermost = _dense(graph, sorted(outermost, key=lambda one: one.exit), filters)
    if not _follow(graph, outermost):
        return []
    calls = [_as_call(graph, region, filters, known) for region in outermost]
    return [*calls, *_made_alike(graph, calls, filters, known)]


def _meeting(graph: Graph, known: set[int]) -> Iterator[Region]:
    """Of every node at which ways meet the region behind the last node that all of these ways went through."""
    parents, depths = {0: 0}, {0: 0}
    for node in graph.nodes[1:]:
        sources = [source for source in node.sources if source in parents]
        if node.id not in known or not sources:
            continue
        entry = sources[0]
        for source in sources[1:]:
            entry = _nearest_common(parents, depths, entry, source)
        parents[node.id], depths[node.id] = entry, depths[entry] + 1
        if len({*sources}) > 1 and node.op != "gate":
            yield Region(entry=entry, exit=node.id, nodes=_between(graph, entry, node.id))


def _nearest_common(parents: dict[int, int], depths: dict[int, int], one: int, other: int) -> int:
    while one != other:
        if depths[one] < depths[other]:
            one, other = other, one
        one = parents[one]
    return one


def _between(graph: Graph, entry: int, exit_: int) -> frozenset[int]:
    found, waiting = {exit_}, [exit_]
    while waiting:
        for source in graph.nodes[waiting.pop()].sources:
            if source != entry and source not in found:
                found.add(source)
                waiting.append(source)
    return frozenset(found)


def _may_be_block(graph: Graph, region: Region, filters: set[int], calls: Iterable[ModuleCall]) -> bool:
    """True where nothing inside is read outside, nothing is sampled up, no call of a module is parted, and there are
    filters enough, but at most half of the network's."""
    nodes = region.nodes
    if any(_is_read_outside(graph, node, nodes) for node in nodes - {region.exit}):
        return False
    if any(_is_larger(graph, node) for node in nodes):
        return False
    inside = len(nodes & filters)
    enough = inside > (0 if graph.role(graph.nodes[region.exit]) == "sum" else 1)
    whole = all(c.inside.isdisjoint(nodes) or c.inside <= nodes or nodes <= c.inside for c in calls if c.own)
    return enough and 2 * inside <= len(filters) and whole


def _is_read_outside(graph: Graph, node: int, nodes: Collection[int]) -> bool:
    return node in graph.outputs or any(reader not in nodes for reader in graph.consumers[node])


def _is_larger(graph: Graph, node: int) -> bool:
    """True for a map of twice the places of whatever it is made of; single places aside."""
    sizes = [_places(graph, source) for source in graph.nodes[node].sources]
    return max(sizes, default=0) > 1 and _places(graph, node) >= LARGER * max(sizes)


def _places(graph: Graph, node: int) -> int:
    shape = graph.nodes[node].shape
    return shape[1] * shape[2] if len(shape) == 3 else 1


def _dense(graph: Graph, regions: list[Region], filters: set[int]) -> list[Region]:
    """Runs of regions that hand on what they got beside their own, each run as one region."""
    found: list[Region] = []
    handing = False
    for region in regions:
        before, handing = handing, _hands_on(graph, region)
        if before and handing and region.entry == found[-1].exit:
            joined = Region(entry=found[-1].entry, exit=region.exit, nodes=found[-1].nodes | region.nodes)
            if 2 * len(joined.nodes & filters) <= len(filters):
                found[-1] = joined
                continue
        found.append(region)
    return found


def _hands_on(graph: Graph, region: Region) -> bool:
    exit_ = graph.nodes[region.exit]
    return exit_.op == "cat" and any(source not in region.nodes for source in exit_.sources)


def _follow(graph: Graph, regions: list[Region]) -> bool:
    """True where one of the regions reads, in the end, what another gives."""
    return any(one.exit in graph.ancestors({other.entry}) for one in regions for other in regions if one != other)


def _as_call(graph: Graph, region: Region, filters: set[int], known: set[int]) -> ModuleCall:
    """A region with the activation of what leaves it, by the name of that; by what the names of its filters have in
    common where that has only a number."""
    exit_ = graph.nodes[region.exit]
    readers = [reader for reader in graph.consumers[exit_.id] if reader in known]
    if len(readers) == 1 and graph.role(graph.nodes[readers[0]]) == "activation":
        exit_ = graph.nodes[readers[0]]
    stem, _ = _stem(graph, region.nodes & filters)
    free = stem and all(stem != node.name for node in graph.nodes)
    nodes = tuple(sorted(region.nodes | {exit_.id}))
    name = stem if free and _is_numbered(graph, exit_.name) else exit_.name
    return ModuleCall(name=name, kind=REGION, around=(), nodes=nodes, leaving=(exit_.id,))


def _made_alike(graph: Graph, calls: list[ModuleCall], filters: set[int], known: set[int]) -> Iterator[ModuleCall]:
    """Blocks beside the regions, by name: at least two operations with filters whose names begin alike and end like
    those of a region, all that is called so and what lies between, where one node leaves it."""
    found = [_stem(graph, filters.intersection(call.nodes)) for call in calls]
    ends = {end for _, own in found for end in own}
    inside = {node for call in calls for node in call.nodes}
    alike: dict[str, set[int]] = defaultdict(set)
    for node in filters - inside:
        name = graph.nodes[node].name
        if end := max((end for end in ends if name.endswith(end)), key=len, default=""):
            alike[name.removesuffix(end)].add(node)
    stems = {stem: nodes for stem, nodes in alike.items() if stem and len(nodes) > 1}
    known_stems = {*stems, *(stem for stem, _ in found if stem)}
    members: dict[str, set[int]] = defaultdict(set)
    for node in known - inside:
        held = [stem for stem in known_stems if graph.nodes[node].name.startswith(f"{stem}_")]
        members[max(held, key=len, default="")].add(node)
    for stem in stems:
        nodes = _with_between(graph, members[stem])
        leaving = [node for node in nodes if _is_read_outside(graph, node, nodes)]
        if len(leaving) == 1 and nodes.isdisjoint(inside):
            name = graph.nodes[leaving[0]].name
            yield ModuleCall(name=name, kind=REGION, around=(), nodes=tuple(sorted(nodes)), leaving=tuple(leaving))


def _with_between(graph: Graph, nodes: set[int]) -> set[int]:
    """Nodes, and what lies on the ways between them."""
    behind: set[int] = set()
    for node in graph.nodes:
        if not nodes.isdisjoint(node.sources) or not behind.isdisjoint(node.sources):
            behind.add(node.id)
    return nodes | (behind & graph.ancestors(set(nodes)))


def _stem(graph: Graph, nodes: Iterable[int]) -> tuple[str, set[str]]:
    """What the names of more than half of these nodes begin with, up to an underscore, and how these names end; empty
    where less than two do, and where it is what Keras and torch number their own names by."""
    names = [graph.nodes[node].name for node in nodes]
    counts = Counter(name[: match.start()] for name in names for match in re.finditer("_", name))
    often = [stem for stem, count in counts.items() if stem and count > max(1, len(names) / 2)]
    stem = max(often, key=lambda one: (counts[one], len(one)), default="")
    if not stem or _is_numbered(graph, stem):
        return "", set()
    return stem, {name[len(stem) :] for name in names if name.startswith(f"{stem}_")}


def _is_numbered(graph: Graph, name: str) -> bool:
    """True for `add_5` beside `add_6`: a name that says nothing but how many of its kind came before."""
    base = re.sub(r"_[0-9]+$", "", name)
    return sum(re.sub(r"_[0-9]+$", "", node.name) == base for node in graph.nodes) > 1
