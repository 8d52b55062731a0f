"""What goes over axes of a map, in ONNX: means, sums and maxima, norms, normalisations and shares."""

from collections.abc import Sequence
from math import inf, prod

import torch
from torch import Tensor

from layerscope.graph.forms.nodes import NoOnnxForm, OnnxForm, OnnxNodes, per_channel, shaped, weights
from layerscope.graph.ops.calls import Call


def _axes(call: Call) -> list[int]:
    """Counted from the batch on."""
    given = call["dim"]
    return sorted(axis % (len(call.inputs[0]) + 1) for axis in ((given,) if isinstance(given, int) else given))


def reduced(operator: str) -> OnnxForm:
    """Over axes of a map; whether they are kept, the call says."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        kept = int(call["keepdim"])
        # Of the reductions the sum alone takes its axes as an input before version 18.
        if operator == "ReduceSum":
            return to.node(operator, [inputs[0], to.whole_numbers(_axes(call))], keepdims=kept)
        return to.node(operator, inputs[:1], axes=_axes(call), keepdims=kept)

    return form


def norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The norms that ONNX has."""
    order = float(call["ord"])
    if order == inf:
        return reduced("ReduceMax")(to, call, [to.node("Abs", inputs[:1])])
    if order not in (1, 2):
        raise NoOnnxForm(f"is the norm of order {order:g}")
    return reduced(f"ReduceL{order:.0f}")(to, call, inputs)


def spread(*, root: bool) -> OnnxForm:
    """The variance or, by its root, the standard deviation."""

    def form(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
        axes = _axes(call)
        count = prod(call.inputs[0][axis - 1] for axis in axes)
        given = call["correction"] if "correction" in call.args else call["unbiased"]
        fewer = 1 if given is None else int(given)
        if count <= fewer:
            raise NoOnnxForm("is the spread of too few numbers")
        away = to.node("Sub", [inputs[0], to.node("ReduceMean", inputs[:1], axes=axes, keepdims=1)])
        mean = to.node("ReduceMean", [to.node("Mul", [away, away])], axes=axes, keepdims=int(call["keepdim"]))
        found = mean if fewer == 0 else to.node("Mul", [mean, to.constant(count / (count - fewer))])
        return to.node("Sqrt", [found]) if root else found

    return form


def shares(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The softmax."""
    return to.node("Softmax", inputs[:1], axis=_axes(call)[0])


def shares_of_branches(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The softmax over branches."""
    return shaped(to, to.node("Softmax", [_branches(to, call, inputs)], axis=2), *call.shape)


def largest_branch(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """The largest of branches; which of equal ones is the same to a value."""
    return shaped(to, to.node("ReduceMax", [_branches(to, call, inputs)], axes=[2], keepdims=0), *call.shape)


def _branches(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    return shaped(to, inputs[0], call["outer"], call["count"], call["inner"], *call.inputs[0][1:])


def batch_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """By the statistics of training."""
    weight, bias, mean, variance = weights(call, "weight", "bias", "running_mean", "running_var")
    assert mean is not None and variance is not None
    learned = (torch.ones_like(mean) if weight is None else weight, torch.zeros_like(mean) if bias is None else bias)
    given = [inputs[0], *(to.constant(values) for values in (*learned, mean, variance))]
    return to.node("BatchNormalization", given, epsilon=float(call["eps"]))


def response_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Over an odd number of channels, which lie alike on both sides."""
    if call["size"] % 2 == 0:
        raise NoOnnxForm("has an even number of neighbours, which lie otherwise in ONNX")
    numbers = {"alpha": float(call["alpha"]), "beta": float(call["beta"]), "bias": float(call["k"])}
    return to.node("LRN", inputs[:1], size=int(call["size"]), **numbers)


def last_axes_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Layer normalisation over the last axes."""
    weight, bias = weights(call, "weight", "bias")
    shape = [int(length) for length in call["normalized_shape"]]
    return _layer_norm(to, inputs[0], shape, weight, bias, call["eps"])


def channels_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Layer normalisation of each place: the channels go last, and back."""
    weight, bias = weights(call, "weight", "bias")
    last = [0, *range(2, len(call.shape) + 1), 1]
    turned = to.node("Transpose", inputs[:1], perm=last)
    found = _layer_norm(to, turned, [call.shape[0]], weight, bias, call["eps"])
    return to.node("Transpose", [found], perm=[last.index(axis) for axis in range(len(last))])


def _layer_norm(
    to: OnnxNodes, value: str, shape: list[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> str:
    given = [value, to.constant(torch.ones(shape) if weight is None else weight)]
    given += [] if bias is None else [to.constant(bias)]
    return to.node("LayerNormalization", given, axis=-len(shape), epsilon=float(eps))


def last_axes_root(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Over the root of the mean square of the last axes."""
    (weight,) = weights(call, "weight")
    axes = [len(call.shape) - place for place in range(len(call["normalized_shape"]))]
    return _over_root(to, inputs[0], axes, weight, call["eps"])


def channels_root(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Each place over the root of its channels' mean square."""
    (weight,) = weights(call, "weight")
    return _over_root(to, inputs[0], [1], None if weight is None else per_channel(weight, call), call["eps"])


def _over_root(to: OnnxNodes, value: str, axes: list[int], weight: Tensor | None, eps: float | None) -> str:
    mean = to.node("ReduceMean", [to.node("Mul", [value, value])], axes=axes, keepdims=1)
    least = torch.finfo(torch.float32).eps if eps is None else eps
    found = to.node("Div", [value, to.node("Sqrt", [to.node("Add", [mean, to.constant(float(least))])])])
    return found if weight is None else to.node("Mul", [found, to.constant(weight)])


def groups_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Each group as one long channel, normalised by itself."""
    count = int(call["num_groups"])
    ones = torch.ones(count)
    given = [shaped(to, inputs[0], count, -1), to.constant(ones), to.constant(0 * ones)]
    value = shaped(to, to.node("InstanceNormalization", given, epsilon=float(call["eps"])), *call.shape)
    for operator, learned in zip(("Mul", "Add"), weights(call, "weight", "bias"), strict=True):
        if learned is not None:
            value = to.node(operator, [value, to.constant(per_channel(learned, call))])
    return value


def maps_norm(to: OnnxNodes, call: Call, inputs: Sequence[str]) -> str:
    """Each map by itself."""
    weight, bias = weights(call, "weight", "bias")
    ones = torch.ones(call.shape[0])
    given = [
        inputs[0],
        to.constant(ones if weight is None else weight),
        to.constant(0 * ones if bias is None else bias),
    ]
    return to.node("InstanceNormalization", given, epsilon=float(call["eps"]))
