"""The laws of a row of the operation table: window, border, linearity, range and rules, on its own samples.

`laws(row)` holds a row to all of them; each raises AssertionError with a sentence. The values that they compare with
come from the operation itself, run on whole maps, and from autograd.
"""

import itertools
from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from layerscope.core.geometry import Box
from layerscope.core.methods import METHODS
from layerscope.graph.args import bind
from layerscope.graph.ops.calls import Call
from layerscope.graph.ops.ranges import Range
from layerscope.graph.ops.rules import Rule, vjp
from layerscope.graph.ops.table import GATES_HELD, Op
from layerscope.testing.windows import at, cut, edges, inside, laid, seen_by, spatial_size, with_new

# Random inputs side by side in a batch: what one of them does not show, another does.
TRIALS = 8
EXACT = 1e-12


class Case(NamedTuple):
    """A row with one of its samples, bound: the call and inputs of its shapes."""

    row: Op
    number: int
    call: Call
    inputs: tuple[Tensor, ...]
    above: float = -inf

    def random(self, seed: int, count: int = TRIALS) -> tuple[Tensor, ...]:
        """Inputs of the call's shapes that meet every branch of a nonlinearity, and none of its kinks."""
        generator = torch.Generator().manual_seed(seed)
        drawn = (4 * torch.randn((count, *s), generator=generator, dtype=torch.float64) for s in self.call.inputs)
        return tuple(x if self.above == -inf else self.above + 0.1 + x.abs() for x in drawn)

    def signal(self, seed: int, count: int = TRIALS) -> Tensor:
        """A signal at the call's output."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn((count, *self.call.shape), generator=generator, dtype=torch.float64)

    def knowing(self, rule: Rule, inputs: tuple[Tensor, ...], call: Call | None = None) -> Call:
        """A call with the values that a rule says it reads, and no others."""
        call = call or self.call
        output = call.run(*inputs) if rule.output else None
        return call.knowing(inputs if rule.inputs else (), output)

    def back(self, method: str, signal: Tensor, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The row's rule for a method, on whole maps."""
        rule = self.row.rule(method)
        return rule(signal, self.knowing(rule, inputs))

    @property
    def slides(self) -> bool:
        """True where the windows move with the position, each as large as the others, and hold all that is seen."""
        return self.slides_for(None)

    def slides_for(self, rule: Rule | None) -> bool:
        """The same of the inputs that a rule sends something to."""
        skipped = rule.skips(self.call) if rule is not None else frozenset[int]()
        fields = [field for index, field in enumerate(self.row.window(self.call)) if index not in skipped]
        moving = all(not f.beyond and all(w.plain and w.step for w in (f.rows, f.cols)) for f in fields)
        return moving and len(self.call.shape) > 1

    def __str__(self) -> str:
        return f"sample {self.number} of {self.row.name}"


def cases(row: Op) -> Iterator[Case]:
    """The row's samples, each as a call."""
    for number, (target, inputs, args, above) in enumerate(row.samples()):
        shapes = tuple(tuple(x.shape[1:]) for x in inputs)
        call = Call(target=target, args=bind(target, args, {}), inputs=shapes, shape=())
        shape = tuple(call.run(*inputs).shape[1:])
        yield Case(row, number, Call(target=target, args=call.args, inputs=shapes, shape=shape), inputs, above)


def laws(row: Op) -> None:
    """All laws of a row. Raises AssertionError."""
    every_target_has_a_sample(row)
    for law in LAWS:
        for case in cases(row):
            law(case)
    for method, case in itertools.product((*METHODS.names, GATES_HELD), cases(row)):
        rules_stay_in_their_place(case, method)


def every_target_has_a_sample(row: Op) -> None:
    """Each of the row's targets is shown by a sample, and no other; a sample is small, in float64, of two pictures."""
    shown = {sample.target for sample in row.samples()}
    assert shown == set(row.targets), f"{row.name} speaks for {set(row.targets)}, and shows {shown}"
    for case in cases(row):
        for x in case.inputs:
            assert x.dtype == torch.float64 and len(x) == 2 and x.numel() <= 4096, f"{case} has an input of {x.shape}"


def window_is_true(case: Case) -> None:
    """What lies outside a position's window changes nothing; each edge of it that lies in the map changes something."""
    inputs, others = case.random(0), case.random(1)
    plain = case.call.run(*inputs)
    for row, col in _places(case):
        for index, field in enumerate(case.row.window(case.call)):
            shape = case.call.inputs[index]

            def changed(box: Box, outside: bool, index: int = index) -> Tensor:
                new = with_new(inputs[index], others[index], box, outside=outside)
                return case.call.run(*inputs[:index], new, *inputs[index + 1 :])

            far = at(changed(inside(field, row, col, shape), True), row, col)
            if not field.beyond and field.least == (1, 1):
                _close(far, at(plain, row, col), f"{case}: position ({row}, {col}) sees beyond its window")
            # A field with a note is larger than what is seen, and says so.
            for edge in () if field.note else edges(field, row, col, shape):
                difference = (at(changed(edge, False), row, col) - at(plain, row, col)).abs().max()
                assert difference > 1e-6, f"{case}: position ({row}, {col}) does not see {edge} of input {index}"


def pad_is_true(case: Case) -> None:
    """op(x, padding) is op(x padded with the row's constant, no padding); where there is none, no constant would do."""
    if not case.slides:
        return
    inputs = case.random(2)
    wanted, fill = case.call.run(*inputs), case.row.pad_value(case.call)
    if fill is not None:
        found = _unpadded(case, inputs, _whole(case), fill)
        _close(found, wanted, f"{case}: what lies beyond the border is not {fill}")
        return
    zeros, ones, twos = (_unpadded(case, inputs, _whole(case), fill) for fill in (0.0, 1.0, 2.0))
    torch.testing.assert_close(twos - ones, ones - zeros)
    slope = ones - zeros
    meets = slope.abs() > 1e-9
    if not bool(meets.any()):  # it looks at nothing beyond the border, and differs from place to place
        return
    needed = ((wanted - zeros) / slope)[meets]
    assert needed.max() - needed.min() > 1e-3, f"{case}: {float(needed.mean()):g} beyond the border would do"


def linear_is_linear(case: Case) -> None:
    """Of a row that calls itself linear, and of no other, <y(x) - y(0), s> = <x, back(s)>; then it reads no values."""

    def rise(inputs: tuple[Tensor, ...]) -> Tensor:
        return case.call.run(*inputs) - case.call.run(*(torch.zeros_like(x) for x in inputs))

    inputs, others, signal = case.random(3), case.random(4), case.signal(4)
    if not case.row.linear:
        between = case.call.run(*((x + other) / 2 for x, other in zip(inputs, others, strict=True)))
        middle = (case.call.run(*inputs) + case.call.run(*others)) / 2
        assert not torch.allclose(between, middle), f"{case} is linear, and does not say so"
        return
    rule = case.row.gradient
    assert not (rule.inputs or rule.output), f"{case}: the adjoint of a linear operation reads no values"
    across = sum((x * b).sum() for x, b in zip(inputs, rule(signal, case.call), strict=True))
    _close(torch.as_tensor(across), (rise(inputs) * signal).sum(), f"{case}: the gradient is not the adjoint")


def gradient_is_autograds(case: Case) -> None:
    """The gradient rule is the vector-Jacobian product, on the row's own samples and on random inputs."""
    rule = case.row.gradient
    for inputs in (case.inputs, case.random(5)):
        signal = case.signal(6, len(inputs[0]))
        expected = vjp(signal, case.call.knowing(inputs))
        for found, wanted in zip(rule(signal, case.knowing(rule, inputs)), expected, strict=True):
            _close(found, wanted, f"{case}: the gradient rule is not autograd's")


def range_is_true(case: Case) -> None:
    """No value lies outside the range that the row states, whatever the ranges of its inputs."""
    for low, high in ((-6.0, 9.0), (0.0, 9.0), (0.0, 0.7), (0.5, 2.0), (-3.0, -0.5), (-2.0, 0.0)):
        if low < case.above:
            continue
        inputs = tuple(low + (high - low) * torch.sigmoid(x) for x in case.random(11))
        found = case.row.range(case.call, tuple(Range(low, high) for _ in inputs))
        values, slack = case.call.run(*inputs), 1e-9 * max(abs(low), abs(high))
        lowest, highest = float(values.min()), float(values.max())
        assert found.low - slack <= lowest and highest <= found.high + slack, (
            f"{case}: of inputs from {low} to {high} it states {found}, and gives {lowest} to {highest}"
        )
        # What is never below zero must be so exactly: values of 0 or less of such layers are no peaks.
        assert found.low < 0 or lowest >= 0, f"{case}: {lowest} is below zero"
    found, values = case.row.range(case.call, tuple(Range() for _ in case.inputs)), case.call.run(*case.random(12))
    assert found.low <= float(values.min()) and float(values.max()) <= found.high, f"{case}: values lie outside {found}"


def float32_is_near(case: Case) -> None:
    """In float32 the operation and its gradient give the same to seven digits or so, in float32."""
    inputs, signal, rule = case.random(13), case.signal(14), case.row.gradient
    narrow = tuple(x.float() for x in inputs)
    call = case.call.changed(**{name: _float(value) for name, value in case.call.args.items()})
    wide = (case.call.run(*inputs), *rule(signal, case.knowing(rule, inputs)))
    for found, wanted in zip(
        (call.run(*narrow), *rule(signal.float(), case.knowing(rule, narrow, call))), wide, strict=True
    ):
        assert found.dtype == torch.float32, f"{case} gives {found.dtype} for float32"
        torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4 * max(float(wanted.abs().max()), 1e-30))


def held_gates_add_up(case: Case) -> None:
    """With its gates held, what the inputs send and what comes beside them is the output, to rounding."""
    held, rule = case.row.held, case.row.rule(GATES_HELD)
    for inputs in (case.inputs, case.random(15)) if held else ():
        signal = case.signal(16, len(inputs[0]))
        call = case.knowing(rule, inputs)
        sent = sum(((x * part).sum() for x, part in zip(inputs, rule(signal, call), strict=True)), torch.tensor(0.0))
        beside = held.beside(call) if held and held.beside else None
        found = sent if beside is None else sent + (signal * beside).sum()
        _close(found.double(), (case.call.run(*inputs) * signal).sum(), f"{case}: its parts are not all of it")


LAWS: tuple[Callable[[Case], None], ...] = (
    window_is_true, pad_is_true, linear_is_linear, gradient_is_autograds, range_is_true, float32_is_near,
    held_gates_add_up,
)  # fmt: skip


def rules_stay_in_their_place(case: Case, method: str) -> None:
    """A rule gives one signal per input, of its shape; each entry by itself; on windows without padding what it gives
    on whole maps, restricted to the window; it scales with its signal, and makes nothing of nothing; what may
    write over its signal gives the same."""
    inputs, signal, rule = case.random(9, 3), case.signal(10, 3), case.row.rule(method)
    whole = case.back(method, signal, inputs)
    assert [part.shape for part in whole] == [x.shape for x in inputs], f"{case}: {method} gives other shapes"
    apart = [case.back(method, signal[i : i + 1], tuple(x[i : i + 1] for x in inputs)) for i in range(3)]
    twice, none = (case.back(method, factor * signal, inputs) for factor in (2.0, 0.0))
    for index, part in enumerate(whole):
        _close(torch.cat([one[index] for one in apart]), part, f"{case}: {method} mixes the entries of a batch")
        assert not none[index].any(), f"{case}: {method} makes something of no signal"
        _close(twice[index], 2 * part, f"{case}: {method} does not scale with its signal")
    if rule.over is not None:
        over = rule.over(signal.clone(), case.knowing(rule, inputs))
        assert all(map(torch.equal, over, whole)), f"{case}: {method} gives something else where it writes over"
    for index in rule.skips(case.call):
        assert not whole[index].any(), f"{case}: {method} skips input {index}, and sends something to it"
    if case.slides_for(rule) and case.row.pad_value(case.call) is not None:
        for box in _boxes(case):
            _same_on_window(case, method, box, inputs, signal)


def _same_on_window(case: Case, method: str, box: Box, inputs: tuple[Tensor, ...], everywhere: Tensor) -> None:
    fields, fill, rule = case.row.window(case.call), case.row.pad_value(case.call), case.row.rule(method)
    assert fill is not None
    here = np.s_[..., box.top : box.bottom, box.left : box.right]
    output = case.call.run(*inputs)[here]
    _close(_unpadded(case, inputs, box, fill), output, f"{case}: the call is not the same on {box}")
    signal = torch.zeros_like(everywhere)
    signal[here] = everywhere[here]
    windows = tuple(cut(x, f, box, fill) for x, f in zip(inputs, fields, strict=True))
    shapes = tuple(tuple(x.shape[1:]) for x in windows)
    local = case.call.local(shapes, tuple(everywhere[here].shape[1:]))
    local = local.knowing(windows if rule.inputs else (), output if rule.output else None)
    found = rule(everywhere[here].clone(), local)
    for part, wanted, field in zip(found, case.back(method, signal, inputs), fields, strict=True):
        on_map = laid(part, wanted, seen_by(field, box))
        _close(on_map, wanted, f"{case}: {method} is not the same on {box} as on the whole map")


def _close(found: Tensor, wanted: Tensor, sentence: str) -> None:
    torch.testing.assert_close(found, wanted, msg=lambda said: f"{sentence}\n{said}", rtol=EXACT, atol=EXACT)


def _float(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def _places(case: Case) -> list[tuple[int, int]]:
    """Output positions in the middle and along every border, two deep."""
    rows, cols = (sorted({0, 1, n // 2, n - 2, n - 1} & set(range(n))) for n in spatial_size(case.call.shape))
    return list(itertools.product(rows, cols))


def _boxes(case: Case) -> Iterator[Box]:
    """Windows of output positions: the whole map, its corners, single positions and a strip."""
    rows, cols = spatial_size(case.call.shape)
    yield _whole(case)
    for row, col in {(0, 0), (rows - 1, cols - 1), (rows // 2, cols // 2), (0, cols - 1)}:
        yield Box(top=row, left=col, bottom=row + 1, right=col + 1)
    yield Box(top=rows // 2, left=0, bottom=rows, right=max(1, cols - 1))


def _whole(case: Case) -> Box:
    rows, cols = spatial_size(case.call.shape)
    return Box(top=0, left=0, bottom=rows, right=cols)


def _unpadded(case: Case, inputs: tuple[Tensor, ...], box: Box, fill: float) -> Tensor:
    """The call on windows, cut so that nothing is left to pad."""
    windows = tuple(cut(x, f, box, fill) for x, f in zip(inputs, case.row.window(case.call), strict=True))
    shapes = tuple(tuple(x.shape[1:]) for x in windows)
    return case.call.local(shapes, (*case.call.shape[:-2], box.height, box.width)).run(*windows)
