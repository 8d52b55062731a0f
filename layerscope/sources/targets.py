"""The classes that a Dataset lists without being read: its own, or those of the Datasets that it is made of.

Names are listed as ``classes`` (torchvision), ``categories`` or, by a data set of the Hugging Face Hub, in its
``features``; labels, one per item, as ``targets``, ``labels`` or the label column. Subset, ConcatDataset and wrappers
are followed to what they hold; what a wrapper does to the order of items is not known, so of a wrapper only names are
taken, and its items tell the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerscope.sources.items import LABEL_KEYS, label_name, value_and_label, whole_number

NAMES = ("classes", "categories")
TARGETS = ("targets", "labels")
DEEPEST = 8  # Datasets inside each other


@dataclass(frozen=True, slots=True)
class Classes:
    """names: of the classes, in the Dataset's order; empty where it gives none. labels: one name (or None) per item;
    None where only the items tell them."""

    names: tuple[str, ...] = ()
    labels: list[str | None] | None = None


def classes_listed(dataset: Any, depth: int = 0) -> Classes:
    """What a Dataset lists of its classes; nothing is read but, of a list of pairs, its items."""
    if isinstance(dataset, (list, tuple)):
        return Classes(labels=_of_pairs(dataset))
    own = Classes(_names(dataset), _labels(dataset, _names(dataset)))
    if own.names or own.labels is not None or depth > DEEPEST:
        return own
    parts = _attribute(dataset, "datasets")
    if isinstance(parts, (list, tuple)) and parts:
        return _joined([classes_listed(part, depth + 1) for part in parts])
    inner, indices = _attribute(dataset, "dataset"), _attribute(dataset, "indices")
    if _length(inner) is not None and indices is not None and _length(indices) == len(dataset):
        held = classes_listed(inner, depth + 1)
        labels = None if held.labels is None else [held.labels[int(index)] for index in indices]
        return Classes(held.names, labels)
    return Classes(_names_inside(dataset, depth))


def _of_pairs(items: Sequence[Any]) -> list[str | None] | None:
    labels = [label_name(value_and_label(item)[1], ()) for item in items]
    return labels if any(label is not None for label in labels) else None


def _joined(parts: list[Classes]) -> Classes:
    """Datasets one after the other; a class is known by its name."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    alike = all(part.names == names for part in parts)
    if all(part.labels is not None for part in parts):
        return Classes(names, [label for part in parts for label in part.labels or ()])
    return Classes(names if alike else ())


def _names_inside(dataset: Any, depth: int) -> tuple[str, ...]:
    """The names of the only Dataset of the same length that an object holds."""
    attributes = getattr(dataset, "__dict__", {}).values()
    held = [value for value in attributes if _is_dataset(value) and _length(value) == len(dataset)]
    found = {classes_listed(value, depth + 1).names for value in held} - {()}
    return found.pop() if len(found) == 1 else ()


def _is_dataset(value: Any) -> bool:
    return hasattr(value, "__getitem__") and hasattr(value, "__dict__")


def _attribute(dataset: Any, name: str) -> Any:
    """An attribute of the user's object; None where it has none, or where asking for it fails."""
    try:
        return getattr(dataset, name, None)
    except Exception:  # the user's code: what cannot be asked is not listed
        return None


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except Exception:  # no length, or one that its class leaves unwritten
        return None


def _names(dataset: Any) -> tuple[str, ...]:
    for attribute in NAMES:
        names = _attribute(dataset, attribute)
        if isinstance(names, (list, tuple)):
            return tuple(str(name) for name in names)
    feature = _hub_feature(dataset)
    if feature is not None:
        return tuple(str(name) for name in getattr(feature[1], "names", ()))
    count = _attribute(dataset, "num_classes")
    return tuple(map(str, range(count))) if isinstance(count, int) else ()


def _labels(dataset: Any, names: tuple[str, ...]) -> list[str | None] | None:
    count = len(dataset)
    for attribute in TARGETS:
        labels = _attribute(dataset, attribute)
        if labels is not None and _one_each(labels, count):
            return [label_name(label, names) for label in labels]
    tensors = _attribute(dataset, "tensors")
    if isinstance(tensors, tuple) and len(tensors) > 1 and _one_each(tensors[1], count):
        return [label_name(label, names) for label in tensors[1]]
    feature = _hub_feature(dataset)
    try:
        return None if feature is None else [label_name(label, names) for label in dataset[feature[0]]]
    except Exception:  # a transform of the user's own may leave the column out: then the items tell
        return None


def _one_each(labels: Any, count: int) -> bool:
    """True for a list or vector of whole numbers or names, one per item."""
    if isinstance(labels, (str, bytes, dict)) or _length(labels) != count:
        return False
    return all(isinstance(label, str) or whole_number(label) is not None for label in labels[:1])


def _hub_feature(dataset: Any) -> tuple[str, Any] | None:
    """The label column of a Hub data set and what it says of it."""
    features = _attribute(dataset, "features")
    if not isinstance(features, dict):
        return None
    return next(((key, features[key]) for key in LABEL_KEYS if key in features), None)
