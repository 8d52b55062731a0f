"""A convolution and what follows it as one call: its numbers go through memory once, not three times.

What multiplies each channel by a constant or adds one (batch norm, a bias of its own) goes into the filters; a sum with
another map and an activation are made by oneDNN while the convolution's numbers lie in the cache. What somebody wants
to see is never hidden in such a call. The plain calls remain the reference: both are equal to rounding, and where a
number might become one that the joined call would hide (`graph/bounded.py`) the plain ones are made.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from layerscope.graph.graph import Node
from layerscope.graph.ops.calls import Call, NodeInput
from layerscope.graph.runner import Carrier

onednn = torch.ops.mkldnn


class Unary(NamedTuple):
    """An activation as oneDNN is told of it: its word, its numbers, and which of its forms."""

    word: str
    numbers: tuple[float, ...] = ()
    form: str = ""


def _bounded(call: Call) -> Unary:
    return Unary("hardtanh", (call["min_val"], call["max_val"]) if "min_val" in call.args else (0.0, 6.0))


# The rows that are made in the same call, and how.
ACTIVATIONS: Mapping[str, Callable[[Call], Unary]] = {
    "relu": lambda call: Unary("relu"),
    "hardtanh": _bounded,
    "leaky_relu": lambda call: Unary("leaky_relu", (float(call["negative_slope"]),)),
    "silu": lambda call: Unary("swish"),
    "hardswish": lambda call: Unary("hardswish"),
    "hardsigmoid": lambda call: Unary("hardsigmoid"),
    "sigmoid": lambda call: Unary("sigmoid"),
    "tanh": lambda call: Unary("tanh"),
    "gelu": lambda call: Unary("gelu", (), call.args.get("approximate", "none")),
}
# Behind a sum oneDNN's call takes this one alone.
BEHIND_A_SUM = ("relu",)


class Factors(NamedTuple):
    """What multiplies and is added to each channel: [c] each."""

    factor: Tensor
    shift: Tensor


def _batch_norm(call: Call) -> Factors:
    factor = torch.rsqrt(call["running_var"].double() + call["eps"])
    factor = factor if call["weight"] is None else factor * call["weight"].double()
    shift = -call["running_mean"].double() * factor
    return Factors(factor, shift if call["bias"] is None else shift + call["bias"].double())


def _times(call: Call) -> Factors | None:
    constant = _constant(call)
    return None if constant is None else Factors(constant, torch.zeros_like(constant))


def _over(call: Call) -> Factors | None:
    constant = _constant(call) if call["self"] == NodeInput(0) else None
    return None if constant is None else Factors(1 / constant, torch.zeros_like(constant))


def _plus(call: Call) -> Factors | None:
    constant = _constant(call)
    if constant is None or call["alpha"] != 1:
        return None
    return Factors(torch.ones_like(constant), constant)


# The rows that go into the filters, and what they do to each channel; None where a call does something else.
AFFINE: Mapping[str, Callable[[Call], Factors | None]] = {
    "batch_norm": _batch_norm, "mul": _times, "div": _over, "add": _plus,
}  # fmt: skip


def _constant(call: Call) -> Tensor | None:
    """The constant of a map and a constant, one for each channel."""
    sides = [side for side in (call["self"], call["other"]) if not isinstance(side, NodeInput)]
    if len(call.inputs) != 1 or len(sides) != 1 or call.inputs[0] != call.shape or len(call.shape) != 3:
        return None
    value = torch.as_tensor(sides[0], dtype=torch.float64)
    sizes = (1,) * (4 - value.dim()) + tuple(value.shape)
    if value.dim() > 4 or sizes[:1] + sizes[2:] != (1, 1, 1) or sizes[1] not in (1, call.shape[0]):
        return None
    return value.reshape(-1).expand(call.shape[0])


class Filters:
    """A convolution's numbers with all that goes into them. weight, bias: as torch has them; laid_out: as oneDNN
    likes them for the first inputs that came."""

    def __init__(self, call: Call, factors: Sequence[Factors], padding: tuple[int, int]) -> None:
        own: Tensor = call["weight"]
        weight, bias = own.double(), None if call["bias"] is None else call["bias"].double()
        for factor, shift in factors:
            weight = weight * factor.reshape(-1, 1, 1, 1)
            bias = shift if bias is None else bias * factor + shift
        self.weight = weight.to(own.dtype).contiguous(memory_format=torch.channels_last) if factors else own
        self.bias = None if bias is None else bias.to(own.dtype)
        self.ways = (list(padding), list(call.pair("stride")), list(call.pair("dilation")), call["groups"])
        self._laid_out: Tensor | None = None

    def laid_out(self, x: Tensor) -> Tensor:
        """The filters as they are fastest for maps like these; their order in memory, not their numbers."""
        found = self._laid_out
        if found is None:
            found = self._laid_out = reordered(self.weight, *self.ways, x.shape)
        return found


def reordered(
    weight: Tensor, padding: Sequence[int], stride: Sequence[int], dilation: Sequence[int], groups: int,
    shape: Sequence[int],
) -> Tensor:  # fmt: skip
    """Filters as oneDNN has them fastest for inputs of this shape."""
    reorder = torch._C._nn.mkldnn_reorder_conv2d_weight  # pyright: ignore[reportAttributeAccessIssue]
    return reorder(weight.to_mkldnn(), list(padding), list(stride), list(dilation), groups, list(shape))


# Of a convolution, the nodes behind it that go into it, and its padding: made once, whatever is wanted.
MakesFilters = Callable[[int, tuple[int, ...], tuple[int, int]], Filters]


@dataclass(frozen=True, kw_only=True)
class FusedCall:
    """Convolution, constants, sum and activation as one call.

    nodes: those that it stands for, in order. sources: of the convolution's map, and of the map that is added. over:
    whether the sum may be written over the map that is added.
    """

    nodes: tuple[int, ...]
    sources: tuple[int, ...]
    filters: Filters = field(compare=False)
    unary: Unary | None
    over: bool = False

    def run(self, x: Tensor, added: Tensor | None = None, *, batch: int | None = None) -> Tensor:
        """The value of the last of its nodes, in float32."""
        filters, ways, (word, numbers, form) = self.filters, self.filters.ways, self.unary or Unary("none")
        weight = filters.laid_out(x)
        if added is None:
            return onednn._convolution_pointwise(x, weight, filters.bias, *ways, word, list(numbers), form)
        unary = (None if self.unary is None else word, list(numbers), form)
        if self.over and added.is_contiguous(memory_format=torch.channels_last):
            return onednn._convolution_pointwise_.binary(added, x, weight, filters.bias, *ways, "add", 1.0, *unary)
        return onednn._convolution_pointwise.binary(x, added, weight, filters.bias, *ways, "add", 1.0, *unary)


def can_join(dtype: torch.dtype, device: torch.device) -> bool:
    """True where oneDNN makes such calls: float32 on a processor. Elsewhere the plain ones are made."""
    return dtype == torch.float32 and device.type == "cpu" and torch.backends.mkldnn.is_available() and _proved()


@cache
def _proved() -> bool:
    """True where this PyTorch makes a small joined call, which has no public name, as its plain calls do."""
    plane = torch.linspace(-3, 9, 2 * 4 * 5 * 5).sin().reshape(2, 4, 5, 5).contiguous(memory_format=torch.channels_last)
    weight = torch.linspace(-2, 3, 4 * 4 * 3 * 3).cos().reshape(4, 4, 3, 3)
    call = Call(
        target=torch.ops.aten.conv2d.default, inputs=((4, 5, 5),), shape=(4, 5, 5),
        args={"weight": weight, "bias": weight[0, 0, 0].new_ones(4), "stride": (1, 1), "padding": (1, 1),
              "dilation": (1, 1), "groups": 1},
    )  # fmt: skip
    plain = torch.conv2d(plane, weight, call["bias"], padding=1) + plane
    try:
        filters = Filters(call, (), (1, 1))
        for over in (False, True):
            fused = FusedCall(nodes=(), sources=(0, 0), filters=filters, unary=Unary("relu"), over=over)
            if not torch.allclose(fused.run(plane, plane.clone()), plain.relu(), rtol=1e-5, atol=1e-5):
                return False
    except (RuntimeError, AttributeError, TypeError):
        return False
    return True


def fusions(
    program: Carrier, filters: MakesFilters, needed: Sequence[int], wanted: Collection[int]
) -> dict[int, FusedCall]:
    """The calls that may be joined on the way to the wanted nodes, by the last node of each. needed: all on the way."""
    graph, held = program.graph, frozenset(needed)
    found: dict[int, FusedCall] = {}
    taken: set[int] = set()
    for node in needed:
        if graph.nodes[node].op != "conv2d" or graph.behind[node] or node in taken:
            continue
        chain = _Chain(program, node, held, wanted, taken)
        if chain.padding is not None:
            fused = chain.followed(filters, chain.padding)
            found[fused.nodes[-1]] = fused
            taken.update(fused.nodes)
    return found


class _Chain:
    """What follows one convolution, as far as it goes into the same call."""

    def __init__(
        self, program: Carrier, conv: int, needed: frozenset[int], wanted: Collection[int], taken: Collection[int]
    ) -> None:
        self.program, self.graph, self.nodes = program, program.graph, [conv]
        self.needed, self.wanted, self.taken = needed, wanted, taken
        self.call = program.call(conv)
        self.padding = padding_of(self.call)

    def _next(self) -> Node | None:
        """The one reader of the last node, where nobody else sees it."""
        last = self.nodes[-1]
        readers = [reader for reader in self.graph.consumers[last] if reader in self.needed]
        if last in self.wanted or len(readers) != 1 or readers[0] in self.taken or self.graph.behind[readers[0]]:
            return None
        return self.graph.nodes[readers[0]]

    def followed(self, filters: MakesFilters, padding: tuple[int, int]) -> FusedCall:
        """The call that all of it is."""
        affine = tuple(self._affine())
        added = self._sum()
        unary = self._activation(summed=added is not None)
        sources = (self.graph.nodes[self.nodes[0]].sources[0], *(() if added is None else (added,)))
        made = filters(self.nodes[0], affine, padding)
        return FusedCall(nodes=tuple(self.nodes), sources=sources, filters=made, unary=unary)

    def _affine(self) -> Iterator[int]:
        while (node := self._next()) is not None and factors_of(self.program, node.id) is not None:
            self.nodes.append(node.id)
            yield node.id

    def _sum(self) -> int | None:
        node = self._next()
        if node is None or node.op != "add" or len({*node.sources}) != 2 or self.program.call(node.id)["alpha"] != 1:
            return None
        (added,) = (source for source in node.sources if source != self.nodes[-1])
        if self.graph.nodes[added].shape != node.shape or len(node.shape) != 3:
            return None
        self.nodes.append(node.id)
        return added

    def _activation(self, *, summed: bool) -> Unary | None:
        node = self._next()
        if node is None or node.op not in (BEHIND_A_SUM if summed else ACTIVATIONS):
            return None
        self.nodes.append(node.id)
        return ACTIVATIONS[node.op](self.program.call(node.id))


def factors_of(program: Carrier, node: int) -> Factors | None:
    """What a node multiplies each channel by and adds to it, where it does nothing else."""
    made = AFFINE.get(program.graph.nodes[node].op)
    return None if made is None else made(program.call(node))


def padding_of(call: Call) -> tuple[int, int] | None:
    """Rows and columns of zeros on each side; None where one side has more."""
    if call["padding"] == "valid":
        return 0, 0
    if call["padding"] != "same":
        return call.pair("padding")
    reach = [d * (k - 1) for d, k in zip(call.pair("dilation"), call["weight"].shape[-2:], strict=True)]
    return (reach[0] // 2, reach[1] // 2) if not any(size % 2 for size in reach) else None
