"""ONNX files of a few nodes, run by onnxruntime and by what layerscope reads of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from layerscope.models.onnx.file import model_in
from layerscope.models.onnx.inputs import pictured
from layerscope.models.onnx.plan import OnnxPlan, planned
from layerscope.models.onnx.steps import ValueNamed

OPSET = 21
Array = np.ndarray


def numbers(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> Array:
    """Random numbers of this shape."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def model_of(
    nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str] = ("n", 3, 8, 8),
    weights: Mapping[str, Array] | None = None, *, outputs: Sequence[str] = ("y",), opset: int = OPSET,
    elements: int = TensorProto.FLOAT, domains: Sequence[str] = (),
) -> onnx.ModelProto:  # fmt: skip
    """A model of these nodes, whose input is "x"."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", elements, list(shape))],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def saved(model: onnx.ModelProto, folder: Path, name: str = "m.onnx") -> Path:
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def plan_of(model: onnx.ModelProto, folder: Path) -> tuple[OnnxPlan, str]:
    """What is read of a model, and the name of its picture."""
    picture = pictured(model_in(saved(model, folder)), "m.onnx")
    return planned(model, picture), picture.name


def values_of(plan: OnnxPlan, picture: str, x: Tensor) -> dict[str, Any]:
    """All values of a network that was read, step by step."""
    values: dict[str, Any] = {picture: x}
    with torch.no_grad():
        for step in plan.steps:
            given = [values[one.name] if isinstance(one, ValueNamed) else one for one in step.arguments]
            result = step.by(*given)
            values.update(zip(step.outputs, result if isinstance(result, tuple | list) else (result,), strict=False))
    return values


def own_values(model: onnx.ModelProto, x: Array, names: Sequence[str]) -> dict[str, Array]:
    """The values of these names, as onnxruntime finds them, nothing of the graph changed."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    del whole.graph.output[:]
    whole.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(list(names), {"x": x}), strict=True))


def farthest(found: Array, expected: Array) -> float:
    """The largest difference, as a share of the largest magnitude expected."""
    assert found.shape == expected.shape, f"{found.shape}, expected {expected.shape}"
    if not expected.size:
        return 0.0
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()
    return float(apart / (np.abs(expected).max() or 1))


def worst_gap(model: onnx.ModelProto, folder: Path, x: Array) -> float:
    """How far any value of the network that was read is from onnxruntime's: every intermediate one."""
    plan, picture = plan_of(model, folder)
    assert not plan.cut, plan.cut
    values = values_of(plan, picture, torch.from_numpy(x))
    given = {name for node in model.graph.node for name in node.output}
    found = {name: value for name, value in values.items() if name in given and isinstance(value, Tensor)}
    found |= {one.name: values[name] for one, name in zip(model.graph.output, plan.outputs, strict=True)}
    expected = own_values(model, x, list(found))
    return max(farthest(value.numpy(), expected[name]) for name, value in found.items())
