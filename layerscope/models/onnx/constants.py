"""Constants and attributes of a file, as arrays and as Python's own values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

from layerscope.models.onnx.calls import Unread


def as_numbers(found: np.ndarray, given: Sequence[np.ndarray | None]) -> np.ndarray:
    """A folded constant in the numbers of the file: those of what it was made of."""
    if found.dtype != object:
        return found
    values = found.reshape(-1).tolist()
    if all(isinstance(value, bool | np.bool_) for value in values):
        return found.astype(bool)
    if all(isinstance(value, int | np.integer) for value in values):
        return found.astype(np.int64)
    return found.astype(np.float32)


def constant_of(node: NodeProto) -> np.ndarray:
    for each in node.attribute:
        if each.name == "value":
            return numpy_helper.to_array(each.t)
        if each.name in ("value_float", "value_floats"):
            return np.array(each.f if each.name == "value_float" else list(each.floats), dtype=np.float32)
        if each.name in ("value_int", "value_ints"):
            return np.array(each.i if each.name == "value_int" else list(each.ints), dtype=np.int64)
    raise Unread("is a constant of text, or a sparse one")


def attribute_of(attribute: AttributeProto) -> Any:
    """An attribute as Python's values: texts, numbers, lists of them, arrays."""
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return list(value) if not isinstance(value, str | int | float) and hasattr(value, "__iter__") else value


def in_words(value: Any) -> Any:
    """An array or list as nested tuples of plain numbers."""
    if isinstance(value, np.ndarray):
        return in_words(value.tolist())
    return tuple(in_words(one) for one in value) if isinstance(value, list | tuple) else value
