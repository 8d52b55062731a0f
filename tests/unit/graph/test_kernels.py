"""Operations in 16 bits: every row runs, and what PyTorch has no kernel for is computed in float32 and rounded."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.kernels import NARROW, computed
from layerscope.testing.ops import Case, cases

aten = torch.ops.aten
every_type = pytest.mark.parametrize("dtype", NARROW, ids=str)


def rounded(case: Case, dtype: torch.dtype) -> tuple[Case, Case]:
    """A row's sample in a 16-bit type, and the same numbers in float64."""
    narrow, wide = (
        case.call.changed(**{name: cast(value, dtype, to) for name, value in case.call.args.items()})
        for to in (dtype, torch.float64)
    )
    inputs = tuple(x.to(dtype) for x in case.inputs)
    return case._replace(call=narrow, inputs=inputs), case._replace(call=wide, inputs=tuple(x.double() for x in inputs))


def cast(value: object, dtype: torch.dtype, to: torch.dtype) -> object:
    return value.to(dtype).to(to) if isinstance(value, Tensor) and value.is_floating_point() else value


@every_type
@pytest.mark.parametrize("name", OPERATIONS.own)
def test_every_row_runs_in_16_bits(name: str, dtype: torch.dtype) -> None:
    """On the CPU, with the result that float64 has of the same numbers, to the precision of the type."""
    for case in cases(OPERATIONS.own[name]):
        narrow, wide = rounded(case, dtype)
        found, expected = narrow.call.run(*narrow.inputs), wide.call.run(*wide.inputs)
        assert found.dtype == dtype
        allowed = 4 * torch.finfo(dtype).eps * float(expected.abs().max())
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=allowed)


@pytest.fixture
def without_half() -> Iterator[torch._ops.OpOverload]:
    """An operation, x + |y|, that refuses float16 as PyTorch's own do, and counts how often it is called."""
    library = torch.library.Library("layerscope_test", "DEF")
    library.define("added(Tensor x, Tensor[] y) -> Tensor")

    def added(x: Tensor, y: list[Tensor]) -> Tensor:
        calls.append(x.dtype)
        if x.dtype == torch.float16:
            raise NotImplementedError("\"added\" not implemented for 'Half'")
        return x + y[0].abs()

    library.impl("added", added, "CPU")
    calls: list[torch.dtype] = []
    target = torch.ops.layerscope_test.added.default
    target.calls = calls
    yield target
    library._destroy()


def test_a_missing_kernel_is_met_once(without_half) -> None:
    """The refusal is remembered: from then on the call is made in float32 at once, lists of maps included."""
    x, y = torch.tensor([1.0, 2.0]).half(), torch.tensor([-0.5, 3.0]).half()
    for _ in range(3):
        found = computed(without_half, {"x": x, "y": [y]}, x)
        assert found.dtype == torch.float16 and found.tolist() == [1.5, 5.0]
    assert without_half.calls == [torch.float16, *[torch.float32] * 3]


def test_other_types_and_other_failures_are_left_alone(without_half) -> None:
    """bfloat16 has its kernel here; an error that speaks of something else is not caught."""
    x = torch.tensor([1.0]).bfloat16()
    assert computed(without_half, {"x": x, "y": [x]}, x).dtype == torch.bfloat16
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        computed(aten.mm.default, {"self": x.half()[:, None], "mat2": torch.ones(2, 2).half()}, x.half())
