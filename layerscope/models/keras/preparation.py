"""How pictures become a Keras network's input, in words: the four modes of `preprocess_input`, and x / 255.

Nothing in a Keras file says it, unless the network begins with Rescaling or Normalization layers: those take 0..255.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from layerscope.core.errors import UsageError, nearest
from layerscope.core.keras_applications import mode_of

_CAFFE = tuple(value / 255 for value in (103.939, 116.779, 123.68))
_TORCH = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

# Word -> the fields of an Input, whose mean and std are of values in 0..1, and what it is in a reader's terms. The
# channels of colours alone have means of their own.
MODES: Mapping[str, tuple[Mapping[str, Any], str]] = MappingProxyType(
    {
        "unit": ({}, "0..1, as x / 255 gives them"),
        "raw": ({"std": (1 / 255,) * 3}, "0..255, as Keras loads them"),
        "tf": ({"mean": (0.5,) * 3, "std": (0.5,) * 3}, '-1..1, as preprocess_input of mode "tf" gives them'),
        "torch": (_TORCH, 'as preprocess_input of mode "torch" gives them'),
        "caffe": (
            {"mean": _CAFFE, "std": (1 / 255,) * 3, "order": "BGR"},
            'as preprocess_input of mode "caffe" gives them: BGR less their means',
        ),
    }
)


def fields_of(mode: str, channels: int) -> dict[str, Any]:
    """The fields of an Input for a mode. Raises UsageError where it is of colours and the network takes others."""
    fields = dict(MODES[mode][0])
    if channels != 3:
        if mode in ("torch", "caffe"):
            raise UsageError(f'the mode "{mode}" is of three channels, and the network takes {channels}')
        fields = {name: value[:1] * channels for name, value in fields.items()}
    return fields


def mode_named(word: str) -> str:
    """The mode that a word behind "::" means: a mode, or an application's. Raises UsageError."""
    mode = word if word in MODES else mode_of(word)
    if mode is None:
        raise UsageError(
            f'"::{word}" names no preprocessing; the words are {", ".join(MODES)}, or the name of an application'
            f"{nearest(word, list(MODES))}"
        )
    return mode
