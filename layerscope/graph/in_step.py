"""Two runs in step: whenever one of the user's modules has given its output, the graph is run as far as the layer of
that name and the two are compared. Nothing is kept but what later operations read, however large the network is.

A layer that no module gives, and that leads to none that is compared (a function in front of an operation without a
row), is looked for among the results of all calls that the network makes: one of them must hold its numbers.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.utils._pytree import tree_leaves

from layerscope.core.failures import chain, out_of_memory
from layerscope.core.records import LayerRecord
from layerscope.graph.axes import seen_as, shapes
from layerscope.graph.constants import WeightsRecipe
from layerscope.graph.graph import Node
from layerscope.graph.module import signature
from layerscope.graph.runner import Carrier
from layerscope.graph.watched import ResultWatch

# Modules that torch runs as one call: what is inside them is nobody's result.
FUSED = ("torch.nn.modules.activation.MultiheadAttention", "torch.nn.modules.transformer.", "torch.nn.modules.rnn.")


@dataclass(frozen=True)
class Reading:
    """How a network was read. program: as it is used. recipe: of its weights. layers: of it. returned: for each of the
    network's outputs its node, None where it has none."""

    program: Carrier
    recipe: WeightsRecipe
    layers: Sequence[LayerRecord]
    returned: Sequence[int | None]

    @cached_property
    def names(self) -> dict[str, int]:
        """The node of every name that a layer has."""
        return {name: layer.node for layer in self.layers for name in (layer.name, *layer.aliases)}

    @cached_property
    def outputs(self) -> dict[str, tuple[int, int]]:
        """The outputs that can be run, by what they are called: the place and the node of each."""
        lost, count = self.program.graph.lost, len(self.returned)
        return {
            "the output" if count == 1 else f"output {place + 1} of {count}": (place, node)
            for place, node in enumerate(self.returned)
            if node and not lost[node]
        }


class InStep:
    """The user's network run once on some pictures, the graph in step with it.

    gaps: by name, how far a layer or output of the graph is from the user's own. bound: what rounding may do to them.
    apart: by node, how far the program in use is on the first picture alone from the graph on all. returned: what the
    network returned, its tensors in a row. failed: why the network could not be run, or "". stuck: the node at which
    the graph could not be run, and why. coarser: the network's own code made its numbers coarser. idle: by their
    number, the network's own calls that changed nothing on these pictures: a rectifier of values that are all above
    zero, which could be left out unseen.
    """

    def __init__(
        self, module: nn.Module, program: Carrier, reading: Reading, pictures: Tensor, bound: float,
        given: Tensor | None = None,
    ) -> None:  # fmt: skip
        """given: what the graph is run on, where that is something else than the pictures."""
        self.module, self.program, self.reading, self.pictures = module, program, reading, pictures
        self.bound, self._given = bound, pictures if given is None else given
        self.gaps: dict[str, float] = {}
        self.apart: dict[int, float] = {}
        self.returned: list[Any] = []
        self.failed, self.stuck = "", ("", "")
        self._calls: Counter[str] = Counter()
        self._calls_watched = ResultWatch(program.dtype, self._seen)
        paths = {path for path, _ in module.named_modules() if path}
        self._named = {name: node for name, node in reading.names.items() if _path(name) in paths}
        self._waited_for = Counter([*self._named.values(), *(node for _, node in reading.outputs.values())])
        self._loose = self._led_to_nothing()
        self._waited_for.update(self._loose)
        self._held: dict[int, Tensor] = {}
        self._values = self._run({layer.node for layer in reading.layers} | set(self._waited_for))
        self._forward()
        self.bound = max(self.bound, self._rounded)

    @property
    def outputs(self) -> int:
        """How many outputs the network has: tensors that it does not only hand on."""
        nodes = self.reading.returned
        handed_on = [node == 0 for node in nodes] if len(nodes) == len(self.returned) else [False] * len(self.returned)
        given = zip(self.returned, handed_on, strict=True)
        return sum(isinstance(value, Tensor) and not same for value, same in given)

    @property
    def _rounded(self) -> float:
        """What may come of numbers that the network makes in a coarser type out of none (a grid of places, say), where
        the graph makes them in its own; 0 where it makes none."""
        eps = self._calls_watched.eps
        return 16 * eps if eps > torch.finfo(self.program.dtype).eps else 0.0

    @property
    def coarser(self) -> bool:
        return self._calls_watched.coarser

    @property
    def idle(self) -> set[int]:
        return self._calls_watched.idle

    def node(self, name: str) -> int:
        """The node of a name that was compared."""
        if name in self.reading.outputs:
            return self.reading.outputs[name][1]
        return self._named[name] if name in self._named else self.reading.names[name]

    def compared(self) -> dict[str, float]:
        """The gaps in execution order, without modules that were called more or less often than the graph names."""
        times = Counter(map(_path, self._named))
        sure = [n for n in self.gaps if n in self.reading.outputs or self._calls[_path(n)] == times[_path(n)]]
        found = {name: self.gaps[name] for name in sure}
        nodes = self.reading.program.graph.nodes
        found |= {nodes[node].name: nearest for node, nearest in self._loose.items()}
        return dict(sorted(found.items(), key=lambda item: self.node(item[0])))

    def _led_to_nothing(self) -> dict[int, float]:
        """The layers that no comparison would show: by node, how near a result of the network has come to them."""
        graph = self.reading.program.graph
        shown = graph.ancestors(set(self._waited_for))
        loose = {layer.node for layer in self.reading.layers} - shown
        kinds = {node: [kind for _, kind in graph.nodes[node].classes] for node in loose}
        return {node: inf for node in sorted(loose) if not any(kind.startswith(FUSED) for kind in kinds[node])}

    def _seen(self, result: Tensor) -> None:
        """Hold a result of one of the network's calls to the layers that it could be."""
        graph = self.reading.program.graph
        for node, nearest in self._loose.items():
            if nearest > self.bound and tuple(result.shape[1:]) in _shapes(graph.nodes[node]):
                value = self._until(node)
                if value is None:
                    return
                self._loose[node] = min(nearest, self._gap(node, value, result))
                if self._loose[node] <= self.bound:
                    self._release(node)

    def _forward(self) -> None:
        modules = [(path, module) for path, module in self.module.named_modules() if path]
        hooks = [module.register_forward_hook(partial(self._hooked, path)) for path, module in modules]
        try:
            with self._calls_watched:
                self.returned = tree_leaves(called(self.module, self.pictures, self.program.dtype))
            for name, (place, node) in self.reading.outputs.items():
                self._compare(name, node, self.returned[place])
            for _ in self._values:
                pass
        except Exception as error:
            self.failed = _first_line(error)
        finally:
            for hook in hooks:
                hook.remove()
            # A run that leads back to itself would keep its network, in float64 perhaps, until garbage is looked for.
            self._values.close()
            self._calls_watched.let_go()

    def _hooked(self, path: str, module: nn.Module, given: Any, output: Any) -> None:
        self._calls[path] += 1
        name = path if self._calls[path] == 1 else f"{path}@{self._calls[path]}"
        if name in self._named:
            with self._calls_watched.paused():
                self._compare(name, self._named[name], output)

    def _compare(self, name: str, node: int, output: Any) -> None:
        value = self._until(node)
        if value is None:
            return
        if isinstance(output, Tensor):
            self.gaps[name] = self._gap(node, value, output)
        self._release(node)

    def _gap(self, node: int, value: Tensor, output: Tensor) -> float:
        """As `gap`, whichever way the network's own tensor lies in the node's; a value of another shape than the graph
        states is read wrongly, and lies in none."""
        read = self.reading.program.graph.nodes[node]
        if tuple(value.shape[1:]) != tuple(read.shape):
            return inf
        return min(gap(seen, output) for seen in seen_as(value, read.lies))

    def _until(self, node: int) -> Tensor | None:
        """The value of a node that is waited for; the graph is run as far as it. None where it cannot be."""
        while node not in self._held:
            if next(self._values, None) is None:
                return None
        return self._held[node]

    def _release(self, node: int) -> None:
        self._waited_for[node] -= 1
        if not self._waited_for[node]:
            del self._held[node]

    def _run(self, wanted: set[int]) -> Generator[int, None, None]:
        """The wanted nodes, each as it is computed; those that somebody waits for are held."""
        alone = values(self.reading.program, self._given[:1], wanted) if len(self._given) > 1 else iter(())
        try:
            for node, value in values(self.program, self._given, wanted):
                if self._waited_for[node]:
                    self._held[node] = value
                for _, single in _next(alone):
                    self.apart[node] = gap(single, value[:1])
                yield node
        except Stuck as stuck:
            if any(map(out_of_memory, chain(stuck))):  # no fault of the graph
                raise MemoryError("out of memory") from stuck
            self.stuck = (self.reading.program.graph.nodes[stuck.node].name, stuck.why)


def called(module: nn.Module, pictures: Tensor, dtype: torch.dtype) -> Any:
    """What a network returns, called as it was exported, on a copy: it may write over what it is given."""
    pictures = pictures.to(dtype, copy=True)
    if isinstance(module, GraphModule):
        return module(pictures)
    call = signature(module, pictures)
    return module(*call.args, **call.kwargs)


class Stuck(Exception):
    """The graph cannot be run at a node."""

    def __init__(self, node: int, error: Exception) -> None:
        super().__init__(node)
        self.node, self.why = node, _first_line(error)


def values(program: Carrier, pictures: Tensor, wanted: set[int]) -> Iterator[tuple[int, Tensor]]:
    """The values of the wanted nodes in execution order, each dropped as soon as nothing reads it. Raises Stuck."""
    nodes, needed = program.graph.nodes, program.graph.ancestors(wanted)
    readers = Counter(source for node in needed for source in nodes[node].sources)
    held = {0: program.laid_out(pictures.to(program.device, program.dtype))}
    for node in nodes[1:]:
        if node.id not in needed:
            continue
        try:
            with torch.no_grad():
                given = (held[source] for source in node.sources)
                held[node.id] = program.call(node.id).run(*given, batch=len(pictures))
        except Exception as error:
            raise Stuck(node.id, error) from error
        readers.subtract(node.sources)
        if node.id in wanted:
            yield node.id, held[node.id]
        for done in {*node.sources, node.id}:
            if not readers[done]:
                del held[done]


def _next(alone: Iterator[tuple[int, Tensor]]) -> Iterator[tuple[int, Tensor]]:
    """The next value, if there is one: numbers in which an operation cannot be run have none from there on."""
    try:
        yield next(alone)
    except (StopIteration, Stuck):
        return


def gap(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a share of the largest magnitude that is expected; numbers that are not finite must
    be the same."""
    if found.shape != expected.shape:
        return inf
    if not found.numel() or (found.dtype == expected.dtype and torch.equal(found, expected.to(found.device))):
        return 0.0
    found, expected = found.detach().to(expected.device, torch.float64), expected.detach().double()
    apart = found - expected
    largest, peak = (float(torch.stack(numbers.aminmax()).abs().max()) for numbers in (apart, expected))
    if not (largest < inf and peak < inf):
        same = (found == expected) | (found.isnan() & expected.isnan())
        largest = float(apart.abs().masked_fill(same, 0).nan_to_num(inf, inf, inf).max())
        peak = float(expected.abs().nan_to_num(0, 0, 0).max())
    return largest / peak if peak else (inf if largest else 0.0)


def _shapes(node: Node) -> set[tuple[int, ...]]:
    """The shapes that the network's own tensors have for a node."""
    return shapes(node.shape, node.lies)


def _path(name: str) -> str:
    """The path of a module, from the name of one of its calls."""
    return name.partition("@")[0]


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:240]
