"""What exporters took apart is one module again, of the same numbers; what only looks like it stays as it is."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from tests.helpers.onnx_files import farthest, model_of, numbers, own_values, plan_of, values_of

MAP = ("n", 4, 6, 8)


def number(name: str, value: float) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.float32(value)))


def node(text: str, **attributes: object) -> onnx.NodeProto:
    """A node written as "y = Op a b"."""
    output, _, call = text.partition(" = ")
    op, *inputs = call.split()
    return helper.make_node(op, inputs, [output], name=f"/{output}/{op}", **attributes)


GELU = [number("r", math.sqrt(2)), node("d = Div x r"), node("e = Erf d"), number("1", 1), node("a = Add e 1")]
HALF = number("h", 0.5)
TANH = [
    number("3", 3), node("p = Pow x 3"), number("k", 0.044715), node("m = Mul p k"), node("s = Add x m"),
    number("q", math.sqrt(2 / math.pi)), node("z = Mul s q"), node("t = Tanh z"), number("1", 1), node("a = Add t 1"),
]  # fmt: skip
CUT = [number("3", 3), node("p = Add x 3"), number("0", 0), number("6", 6), node("c = Clip p 0 6")]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([*GELU, node("b = Mul x a"), HALF, node("y = Mul b h")], nn.GELU),
        ([*GELU, HALF, node("b = Mul x h"), node("y = Mul b a")], nn.GELU),
        ([*GELU, HALF, node("b = Mul h a"), node("y = Mul b x")], nn.GELU),
        ([*TANH, HALF, node("b = Mul x h"), node("y = Mul b a")], nn.GELU),
        ([node("s = Sigmoid x"), node("y = Mul x s")], nn.SiLU),
        ([node("s = Softplus x"), node("t = Tanh s"), node("y = Mul x t")], nn.Mish),
        ([node("s = HardSigmoid x", alpha=1 / 6), node("y = Mul x s")], nn.Hardswish),
        ([*CUT, node("m = Mul x c"), node("y = Div m 6")], nn.Hardswish),
        ([*CUT, node("y = Div c 6")], nn.Hardsigmoid),
    ],
)  # fmt: skip
def test_an_activation_that_was_written_out_is_one_module(
    nodes: Sequence[onnx.NodeProto], expected: type, tmp_path: Path
) -> None:
    """In whatever order its arithmetic stands."""
    check(nodes, {}, [expected], tmp_path)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("r = Relu x"), node("s = Sigmoid r"), node("y = Mul x s")],
        [node("s = Sigmoid x"), node("a = Mul x s"), node("y = Add a s")],
        [*GELU[:3], number("1", 1.5), node("a = Add e 1"), node("b = Mul x a"), HALF, node("y = Mul b h")],
        [node("s = HardSigmoid x", alpha=0.2), node("y = Mul x s")],
    ],
)
def test_what_only_looks_like_an_activation_is_none(nodes: Sequence[onnx.NodeProto], tmp_path: Path) -> None:
    """A gate of another map, a value that something else reads too, other numbers."""
    kinds = check(nodes, {}, None, tmp_path)
    assert not {nn.SiLU, nn.GELU, nn.Hardswish} & set(kinds)


def layer_norm(last: Sequence[int] = (-1,), epsilon: float = 1e-4) -> list[onnx.NodeProto]:
    return [
        node("u = ReduceMean x", axes=[-1]), node("d = Sub x u"), number("2", 2), node("p = Pow d 2"),
        node("v = ReduceMean p", axes=last), number("e", epsilon), node("w = Add v e"), node("s = Sqrt w"),
        node("q = Div d s"), node("m = Mul q weight"), node("y = Add m bias"),
    ]  # fmt: skip


def test_a_layer_norm_that_was_written_out_is_one_module(tmp_path: Path) -> None:
    """Over the last axis, as exporters wrote it before opset 17; over another it stays as it is."""
    weights = {"weight": numbers(8), "bias": numbers(8, seed=1)}
    check(layer_norm(), weights, [nn.LayerNorm], tmp_path, opset=13)
    assert nn.LayerNorm not in check(layer_norm([2]), weights, None, tmp_path, opset=13)


@pytest.mark.parametrize(("ones", "expected"), [(1.0, [nn.GroupNorm]), (2.0, None)])
def test_a_group_norm_that_was_written_out_is_one_module(
    ones: float, expected: list[type] | None, tmp_path: Path
) -> None:
    """By an instance norm of joined channels; with weights of its own that is no group norm."""
    weights = {
        "shape": np.array([0, 2, -1]), "ones": np.full(2, ones, np.float32), "zeros": np.zeros(2, np.float32),
        "back": np.array([0, 4, 6, 8]), "weight": numbers(4, 1, 1), "bias": numbers(4, 1, 1, seed=1),
    }  # fmt: skip
    nodes = [
        node("j = Reshape x shape"), node("i = InstanceNormalization j ones zeros", epsilon=1e-3),
        node("b = Reshape i back"), node("m = Mul b weight"), node("y = Add m bias"),
    ]  # fmt: skip
    kinds = check(nodes, weights, expected, tmp_path)
    assert (nn.GroupNorm in kinds) is (expected is not None)


def test_a_product_and_a_sum_are_a_dense_layer(tmp_path: Path) -> None:
    """With a bias of its size; equal biases may be handed on from one."""
    weights = {"w": numbers(8, 5), "kept": numbers(5)}
    nodes = [node("bias = Identity kept"), node("p = MatMul x w"), node("y = Add bias p")]
    check(nodes, weights, [nn.Linear], tmp_path)


@pytest.mark.parametrize("places", [np.arange(192), np.arange(192)[::-1], np.arange(0, 192, 2)])
def test_a_picture_in_a_row_is_each_picture_of_a_batch(places: np.ndarray, tmp_path: Path) -> None:
    """torch writes so of a map in another layout; for one picture, and here for any number."""
    weights = {"row": np.array([-1]), "places": places.reshape(1, 4, -1)}
    model = model_of([node("r = Reshape x row"), node("y = Gather r places")], (1, *MAP[1:]), weights)
    plan, picture = plan_of(model, tmp_path)
    x = numbers(3, 4, 6, 8)
    (found,) = (values_of(plan, picture, torch.from_numpy(x))[name].numpy() for name in plan.outputs)
    each = [own_values(model, x[place : place + 1], ["y"])["y"] for place in range(3)]
    assert np.array_equal(found, np.concatenate(each))


def check(
    nodes: Sequence[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    expected: list[type] | None,
    folder: Path,
    opset: int = 17,
) -> list[type]:
    """The modules that nodes are read as; what they give is onnxruntime's."""
    model = model_of(nodes, MAP, weights, opset=opset)
    plan, picture = plan_of(model, folder)
    kinds = [type(step.by) for step in plan.steps]
    assert expected is None or kinds == expected
    x = numbers(2, 4, 6, 8, low=-6, high=6)
    assert farthest(values_of(plan, picture, torch.from_numpy(x))["y"].numpy(), own_values(model, x, ["y"])["y"]) < 2e-6
    return kinds
