"""A chain that only moves numbers is the module that moves them so, and where it is none it stays as it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch import nn

from layerscope.models import load
from tests.helpers.onnx_files import farthest, model_of, numbers, own_values, plan_of, saved

MAP = ("n", 4, 6, 8)


def move(op: str, name: str, source: str, *inputs: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, [source, *inputs], [name], **attributes)


def sizes(*values: int) -> np.ndarray:
    return np.array(values)


REPEATED = (
    [
        move("Transpose", "a", "x", perm=[0, 2, 3, 1]), move("Unsqueeze", "b", "a", "two"),
        move("Tile", "c", "b", "rows"), move("Reshape", "d", "c", "high"), move("Unsqueeze", "e", "d", "three"),
        move("Tile", "f", "e", "cols"), move("Reshape", "g", "f", "wide"),
        move("Transpose", "y", "g", perm=[0, 3, 1, 2]),
    ],
    {"two": sizes(2), "rows": sizes(1, 1, 2, 1, 1), "high": sizes(-1, 12, 8, 4), "three": sizes(3),
     "cols": sizes(1, 1, 1, 3, 1), "wide": sizes(-1, 12, 24, 4)},
)  # fmt: skip
SHUFFLED = (
    [move("Reshape", "a", "x", "apart"), move("Transpose", "b", "a", perm=[0, 1, 4, 2, 5, 3]),
     move("Reshape", "y", "b", "s")],
    {"apart": sizes(-1, 1, 2, 2, 6, 8), "s": sizes(-1, 1, 12, 16)},
)  # fmt: skip
UNSHUFFLED = (
    [move("Reshape", "a", "x", "apart"), move("Transpose", "b", "a", perm=[0, 1, 3, 5, 2, 4]),
     move("Reshape", "y", "b", "s")],
    {"apart": sizes(-1, 4, 3, 2, 4, 2), "s": sizes(-1, 16, 3, 4)},
)  # fmt: skip
BACK = [move("Transpose", "a", "x", perm=[0, 2, 3, 1]), move("Transpose", "y", "a", perm=[0, 3, 1, 2])], {}
TURNED = [move("Transpose", "a", "x", perm=[0, 1, 3, 2]), move("Reshape", "y", "a", "s")], {"s": sizes(-1, 4, 6, 8)}


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (REPEATED, [nn.Upsample]),
        (SHUFFLED, [nn.PixelShuffle]),
        (UNSHUFFLED, [nn.PixelUnshuffle]),
        (BACK, [nn.Identity]),
        (TURNED, None),
    ],
)
def test_a_chain_that_moves_numbers_is_one_module(
    chain: tuple[Sequence[onnx.NodeProto], Mapping[str, np.ndarray]], expected: list[type] | None, tmp_path: Path
) -> None:
    """An upsampling, a shuffle either way, or nothing at all; what is none of these is not taken for one."""
    nodes, weights = chain
    model = model_of(nodes, MAP, weights)
    plan, _ = plan_of(model, tmp_path)
    kinds = [type(step.by) for step in plan.steps]
    assert kinds == expected or (expected is None and not any(issubclass(kind, nn.Module) for kind in kinds))
    x = numbers(3, *MAP[1:])
    found = load(str(saved(model, tmp_path))).model(torch.from_numpy(x)).numpy()
    assert np.array_equal(found, own_values(model, x, ["y"])["y"])


def test_a_value_of_a_chain_that_is_read_elsewhere_stays(tmp_path: Path) -> None:
    """Only what nobody reads but for its sizes is taken away."""
    nodes = [*BACK[0], move("Relu", "z", "a")]
    model = model_of(nodes, MAP, outputs=["y", "z"])
    x = numbers(2, *MAP[1:])
    found = load(str(saved(model, tmp_path))).model(torch.from_numpy(x))
    expected = own_values(model, x, ["y", "z"])
    assert all(np.array_equal(one.numpy(), expected[name]) for one, name in zip(found, "yz", strict=True))


def test_a_map_flattened_with_channels_last_meets_a_dense_layer_turned_so(tmp_path: Path) -> None:
    """torch's own flattening then, and the same scores."""
    nodes = [
        move("Transpose", "a", "x", perm=[0, 2, 3, 1]), move("Reshape", "b", "a", "row"), move("MatMul", "c", "b", "w"),
        move("Add", "y", "c", "bias"),
    ]  # fmt: skip
    model = model_of(nodes, MAP, {"row": sizes(-1, 192), "w": numbers(192, 5), "bias": numbers(5)})
    plan, _ = plan_of(model, tmp_path)
    assert [type(step.by) for step in plan.steps] == [nn.Flatten, nn.Linear]
    x = numbers(3, *MAP[1:])
    found = load(str(saved(model, tmp_path))).model(torch.from_numpy(x)).detach().numpy()
    assert farthest(found, own_values(model, x, ["y"])["y"]) < 1e-6
