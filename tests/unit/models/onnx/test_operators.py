"""Every operator of the table computes what onnxruntime computes, in every form that an exporter writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from layerscope.models.onnx.ops import OPERATORS
from tests.helpers.onnx_files import OPSET, model_of, numbers, worst_gap

MAP, VECTOR = (2, 4, 7, 9), (2, 6)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One node, whose first input is the picture. more: its further inputs in order, None for one that is left out,
    a text for a value."""

    op: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[Any] = ()
    shape: tuple[int, ...] = MAP
    opset: int = OPSET
    low: float = -2.0
    outputs: int = 1
    domain: str = ""

    def __str__(self) -> str:
        attributes = ",".join(f"{name}={value}" for name, value in self.attributes.items())
        return f"{self.op}-{self.opset}({attributes}){'x' * len(self.more)}{list(self.shape)}"


def case(op: str, *more: Any, shape: tuple[int, ...] = MAP, opset: int = OPSET, low: float = -2.0, outputs: int = 1,
         domain: str = "", **attributes: Any) -> Case:  # fmt: skip
    return Case(
        op=op, attributes=attributes, more=more, shape=shape, opset=opset, low=low, outputs=outputs, domain=domain
    )


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def one(value: float) -> np.ndarray:
    return np.array(value, dtype=np.float32)


FILTER, TRANSPOSED, EACH = numbers(6, 4, 3, 2, seed=1), numbers(4, 6, 3, 2, seed=2), numbers(8, 1, 3, 3, seed=3)
SIX, FOUR, ABOVE_ZERO = numbers(6, seed=4), numbers(4, seed=5), numbers(4, seed=6, low=0.5)

FILTERED = (
    case("Conv", FILTER, SIX, kernel_shape=[3, 2]),
    case("Conv", FILTER, pads=[1, 0, 1, 0], strides=[2, 1], dilations=[1, 2]),
    case("Conv", FILTER, SIX, pads=[0, 1, 2, 0]),
    case("Conv", EACH, group=4, auto_pad="SAME_UPPER", strides=[2, 2]),
    case("Conv", EACH, group=4, auto_pad="SAME_LOWER", strides=[2, 3]),
    case("Conv", EACH, group=4, auto_pad="SAME_UPPER"),
    case("Conv", FILTER, auto_pad="VALID", opset=7),
    case("Conv", numbers(5, 4, 3), shape=(2, 4, 9), pads=[1, 1]),
    case("ConvTranspose", TRANSPOSED, SIX),
    case("ConvTranspose", TRANSPOSED, strides=[2, 3], pads=[1, 0, 1, 0], output_padding=[1, 0]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], pads=[0, 0, 1, 1]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], pads=[1, 0, 0, 0]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], auto_pad="SAME_UPPER"),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], auto_pad="SAME_LOWER"),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], output_shape=[15, 19]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], output_shape=[14, 17]),
    case("ConvTranspose", numbers(4, 3, 3, 3), group=2, dilations=[2, 1]),
    case("Gemm", numbers(6, 5), numbers(5), shape=VECTOR),
    case("Gemm", numbers(5, 6), numbers(1, 5), shape=VECTOR, transB=1, alpha=0.5, beta=2.0),
    case("Gemm", numbers(5, 6), one(0.5), shape=VECTOR, transB=1),
    case("Gemm", numbers(13, 5), numbers(6, 1), shape=(13, 6), transA=1, alpha=1.5, beta=0.5),
    case("Gemm", numbers(6, 5), shape=VECTOR, opset=11),
    case("MatMul", numbers(6, 5), shape=VECTOR),
    case("MatMul", numbers(9, 5)),
    case("MatMul", numbers(1, 4, 9, 3)),
)
POOLED = (
    case("MaxPool", kernel_shape=[3, 2]),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("MaxPool", kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1, shape=(1, 2, 4, 7)),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    case("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER"),
    case("MaxPool", kernel_shape=[3, 3], pads=[0, 0, 1, 2]),
    case("MaxPool", kernel_shape=[2, 2], dilations=[2, 3]),
    case("MaxPool", kernel_shape=[2], shape=(2, 4, 9), strides=[2], opset=8),
    case("AveragePool", kernel_shape=[3, 2], strides=[2, 1]),
    case("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    case("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
    case("AveragePool", kernel_shape=[3, 3], pads=[0, 1, 2, 0]),
    case("AveragePool", kernel_shape=[3, 3], pads=[0, 1, 2, 0], count_include_pad=1),
    case("GlobalAveragePool"),
    case("GlobalMaxPool"),
    case("GlobalLpPool", p=2),
)
NORMALISED = (
    case("BatchNormalization", FOUR, FOUR, FOUR, ABOVE_ZERO, epsilon=1e-3),
    case("BatchNormalization", SIX, SIX, SIX, np.abs(SIX), shape=VECTOR, opset=9),
    case("InstanceNormalization", FOUR, FOUR),
    case("GroupNormalization", FOUR, FOUR, num_groups=2, epsilon=1e-2),
    case("GroupNormalization", numbers(2), numbers(2, seed=7), num_groups=2, opset=18),
    case("LayerNormalization", numbers(9), numbers(9, seed=8)),
    case("LayerNormalization", numbers(7, 9), axis=-2, epsilon=1e-3, opset=17),
    case("RMSNormalization", numbers(9), opset=23),
    case("LRN", size=3, alpha=0.1, beta=0.5, bias=2.0),
    case("LpNormalization", axis=1, p=2),
    case("MeanVarianceNormalization", axes=[2, 3]),
    case("Softmax", axis=1),
    case("Softmax", shape=VECTOR, opset=11),
    case("Softmax", axis=2, opset=9),
    case("LogSoftmax"),
)
ACTIVATED = (
    *(
        case(name)
        for name in ("Relu", "Elu", "Celu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Mish", "Softplus")
    ),
    *(case(name) for name in ("Softsign", "Tanh", "Gelu", "ThresholdedRelu", "LeakyRelu")),
    case("LeakyRelu", alpha=0.3),
    case("Elu", alpha=0.5),
    case("Celu", alpha=2.0),
    case("Selu", alpha=2.0, gamma=1.5),
    case("HardSigmoid", alpha=1 / 6),
    case("HardSigmoid", alpha=0.3, beta=0.4),
    case("Gelu", approximate="tanh"),
    case("Gelu", domain="com.microsoft"),
    case("Swish", opset=24),
    case("Swish", alpha=1.5, opset=24),
    case("PRelu", numbers(4, 1, 1)),
    case("PRelu", one(0.2)),
    case("PRelu", numbers(1, 1, 9)),
    case("Clip", one(0), one(6)),
    case("Clip", one(0)),
    case("Clip", None, one(0.5)),
    case("Clip", one(-0.5), one(0.5)),
    case("Clip", min=-1.0, max=1.0, opset=7),
    case("Clip"),
)
SECOND = numbers(4, 1, 9, seed=9)
COUNTED = (
    *(case(name, SECOND) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean")),
    *(case(name, one(0.75)) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min")),
    *(
        case(name)
        for name in ("Neg", "Reciprocal", "Abs", "Exp", "Erf", "Floor", "Ceil", "Round", "Sign", "Sin", "Cos")
    ),
    *(case(name, low=0.1) for name in ("Sqrt", "Log")),
    case("Add", SECOND, opset=7),
    case("Max", SECOND, numbers(1, 4, 7, 9, seed=10)),
    case("Pow", one(2)),
    case("Pow", one(0.5), low=0.1),
    case("Mod", one(0.5), fmod=1),
    case("CumSum", ints(2)),
)
MOVED = (
    *(case(name) for name in ("Identity", "Dropout")),
    case("Cast", to=1),
    case("Reshape", ints(0, -1)),
    case("Reshape", ints(-1, 2, 2, 7, 9), allowzero=1),
    case("Flatten"),
    case("Flatten", axis=2),
    case("Transpose", perm=[0, 2, 3, 1]),
    case("Concat", "x", axis=1),
    case("Split", ints(1, 3), axis=1, outputs=2),
    case("Split", axis=1, outputs=2, num_outputs=2),
    case("Split", axis=1, split=[3, 1], outputs=2, opset=11),
    case("Slice", ints(1), ints(3), ints(1)),
    case("Slice", ints(-1, 0), ints(-100, 2**63 - 1), ints(3, 2), ints(-2, 2)),
    case("Slice", ints(0, 1), ints(2, -1)),
    case("Slice", starts=[1, 2], ends=[3, 100], axes=[1, 3], opset=9),
    case("Gather", ints(2, 1, 0), axis=1),
    case("Gather", np.array(1, dtype=np.int64), axis=1),
    case("Gather", ints(1, 2), axis=-1),
    case("Gather", np.array([[0, 3], [2, -1]], dtype=np.int64), axis=3),
    case("Squeeze", ints(2, 3), shape=(2, 4, 1, 1)),
    case("Squeeze", shape=(2, 4, 1, 1)),
    case("Squeeze", axes=[2], shape=(2, 4, 1, 1), opset=11),
    case("Unsqueeze", ints(2, -1), shape=VECTOR),
    case("Unsqueeze", axes=[1], shape=VECTOR, opset=11),
    case("Expand", ints(1, 4, 3, 3), shape=(2, 4, 1, 1)),
    case("Expand", ints(5, 1), shape=(2, 4, 1, 1)),
    case("Tile", ints(1, 1, 2, 3)),
    case("Pad", ints(0, 0, 1, 2, 0, 0, 0, 3)),
    case("Pad", ints(0, 1, 0, 0, 0, 2, 0, 0), one(0.5)),
    case("Pad", ints(0, 0, 1, 2, 0, 0, 0, 3), mode="reflect"),
    case("Pad", ints(0, 0, 0, 2, 0, 0, 0, 3), mode="edge"),
    case("Pad", ints(0, 0, 1, 2, 0, 0, 0, 3), mode="wrap"),
    case("Pad", ints(1, 2, 0, -1), None, ints(2, 3)),
    case("Pad", pads=[0, 0, 1, 2, 0, 0, 0, 3], value=-1.0, opset=9),
    case("DepthToSpace", blocksize=2, shape=(2, 8, 3, 5)),
    case("DepthToSpace", blocksize=2, mode="CRD", shape=(2, 8, 3, 5)),
    case("SpaceToDepth", blocksize=2, shape=(2, 3, 4, 6)),
)
REDUCED = (
    *(
        case(f"Reduce{name}", ints(2, 3))
        for name in ("Mean", "Sum", "Max", "Min", "L1", "L2", "SumSquare", "LogSumExp")
    ),
    case("ReduceLogSum", ints(2, 3), low=0.1),
    case("ReduceMean", axes=[1], keepdims=0, opset=13),
    case("ReduceMean", ints(-1), keepdims=0),
    case("ReduceSum", ints(2), opset=13),
    case("ReduceMax", axes=[2, 3], opset=12),
    case("ReduceL2", axes=[1], opset=13),
    case("ReduceMean", noop_with_empty_axes=1),
)


def scaled(*sizes: float) -> tuple[None, np.ndarray]:
    return None, np.array([1, 1, *sizes], dtype=np.float32)


def sized(*sizes: int) -> tuple[None, None, np.ndarray]:
    return None, None, ints(2, 4, *sizes)


RESIZED = (
    case("Resize", *scaled(2, 2), coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
    case("Resize", *scaled(2, 3)),
    case("Resize", *scaled(2, 2), mode="linear"),
    case("Resize", *scaled(1.3, 1.7), mode="linear"),
    case("Resize", *sized(10, 5), mode="linear"),
    case("Resize", *sized(10, 5), mode="linear", coordinate_transformation_mode="align_corners"),
    case("Resize", *sized(10, 5), mode="linear", coordinate_transformation_mode="asymmetric"),
    case("Resize", *sized(10, 1), mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    case("Resize", *scaled(1.3, 1.7), mode="linear", coordinate_transformation_mode="half_pixel_symmetric"),
    case("Resize", *sized(14, 18), mode="cubic"),
    case("Resize", *sized(14, 18), mode="cubic", coordinate_transformation_mode="align_corners"),
    case("Resize", *sized(3, 20), nearest_mode="ceil", coordinate_transformation_mode="asymmetric"),
    case("Resize", *sized(5, 6), nearest_mode="round_prefer_ceil"),
    case("Resize", None, np.array([2, 2], dtype=np.float32), axes=[2, 3], mode="linear"),
    case("Resize", np.array([1, 1, 2, 2], dtype=np.float32), opset=10),
    case("Resize", np.array([1, 1, 2, 1.5], dtype=np.float32), mode="linear", opset=10),
    case("Upsample", np.array([1, 1, 2, 2], dtype=np.float32), opset=9),
    case("Upsample", scales=[1.0, 1.0, 2.0, 3.0], opset=7),
)
CASES = (*FILTERED, *POOLED, *NORMALISED, *ACTIVATED, *COUNTED, *MOVED, *REDUCED, *RESIZED)

COMPARED = ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
# Told by tests of their own: what gives truth values, a pattern, and what is refused.
ELSEWHERE = {*COMPARED, "Where", "Not", "And", "Or", "AsStrided", "ReduceProd"}
RESHAPES = {"to2": ints(0, -1), "to3": ints(0, 0, -1)}


@pytest.mark.parametrize("one", CASES, ids=str)
@pytest.mark.thin(4)
def test_an_operator_is_onnxruntimes(one: Case, tmp_path: Path) -> None:
    """The same numbers for the same input, attributes and further inputs, in every form of every opset."""
    names = [
        more if isinstance(more, str) else f"in{place}" * (more is not None) for place, more in enumerate(one.more)
    ]
    weights = {name: more for name, more in zip(names, one.more, strict=True) if isinstance(more, np.ndarray)}
    # A picture has four axes; a node of fewer gets them from a picture with axes of one entry.
    rank, shape = len(one.shape), (*one.shape, *[1] * (4 - len(one.shape)))
    reshaped = [helper.make_node("Reshape", ["x", f"to{rank}"], ["v"])] if rank < 4 else []
    outputs = ["y", "z"][: one.outputs]
    node = helper.make_node(one.op, ["v" if reshaped else "x", *names], outputs, domain=one.domain, **one.attributes)
    model = model_of(
        [*reshaped, node], ("n", *shape[1:]), weights | RESHAPES, outputs=outputs, opset=one.opset,
        domains=[one.domain] * bool(one.domain),
    )  # fmt: skip
    assert worst_gap(model, tmp_path, numbers(*shape, low=one.low)) < 1e-5


@pytest.mark.parametrize("name", COMPARED)
def test_comparisons_choose_as_onnxruntimes(name: str, tmp_path: Path) -> None:
    """A comparison, its opposite, both and either, and a choice by them."""
    nodes = [
        helper.make_node(name, ["x", "c"], ["is"]),
        helper.make_node("Not", ["is"], ["is not"]),
        helper.make_node("And", ["is", "is not"], ["never"]),
        helper.make_node("Or", ["is", "never"], ["again"]),
        helper.make_node("Where", ["again", "x", "c"], ["y"]),
    ]
    x = numbers(*MAP).round(1)
    model = model_of(nodes, ("n", *MAP[1:]), {"c": x[0, :1]})
    assert worst_gap(model, tmp_path, x) == 0


def test_every_row_is_tried() -> None:
    """A row without a case here would be nobody's word."""
    tried = {(one.domain, one.op) for one in CASES}
    assert {name for domain, name in OPERATORS if (domain, name) not in tried} - ELSEWHERE == {"GroupNormalization"}
