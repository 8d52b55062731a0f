"""Every row of the operation table keeps its word: window, border, linearity and rules, on its own samples.

A new row is tested by its samples; nothing here needs an edit for it.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.core.geometry import Box, Field
from layerscope.core.records import METHODS
from layerscope.graph.args import bind
from layerscope.graph.ops import ROWS, TABLE
from layerscope.graph.ops.norm import local_response_norm
from layerscope.graph.ops.table import Call, Op, vjp

GOLDEN = Path(__file__).parents[1] / "golden" / "ops.txt"
# Random inputs side by side in a batch: what one of them does not show, another does.
TRIALS = 8


class Case(NamedTuple):
    """A row with one of its samples, bound: the call and inputs of its shapes."""

    row: Op
    number: int
    call: Call
    inputs: tuple[Tensor, ...]

    def random(self, seed: int, count: int = TRIALS) -> tuple[Tensor, ...]:
        """Inputs of the call's shapes that meet every branch of a nonlinearity, and none of its kinks."""
        generator = torch.Generator().manual_seed(seed)
        return tuple(4 * torch.randn((count, *s), generator=generator, dtype=torch.float64) for s in self.call.inputs)

    def signal(self, seed: int, count: int = TRIALS) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randn((count, *self.call.shape), generator=generator, dtype=torch.float64)

    def rule(self, method: str, signal: Tensor, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The row's rule on whole maps, with the inputs only where it asks for them."""
        call = self.call.with_tensors(inputs) if self.row.needs_inputs(method) else self.call
        return self.row.rule(method)(signal, call)


def _cases() -> Iterator[Case]:
    for row in ROWS:
        for number, (target, inputs, args) in enumerate(row.samples()):
            shapes = tuple(tuple(x.shape[1:]) for x in inputs)
            call = Call(target=target, args=bind(target, args, {}), inputs=shapes, shape=())
            shape = tuple(call.run(*inputs).shape[1:])
            yield Case(row, number, Call(target=target, args=call.args, inputs=shapes, shape=shape), inputs)


CASES = tuple(_cases())
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row.name}-{case.number}")


def plane(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a map; a dense layer is one position."""
    return (shape[-2], shape[-1]) if len(shape) > 1 else (1, 1)


def slides(case: Case) -> bool:
    """True where the call can be made on windows: they move with the position and the border has a constant."""
    fields = case.row.window(case.call)
    return case.row.beyond(case.call) is not None and all(f.rows.step and f.cols.step for f in fields)


def inside(field: Field, row: int, col: int, shape: tuple[int, ...]) -> Box:
    return field.box(row, col).clipped(*plane(shape))


def at(output: Tensor, row: int, col: int) -> Tensor:
    return output[..., row, col] if output.dim() > 2 else output


def with_new(x: Tensor, new: Tensor, box: Box, *, outside: bool = False) -> Tensor:
    """x, with what lies inside (or outside) a box taken from `new`; a dense input is inside."""
    if x.dim() < 3:
        return x if outside else new
    mask = torch.zeros(x.shape[-2:], dtype=torch.bool)
    mask[box.top : box.bottom, box.left : box.right] = True
    return torch.where(mask ^ outside, new, x)


def edges(field: Field, row: int, col: int, shape: tuple[int, ...]) -> Iterator[Box]:
    """The outermost lines of px of a window that lie in the plane, one box each."""
    whole, part = field.box(row, col), inside(field, row, col, shape)
    if whole.top == part.top:
        yield Box(top=part.top, bottom=part.top + 1, left=part.left, right=part.right)
    if whole.bottom == part.bottom:
        yield Box(top=part.bottom - 1, bottom=part.bottom, left=part.left, right=part.right)
    if whole.left == part.left:
        yield Box(top=part.top, bottom=part.bottom, left=part.left, right=part.left + 1)
    if whole.right == part.right:
        yield Box(top=part.top, bottom=part.bottom, left=part.right - 1, right=part.right)


def places(case: Case) -> list[tuple[int, int]]:
    """Output positions in the middle and along every border, two deep."""
    return list(
        itertools.product(*(sorted({0, 1, n // 2, n - 2, n - 1} & set(range(n))) for n in plane(case.call.shape)))
    )


@every_case
def test_window_is_true(case: Case) -> None:
    """What lies outside a position's window changes nothing; each edge of it that lies in the map changes something."""
    inputs, others = case.random(0), case.random(1)
    plain = case.call.run(*inputs)
    for row, col in places(case):
        for index, field in enumerate(case.row.window(case.call)):
            shape = case.call.inputs[index]

            def changed(box: Box, outside: bool, index: int = index) -> Tensor:
                new = with_new(inputs[index], others[index], box, outside=outside)
                return case.call.run(*inputs[:index], new, *inputs[index + 1 :])

            far = changed(inside(field, row, col, shape), True)
            torch.testing.assert_close(at(far, row, col), at(plain, row, col), rtol=1e-12, atol=1e-12)
            # A field with a note is larger than what is seen, and says so.
            for edge in () if field.note else edges(field, row, col, shape):
                difference = (at(changed(edge, False), row, col) - at(plain, row, col)).abs().max()
                assert difference > 1e-6, f"position ({row}, {col}) does not see {edge} of input {index}"


def cut(x: Tensor, field: Field, box: Box, fill: float) -> Tensor:
    """What a window of output positions sees of an input, `fill` beyond its border."""
    seen = seen_by(field, box)
    height, width = x.shape[-2:]
    part = seen.clipped(height, width)
    margins = (part.left - seen.left, seen.right - part.right, part.top - seen.top, seen.bottom - part.bottom)
    return F.pad(x[..., part.top : part.bottom, part.left : part.right], margins, value=fill)


def seen_by(field: Field, box: Box) -> Box:
    """The window of an input that a window of the output sees."""
    first, last = field.box(box.top, box.left), field.box(box.bottom - 1, box.right - 1)
    return Box(top=first.top, left=first.left, bottom=last.bottom, right=last.right)


def whole(case: Case) -> Box:
    rows, cols = plane(case.call.shape)
    return Box(top=0, left=0, bottom=rows, right=cols)


def run_unpadded(case: Case, inputs: tuple[Tensor, ...], box: Box, fill: float) -> Tensor:
    """The call on windows, cut so that nothing is left to pad."""
    windows = tuple(cut(x, f, box, fill) for x, f in zip(inputs, case.row.window(case.call), strict=True))
    shapes = tuple(tuple(x.shape[1:]) for x in windows)
    shape = (*case.call.shape[:-2], box.height, box.width)
    return case.call.local(shapes, shape, windows).run(*windows)


def windowed() -> list[Case]:
    """The cases whose windows move with the position."""
    return [case for case in CASES if all(f.rows.step and f.cols.step for f in case.row.window(case.call))]


@pytest.mark.parametrize("case", windowed(), ids=lambda case: f"{case.row.name}-{case.number}")
def test_pad_is_true(case: Case) -> None:
    """op(x, padding) is op(x padded with the row's constant, no padding); where there is none, no constant would do."""
    inputs = case.random(2)
    wanted, fill = case.call.run(*inputs), case.row.beyond(case.call)
    if fill is not None:
        torch.testing.assert_close(run_unpadded(case, inputs, whole(case), fill), wanted, rtol=1e-12, atol=1e-12)
        return
    zeros, ones, twos = (run_unpadded(case, inputs, whole(case), fill) for fill in (0.0, 1.0, 2.0))
    torch.testing.assert_close(twos - ones, ones - zeros)
    slope = ones - zeros
    meets = slope.abs() > 1e-9
    needed = ((wanted - zeros) / slope)[meets]
    assert needed.max() - needed.min() > 1e-3


@every_case
def test_linear_rows_are_linear(case: Case) -> None:
    """Of a row that calls itself linear, and of no other, <y(x) - y(0), s> = <x, back(s)>; it reads no inputs."""

    def rise(inputs: tuple[Tensor, ...]) -> Tensor:
        return case.call.run(*inputs) - case.call.run(*(torch.zeros_like(x) for x in inputs))

    inputs, others, signal = case.random(3), case.random(4), case.signal(4)
    if not case.row.linear:
        sums = tuple(x + other for x, other in zip(inputs, others, strict=True))
        assert not torch.allclose(rise(sums), rise(inputs) + rise(others))
        return
    back = case.row.gradient(signal, case.call)
    assert [b.shape for b in back] == [x.shape for x in inputs]
    across = sum(float((x * b).sum()) for x, b in zip(inputs, back, strict=True))
    assert float((rise(inputs) * signal).sum()) == pytest.approx(across, rel=1e-12)
    assert not any(case.row.needs_inputs(method) for method in METHODS)


@every_case
def test_gradient_is_autograds(case: Case) -> None:
    """The gradient rule is the vector-Jacobian product, on the row's own samples and on random inputs."""
    for inputs in (case.inputs, case.random(5)):
        signal = case.signal(6, len(inputs[0]))
        expected = vjp(signal, case.call.with_tensors(inputs))
        for found, wanted in zip(case.rule("gradient", signal, inputs), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@every_case
def test_methods_are_their_formulas(case: Case) -> None:
    """Deconvnet rectifies the signal as the operation rectifies its input, without a ceiling and whatever the input;
    guided then takes the gradient of that; whatever is no rectifier has one rule for both, mostly the gradient."""
    inputs, signal = case.random(7), case.signal(8)
    rules = {method: case.rule(method, signal, inputs) for method in METHODS}
    if case.row.rectifier:
        slope = -case.call.run(torch.full_like(signal[:1], -1.0)).flatten()[0]
        rectified = torch.where(signal > 0, signal, slope * signal)
        assert torch.equal(rules["deconvnet"][0], rectified)
        assert not case.row.needs_inputs("deconvnet")
        torch.testing.assert_close(rules["guided"], vjp(rectified, case.call.with_tensors(inputs)))
    elif case.row.guided is not None:
        assert case.call.target is local_response_norm, "state this row's formulas here"
        assert torch.equal(rules["deconvnet"][0], signal) and torch.equal(rules["guided"][0], signal)
    else:
        assert all(rules[method][0] is not None and case.row.rule(method) is case.row.gradient for method in METHODS)


def boxes(case: Case) -> Iterator[Box]:
    """Windows of output positions: the whole map, its corners, single positions and a strip."""
    rows, cols = plane(case.call.shape)
    yield whole(case)
    for row, col in {(0, 0), (rows - 1, cols - 1), (rows // 2, cols // 2), (0, cols - 1)}:
        yield Box(top=row, left=col, bottom=row + 1, right=col + 1)
    yield Box(top=rows // 2, left=0, bottom=rows, right=max(1, cols - 1))


@pytest.mark.parametrize("case", [c for c in CASES if slides(c)], ids=lambda case: f"{case.row.name}-{case.number}")
@pytest.mark.parametrize("method", METHODS)
def test_rules_on_windows_are_rules_on_maps(case: Case, method: str) -> None:
    """On windows without padding a call and its rules give what they give on whole maps, restricted to the window."""
    inputs, everywhere = case.random(9, 3), case.signal(10, 3)
    fields, fill = case.row.window(case.call), case.row.beyond(case.call)
    assert fill is not None
    output = case.call.run(*inputs)
    for box in boxes(case):
        here = np.s_[..., box.top : box.bottom, box.left : box.right]
        torch.testing.assert_close(run_unpadded(case, inputs, box, fill), output[here], rtol=1e-12, atol=1e-12)
        signal = torch.zeros_like(everywhere)
        signal[here] = everywhere[here]
        windows = tuple(cut(x, f, box, fill) for x, f in zip(inputs, fields, strict=True))
        shapes = tuple(tuple(x.shape[1:]) for x in windows)
        reads = windows if case.row.needs_inputs(method) else ()
        local = case.call.local(shapes, tuple(everywhere[here].shape[1:]), reads)
        found = case.row.rule(method)(everywhere[here].clone(), local)
        for part, expected, field in zip(found, case.rule(method, signal, inputs), fields, strict=True):
            torch.testing.assert_close(laid(part, expected, seen_by(field, box)), expected, rtol=1e-12, atol=1e-12)


def laid(part: Tensor, like: Tensor, box: Box) -> Tensor:
    """A window's signals on the whole map, what lies beyond the border dropped."""
    out = torch.zeros_like(like)
    kept = box.clipped(*like.shape[-2:])
    rows, cols = slice(kept.top - box.top, kept.bottom - box.top), slice(kept.left - box.left, kept.right - box.left)
    out[..., kept.top : kept.bottom, kept.left : kept.right] = part[..., rows, cols]
    return out


def test_names_are_stable() -> None:
    """Atlases store the rows' names: a row may be added to the list, none may be renamed or lose a target."""
    lines = [f"{row.name}: {', '.join(map(str, row.targets))}" for row in ROWS]
    assert sorted(lines) == GOLDEN.read_text().splitlines()


def test_every_target_has_exactly_one_row() -> None:
    """The table is the rows, turned around; names are unique and every row shows each of its targets by a sample."""
    assert {target: row.name for row in ROWS for target in row.targets} == {t: row.name for t, row in TABLE.items()}
    assert sum(len(row.targets) for row in ROWS) == len(TABLE)
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {case.call.target for case in CASES} == set(TABLE)
