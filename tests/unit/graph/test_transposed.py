"""A transposed convolution as plain ones: the rule of the row, to rounding, on whole maps and on windows."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import layerscope as ls
from layerscope.graph import Program, transposed
from layerscope.graph.ops.calls import Call, NodeInput
from layerscope.graph.ops.conv import ROWS
from layerscope.graph.transposed import Transposed, can_turn, turned
from layerscope.project.cone import Entries
from layerscope.project.run import project
from layerscope.testing.slow import slow_paths

(RULE,) = (row.gradient for row in ROWS if row.name == "conv2d")
CHANNELS, EPS = 6, 2.0**-23
CPU = torch.device("cpu")


def call_of(
    kernel: tuple[int, int], stride: tuple[int, int], padding: object, dilation: tuple[int, int], groups: int,
    size: tuple[int, int], channels: int = CHANNELS,
) -> Call:  # fmt: skip
    """A convolution in float64, of a map of this size."""
    shape = (12, channels // groups, *kernel)
    weight = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    args = {"input": NodeInput(0), "weight": weight, "bias": None, "stride": stride, "padding": padding,
            "dilation": dilation, "groups": groups}  # fmt: skip
    target = torch.ops.aten.conv2d.padding if isinstance(padding, str) else torch.ops.aten.conv2d.default
    call = Call(target=target, inputs=((channels, *size),), shape=(), args=args)
    made = call.run(torch.zeros(1, channels, *size, dtype=torch.float64))
    return Call(target=call.target, inputs=call.inputs, shape=tuple(made.shape[1:]), args=args)


def plain(call: Call) -> Transposed | None:
    """The way back of a convolution, in float32."""
    return turned(call.changed(weight=call["weight"].float()))


def hold(back: Transposed, signal: Tensor, call: Call) -> None:
    """The signal at the call's output, at its input: exact beside float32, in a layout that it may come in."""
    (exact,) = RULE(signal, call)
    for layout in (torch.channels_last, torch.contiguous_format):
        (found,) = back(signal.float().contiguous(memory_format=layout), call)
        assert found.shape == exact.shape and found.dtype == torch.float32
        scale = float(exact.abs().max()) or 1.0
        np.testing.assert_allclose(found.double(), exact, rtol=0, atol=64 * EPS * scale, err_msg=str(call.args))


def test_plain_convolutions_give_what_the_transposed_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kernel, stride, padding, dilation, number of groups and size: on whole maps, and on windows without padding
    that overhang the map."""
    assert can_turn(torch.float32, CPU)
    monkeypatch.setattr(transposed, "HEAVY", 0)
    tried = 0
    forms = product(
        [(1, 1), (3, 3), (5, 4)], [(1, 1), (2, 2), (3, 2), (1, 2)], [(0, 0), (1, 1), (2, 1)], [(1, 1), (2, 1)],
        [1, 2, CHANNELS], [(12, 13)],
    )  # fmt: skip
    for form in forms:
        call = call_of(*form)
        back = plain(call)
        if back is None:
            continue
        assert form[1] != (1, 1)
        tried += 1
        signal = torch.randn(2, *call.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        hold(back, signal, call)
        kernel, stride, _, dilation, *_ = form
        few = zip((2, 3), stride, dilation, kernel, strict=True)
        window = [(n - 1) * step + d * (k - 1) + 1 for n, step, d, k in few]
        hold(back, signal.new_ones(2, 12, 2, 3).cumsum(1).sin(), call.local(((CHANNELS, *window),), (12, 2, 3)))
    assert tried > 15


def test_what_is_left_to_the_rule() -> None:
    """Stride 1, a padding beyond the filter, and strides of light filters, of groups or with holes."""
    one, three, large = (1, 1), (3, 3), (14, 14)
    assert not plain(call_of(three, one, one, one, 1, large)) and not plain(call_of(three, one, one, one, 1, (3, 3)))
    assert not plain(call_of(one, (2, 2), one, one, 1, (3, 3)))
    assert not plain(call_of(three, (2, 2), one, one, 1, large))
    assert plain(call_of(three, (2, 2), one, one, 1, (3, 3)))
    assert not plain(call_of(three, (2, 2), one, one, CHANNELS, (3, 3)))
    assert not plain(call_of(three, (2, 2), (2, 2), (2, 2), 1, (3, 3)))


def test_projections_are_those_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 from the last map of a network with a stride; for no other numbers."""
    monkeypatch.setattr(transposed, "HEAVY", 0)
    torch.manual_seed(3)
    steps = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU()]
    net = ls.trace(nn.Sequential(*steps, nn.Conv2d(8, 4, 3), nn.ReLU()), ls.Input(height=16, width=16))
    program, x = net.program, torch.rand(2, 3, 16, 16)
    assert isinstance(program, Program)
    node = max(n.id for n in program.graph.nodes if len(n.shape) == 3)
    assert any(isinstance(back, Transposed) for back in program.way_back(node, "gradient").backs.values())
    entries = Entries(node, *(np.array(v) for v in ([0, 1, 1], [0, 1, 2], [0, 1, 0], [1, 0, 0])))
    found = project(program, x, entries, "gradient").full()
    with slow_paths("transposed convolutions as plain ones"):
        assert not any(isinstance(back, Transposed) for back in program.way_back(node, "gradient").backs.values())
        other = project(program, x, entries, "gradient").full()
    np.testing.assert_allclose(found, other, rtol=0, atol=256 * EPS * max(np.abs(other).max(), 1e-30))
    assert not can_turn(torch.float64, CPU) and not can_turn(torch.float32, torch.device("cuda"))
