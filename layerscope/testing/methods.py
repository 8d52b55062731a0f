"""The laws of a method: its rules at every operation, and its projections in whole networks.

`laws(row)` holds a method that is installed to all of them; each raises AssertionError with a sentence. Projections are
compared with the rules applied to whole maps, one operation after the other: what projecting on cones must equal.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.core.methods import METHODS, Method
from layerscope.graph import Carrier
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.rules import Rule
from layerscope.testing import ops

INPUT = ls.Input(height=20, width=23)
TOLERANCE = 1e-10


def laws(row: Method) -> None:
    """All laws of a method. Raises AssertionError."""
    for law in LAWS:
        law(row)


def it_is_described(row: Method) -> None:
    """It is found under its name, with words for what it is, how far to trust it, and who described it."""
    assert METHODS.known(row.name) is row, f"{row.name} is not installed"
    for word in ("sentence", "limits", "source"):
        assert getattr(row, word).strip(), f"{row.name} has no {word}"
    assert not row.sentence.endswith("."), f"{row.name}: its sentence ends with a full stop; it stands within others"


def it_has_a_rule_everywhere(row: Method) -> None:
    """At every operation that is installed there is one, which reads what it says, keeps shapes and entries apart, and
    is the same on windows as on whole maps."""
    for operation in OPERATIONS:
        assert isinstance(operation.rule(row.name), Rule), f"{row.name} gives no Rule for {operation.name}"
        for case in ops.cases(operation):
            ops.rules_stay_in_their_place(case, row.name)


def projections_are_the_rules_on_whole_maps(row: Method) -> None:
    """From every layer of two networks, in the middle, at borders and in corners: on cones as on whole maps."""
    images = np.random.default_rng(5).standard_normal((2, *INPUT.shape))
    for net in networks():
        for layer in net.layers:
            places = list(_places(net.activations(images, layer.name)))
            at = {name: [place[i] for place in places] for i, name in enumerate(("image", "unit", "row", "col"))}
            found = net.project(images, layer.name, **at, method=row.name).full()
            for place, signal in zip(places, found, strict=True):
                image, unit, r, c = place
                expected = on_whole_maps(net.program, images[image], layer.node, unit, r, c, row.name)
                gap, peak = float(np.abs(signal - expected).max()), float(np.abs(expected).max())
                assert gap <= TOLERANCE * max(peak, 1e-6), (
                    f"{row.name} from {layer.name}{list(place)}: on its cone it is off by {gap:g}, of {peak:g}"
                )


LAWS: tuple[Callable[[Method], None], ...] = (
    it_is_described, it_has_a_rule_everywhere, projections_are_the_rules_on_whole_maps,
)  # fmt: skip


def on_whole_maps(
    program: Carrier, image: np.ndarray, node: int, unit: int, row: int, col: int, method: str
) -> np.ndarray:
    """The projection of one activation [c, h, w], slow and plain: rule after rule on the maps of the whole network."""
    graph = program.graph
    start = METHODS.known(method).starts
    values = program.run(torch.from_numpy(image)[None], [one.id for one in graph.nodes[: node + 1]])
    place = (0, unit, row, col)[: values[node].dim()]
    signals: dict[int, Tensor] = {node: torch.zeros_like(values[node])}
    signals[node][place] = values[node][place] if start == "value" else 1.0
    for current in reversed(graph.nodes[1 : node + 1]):
        signal = signals.pop(current.id, None)
        if signal is None:
            continue
        op = graph.op(current)
        if current.id == node and op.activation == "rectifier":
            parts: tuple[Tensor, ...] = (signal,)
        else:
            rule, inputs = op.rule(method), tuple(values[source] for source in current.sources)
            given, output = (inputs if rule.inputs else ()), (values[current.id] if rule.output else None)
            parts = rule(signal, program.call(current.id).knowing(given, output))
        for source, part in zip(current.sources, parts, strict=True):
            signals[source] = signals[source] + part if source in signals else part
    return signals[0][0].numpy()


@cache
def networks() -> tuple[ls.Network, ...]:
    """Two small networks in float64: a plain chain with a dense head, and branches that are added and joined."""
    torch.manual_seed(3)
    chain = nn.Sequential(
        *(nn.Conv2d(3, 6, 5, 2, 2), nn.ReLU(), nn.LocalResponseNorm(3), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(6, 8, 3, padding=1, groups=2), nn.LeakyReLU(0.1), nn.AvgPool2d(2, 1, 1)),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 5), nn.ReLU(), nn.Linear(5, 4)),
    )
    return tuple(ls.trace(model.double().eval(), INPUT) for model in (chain, _Branches()))


class _Branches(nn.Module):
    """A residual sum, and a concatenation of two ways of other windows."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.wide, self.narrow = nn.Conv2d(6, 4, 5, 2, 2), nn.Conv2d(6, 3, 1, 2)
        self.norm.running_mean, self.norm.running_var = torch.linspace(-0.3, 0.2, 6), torch.linspace(0.5, 2, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu()
        x = (self.body(x) + x).relu()
        return torch.cat([self.wide(x).relu(), nn.functional.relu6(self.narrow(x) * 2.0) / 2], 1)


def _places(activations: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Image, unit, row and column of some activations: the highest of four corners and the middle, where above zero."""
    maps = activations if activations.ndim == 4 else activations[:, :, None, None]
    rows, cols = maps.shape[2:]
    positions = dict.fromkeys([(rows // 2, cols // 2), (0, 0), (rows - 1, cols - 1), (0, cols - 1), (rows // 2, 0)])
    for number, (row, col) in enumerate(positions):
        image = number % len(maps)
        unit = int(maps[image, :, row, col].argmax())
        if maps[image, unit, row, col] > 0:
            yield image, unit, row, col
