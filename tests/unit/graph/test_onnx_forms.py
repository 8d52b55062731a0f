"""Every operation of the table as ONNX computes what its row computes, on drawn shapes; what has no form says why."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from layerscope.graph.args import bind
from layerscope.graph.forms.nodes import NoOnnxForm
from layerscope.graph.onnx_file import IR_VERSION, OPSET, OnnxWriting
from layerscope.graph.onnx_forms import ONNX_FORMS
from layerscope.graph.ops import OPERATIONS
from layerscope.graph.ops.calls import Call, Declined, NodeInput
from layerscope.testing.ops import Case, cases
from tests.helpers.onnx_answers import near, run

FORMS = {name: form for name, form in ONNX_FORMS.items() if not isinstance(form, str)}
# So many sizes are drawn for each sample, up to so many rows and columns.
DRAWN, LONGEST = 6, 17
aten = torch.ops.aten


def resized(case: Case, sizes: np.random.Generator) -> Case | None:
    """The sample's call on maps of other sizes, which are alike where they were; None where there is no such call."""
    lengths = sorted({length for shape in case.call.inputs for length in shape[1:] if length > 1})
    other = {1: 1} | {length: int(sizes.integers(1, LONGEST)) for length in lengths}
    shapes = [(*shape[:1], *(other[length] for length in shape[1:])) for shape in case.call.inputs]
    drawn = tuple(torch.from_numpy(4 * sizes.standard_normal((2, *shape))) for shape in shapes)
    inputs = tuple(x if case.above == -np.inf else case.above + 0.1 + x.abs() for x in drawn)
    try:
        call = Call(target=case.call.target, args=case.call.args, inputs=tuple(shapes), shape=())
        made = tuple(call.run(*inputs).shape[1:])
        call = Call(target=call.target, args=call.args, inputs=call.inputs, shape=made)
        case.row.window(call)
    except (RuntimeError, ValueError, IndexError, Declined):
        return None
    return Case(case.row, case.number, call, inputs, case.above) if 0 not in made else None


def written(case: Case) -> bytes:
    """A sample's call as a file of its own, whose inputs are x0, x1 and so on."""
    writing, names = OnnxWriting(), [f"x{place}" for place in range(len(case.inputs))]
    output = FORMS[case.row.name](writing, case.call, names)
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(x.shape))
        for name, x in zip(names, case.inputs, strict=True)
    ]
    made = [helper.make_empty_tensor_value_info(output)]
    graph = helper.make_graph(writing.nodes, "sample", given, made, writing.constants)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()


def computes(case: Case) -> None:
    """onnxruntime finds what the call gives in float32."""
    values = {f"x{place}": x.float().numpy() for place, x in enumerate(case.inputs)}
    args = {name: value.float() if _floats(value) else value for name, value in case.call.args.items()}
    expected = case.call.changed(**args).run(*(x.float() for x in case.inputs)).numpy()
    (found,) = run(written(case), values).values()
    near(found, expected, f"{case} on {case.call.inputs}")


def _floats(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def drawn(name: str) -> Iterator[Case]:
    """The row's samples, and each of them on drawn sizes."""
    sizes = np.random.default_rng(0)
    for case in cases(OPERATIONS.own[name]):
        yield case
        yield from filter(None, (resized(case, sizes) for _ in range(DRAWN)))


def test_every_row_has_a_form_or_a_reason() -> None:
    """The table of forms is the table of operations, line by line; a reason is a clause."""
    assert set(ONNX_FORMS) == set(OPERATIONS.own)
    for reason in (form for form in ONNX_FORMS.values() if isinstance(form, str)):
        assert reason.startswith("it ") and not reason.endswith(".")


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.thin(4)
def test_a_form_computes_what_its_row_computes(name: str) -> None:
    """Every sample of the row on its own and on drawn sizes, by onnxruntime as by PyTorch, or declined with a reason:
    never a sample on its own sizes."""
    own = {case.number: case.call.inputs for case in cases(OPERATIONS.own[name])}
    for case in drawn(name):
        try:
            computes(case)
        except NoOnnxForm as reason:
            assert case.call.inputs != own[case.number], f"{case}: {reason}"


def test_sizes_are_drawn() -> None:
    """Most samples are compared on other sizes than their own: what draws them has not gone blind."""
    found = {name: len([*drawn(name)]) - len([*cases(OPERATIONS.own[name])]) for name in FORMS}
    assert sum(count >= DRAWN // 2 for count in found.values()) > len(found) * 0.8, found


def one_call(target: object, x: Tensor, *args: object) -> Case:
    """A call of any arguments on one map."""
    call = Call(target=target, args=bind(target, (NodeInput(0), *args), {}), inputs=(tuple(x.shape[1:]),), shape=())
    call = Call(target=target, args=call.args, inputs=call.inputs, shape=tuple(call.run(x).shape[1:]))
    return Case(OPERATIONS.targets[target], 0, call, (x,))


RESIZED = {
    "upsample_nearest2d": (aten.upsample_nearest2d.vec, ()),
    "upsample_bilinear2d": (aten.upsample_bilinear2d.vec, (False,)),
    "upsample_bilinear2d at corners": (aten.upsample_bilinear2d.vec, (True,)),
    "upsample_bicubic2d": (aten.upsample_bicubic2d.vec, (False,)),
    "upsample_bicubic2d at corners": (aten.upsample_bicubic2d.vec, (True,)),
}


@pytest.mark.parametrize("name", RESIZED)
def test_maps_are_resized_by_any_ratio(name: str) -> None:
    """To drawn sizes and by drawn factors, up and down, one row or column among them; a factor that ONNX rounds
    otherwise is declined."""
    (target, corners), rng, declined = RESIZED[name], np.random.default_rng(1), 0
    for number in range(40):
        rows, cols, to_rows, to_cols = (int(length) for length in rng.integers(1, 40, 4))
        x = torch.from_numpy(rng.standard_normal((2, 3, rows, cols)))
        factors = [float(one) for one in rng.choice([0.5, 0.7, 1.3, 1.5, 2.0, 3.0, 7 / 3], 2)]
        if number % 2 and min(int(rows * factors[0]), int(cols * factors[1])) > 0:
            case = one_call(target, x, None, *corners, factors)
        else:
            case = one_call(target, x, [to_rows, to_cols], *corners, None)
        try:
            computes(case)
        except NoOnnxForm:
            declined += 1
    assert declined <= 4


def test_averages_divide_as_here() -> None:
    """Every way to divide a window, with padding and without, with windows that overhang the border."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        kernel = [int(one) for one in rng.integers(1, 4, 2)]
        padding = [int(rng.integers(0, size // 2 + 1)) for size in kernel]
        stride = [int(one) for one in rng.integers(1, 4, 2)]
        ceil, counted = (bool(one) for one in rng.integers(0, 2, 2))
        x = torch.from_numpy(rng.standard_normal((2, 3, *(int(one) for one in rng.integers(4, 12, 2)))))
        divisor = [None, 5][int(rng.integers(0, 2))]
        computes(one_call(aten.avg_pool2d.default, x, kernel, stride, padding, ceil, counted, divisor))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_numbers_of_every_size_go_through(scale: float) -> None:
    """Activations of numbers that are tiny, large and zero give no infinity and no other branch than here."""
    for name in FORMS:
        row = OPERATIONS.own[name]
        for case in cases(row) if row.role == "activation" else ():
            channels = case.call.inputs[0][0]
            x = scale * torch.linspace(-1, 1, 2 * channels * 3 * 3, dtype=torch.float64).reshape(2, channels, 3, 3)
            shape = tuple(x.shape[1:])
            call = Call(target=case.call.target, args=case.call.args, inputs=(shape,), shape=shape)
            computes(Case(row, case.number, call, (x,)))
