"""A call is bound once: every argument by name, with its default."""

import pytest
import torch

from layerscope.graph.args import bind

aten = torch.ops.aten


def test_defaults_are_filled_in() -> None:
    """What a call leaves out has the schema's value, in the schema's order."""
    bound = bind(aten.max_pool2d.default, ("x", [3, 2]), {})
    assert bound == {
        "self": "x",
        "kernel_size": (3, 2),
        "stride": (),
        "padding": (0, 0),
        "dilation": (1, 1),
        "ceil_mode": False,
    }


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("x", "w", None, [2, 1]), {}),
        (("x", "w"), {"stride": [2, 1]}),
        ((), {"input": "x", "weight": "w", "stride": (2, 1)}),
    ],
)
def test_position_and_name_are_one(args: tuple, kwargs: dict) -> None:
    """However arguments are given, they are bound alike; lists are tuples."""
    bound = bind(aten.conv2d.default, args, kwargs)
    assert (bound["input"], bound["weight"], bound["bias"], bound["stride"]) == ("x", "w", None, (2, 1))
    assert bound["groups"] == 1


def test_nested_lists_are_tuples() -> None:
    """What cannot be changed can be shared."""
    assert bind(aten.cat.default, ([["a"], "b"], 1), {}) == {"tensors": (("a",), "b"), "dim": 1}
