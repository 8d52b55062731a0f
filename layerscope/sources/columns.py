"""Which column of a data set holds the images and which their classes, told by the features that it states.

The only column of images is meant without being named, and so is the only one of classes; of several one must be named.
Features are those of the `datasets` package, by column.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layerscope.core.columns import Columns
from layerscope.core.errors import UsageError

Features = Mapping[str, Any]
IMAGE_OPTION, LABEL_OPTION = (
    "--image-column NAME, in Python image_column=",
    "--label-column NAME, in Python label_column=",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenColumns:
    """image: the column of images. label: of classes, None for none; classes: their names, by number, None where the
    column holds the names themselves. said: remarks."""

    image: str
    label: str | None = None
    classes: tuple[str, ...] | None = None
    said: tuple[str, ...] = ()

    def class_of(self, value: Any) -> str | None:
        """The class that a field of the label column tells. Raises UsageError for a number that no class has."""
        if value is None or value == "" or (self.classes is not None and value == -1):  # -1: held back, as in a test
            return None
        if self.classes is None:
            return str(value)
        if not 0 <= value < len(self.classes):
            raise UsageError(
                f'the column "{self.label}" has the class {value}, and names only {len(self.classes)}: name another '
                f"column ({LABEL_OPTION}), or give a labels file"
            )
        return self.classes[value]


def chosen_columns(features: Features, wanted: Columns, name: str) -> ChosenColumns:
    """The columns that are meant. name: of the data set. Raises UsageError, which lists the columns, where none is, or
    where the one that is named cannot be it."""
    image = _image(features, wanted.image, name)
    label, said = _label(features, wanted.label, image, name)
    names = tuple(features[label].names) if label is not None and _is_class(features[label]) else None
    return ChosenColumns(image=image, label=label, classes=names, said=said)


def _image(features: Features, wanted: str | None, name: str) -> str:
    if wanted is not None:
        _require_column(features, wanted, name)
        if not _holds_images(features[wanted]):
            raise UsageError(
                f'the column "{wanted}" of {name} holds {_described(features[wanted])}, no encoded images; its columns '
                f"are {_listed(features)}"
            )
        return wanted
    found = [column for column, feature in features.items() if _is_image(feature)]
    if not found:
        raise UsageError(
            f"{name} states no column of images; its columns are {_listed(features)}: where one holds the bytes of "
            f"picture files, name it ({IMAGE_OPTION})"
        )
    if len(found) > 1:
        raise UsageError(f"{name} has several columns of images, {_and(found)}: name one ({IMAGE_OPTION})")
    return found[0]


def _label(features: Features, wanted: str | None, image: str, name: str) -> tuple[str | None, tuple[str, ...]]:
    if wanted is not None:
        _require_column(features, wanted, name)
        if wanted == image or not _tells_class(features[wanted]):
            raise UsageError(
                f'the column "{wanted}" of {name} holds {_described(features[wanted])}, no classes: they are classes, '
                f"texts or whole numbers; its columns are {_listed(features)}"
            )
        return wanted, ()
    found = [column for column, feature in features.items() if _is_class(feature)]
    if len(found) > 1:
        return None, (f"{name} has several columns of classes, {_and(found)}, none is used: name one ({LABEL_OPTION})",)
    return next(iter(found), None), ()


def _require_column(features: Features, wanted: str, name: str) -> None:
    if wanted not in features:
        raise UsageError(f'{name} has no column "{wanted}"; its columns are {_listed(features)}')


def _kind(feature: Any) -> str:
    """The feature's class, by name, so that `datasets` need not be loaded to ask."""
    return type(feature).__name__


def _is_image(feature: Any) -> bool:
    return _kind(feature) == "Image"


def _is_class(feature: Any) -> bool:
    return _kind(feature) == "ClassLabel"


def _is_value(feature: Any, *types: str) -> bool:
    return _kind(feature) == "Value" and feature.dtype in types


def _holds_images(feature: Any) -> bool:
    """Images, or bytes with or without a name, as images lie in files that do not state what they hold."""
    if isinstance(feature, Mapping):
        return _is_value(feature.get("bytes"), "binary", "large_binary")
    return _is_image(feature) or _is_value(feature, "binary", "large_binary")


def _tells_class(feature: Any) -> bool:
    return _is_class(feature) or (
        _kind(feature) == "Value" and feature.dtype.startswith(("string", "large_string", "int", "uint"))
    )


def _described(feature: Any) -> str:
    kinds: dict[str, Callable[[], str]] = {
        "Image": lambda: "images",
        "ClassLabel": lambda: "classes",
        "Value": lambda: feature.dtype,
        "dict": lambda: f"fields {', '.join(feature)}",
    }
    return kinds.get(_kind(feature), lambda: f"what is called {_kind(feature)}")()


def _listed(features: Features) -> str:
    return ", ".join(_columns(features)) or "none"


def _columns(features: Features) -> Iterator[str]:
    return (f'"{column}" ({_described(feature)})' for column, feature in features.items())


def _and(names: list[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
