"""Torchvision's networks, built as their own builders build them for published weights.

A builder sets more than weights: GoogLeNet's and Inception's also turn the picture's numbers about (transform_input), a
vision transformer's sets the picture's size. So wherever weights are meant, published or a file's, the builder is told
that its published weights come, and only their loading is left out.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torchvision import models

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.networks import NONE
from layerscope.core.records import Input
from layerscope.core.settings import INTERPOLATION
from layerscope.models import dense
from layerscope.models.builders import built
from layerscope.models.loaded import RANDOM_SEED, Loaded, OwnForward, picture_by_picture
from layerscope.models.weights import fill, resized, weights_path

# What a builder is told where random weights are wanted: their own first weights, which one for published weights does
# not draw.
OPTIONS_FOR_RANDOM = {"googlenet": {"init_weights": True}, "inception_v3": {"init_weights": True}}


def names() -> list[str]:
    """All networks that can be named, as they are written."""
    return [f"torchvision:{name}" for name in (*models.list_models(module=models), *dense.names())]


def torchvision_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A network by torchvision's name, with its published weights, a file's, or random ones ("/none" behind it)."""
    name, choice = _named(spec.partition(":")[2], weights)
    if name in dense.names():
        return dense.dense_network(spec, name, weights=weights, with_weights=with_weights and not choice)
    entries = models.get_model_weights(name)
    entry = entries["DEFAULT"]
    torch.manual_seed(RANDOM_SEED)
    if choice:
        model = models.get_model(name, weights=None, **OPTIONS_FOR_RANDOM.get(name, {}))
    elif weights is not None:
        return _with_file(spec, name, weights)
    elif not with_weights:
        model, _ = built(name, entry)
    else:
        try:
            model = models.get_model(name, weights=entry)
        except Exception as error:
            raise TraceError(
                f"the weights of torchvision:{name} cannot be fetched ({error}); give a file with --weights, "
                f"or torchvision:{name}/none for random ones"
            ) from error
    classes = tuple(entry.meta["categories"])
    return Loaded(name=spec, model=model, input=_input_of(entry), classes=classes, own=_own(entry))


def _named(name: str, weights: str | Path | None) -> tuple[str, str]:
    """The network's name, and what stands behind it. Raises UsageError for what means nothing."""
    name, _, choice = name.partition("/")
    known = models.list_models(module=models)
    if name not in known and name not in dense.names():
        hint = nearest(name, (*known, *dense.names()))
        raise UsageError(dense.refusal(name) or f'torchvision has no network "{name}"{hint}')
    if choice not in ("", NONE[1:]):
        raise UsageError(f'"torchvision:{name}/{choice}": only {NONE} (random weights) can follow the name')
    if choice and weights is not None:
        raise UsageError(f'"torchvision:{name}/none" asks for random weights, and --weights for those of a file: one')
    return name, choice


def _with_file(spec: str, name: str, weights: str | Path) -> Loaded:
    path = weights_path(weights)
    entries = list(models.get_model_weights(name))
    published = _published_as(path, entries)
    entry = published or models.get_model_weights(name)["DEFAULT"]
    model, _ = built(name, entry)
    filled = fill(model, weights, renamed=lambda state: built(name, entry, state)[1])
    whole = not filled.unloaded and not filled.resized
    doubt = [] if published else _other_preparations(entry, entries)
    return Loaded(
        name=spec,
        model=model,
        input=_input_of(entry),
        classes=tuple(entry.meta["categories"] or ()) if whole else (),
        remarks=(*filled.remarks, *resized(filled), *doubt),
        unloaded=filled.unloaded,
        own=_own(entry),
    )


def _published_as(path: Path, entries: list[Any]) -> Any:
    """The published weights that a file is, told by its SHA-256, which begins as their address says; else None."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        own = hashlib.file_digest(file, "sha256").hexdigest()
    starts = ((re.search(r"-([0-9a-f]{8,})\.pth$", entry.url), entry) for entry in entries)
    return next((entry for start, entry in starts if start and own.startswith(start[1])), None)


def _other_preparations(taken: Any, entries: list[Any]) -> Iterator[str]:
    """What to do if the file's weights were trained with other pictures than those of the entry taken."""
    own = _input_of(taken)
    for entry in entries:
        other = _input_of(entry)
        differing = [f.name for f in fields(Input) if getattr(other, f.name) != getattr(own, f.name)]
        if differing:
            need = _options(other, differing)
            yield f"pictures are prepared as for {taken.name}; weights trained like {entry.name} need {need}"


def _options(input: Input, differing: list[str]) -> str:
    sizes = [f"--input {input.channels}x{input.height}x{input.width}"] if {"height", "width"} & set(differing) else []
    named = [name for name in differing if name not in ("height", "width", "channels")]
    values = {name: getattr(input, name) for name in named}
    texts = {n: ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for n, v in values.items()}
    return " ".join([*sizes, *(f"--{name} {text}" for name, text in texts.items())])


def _own(entry: Any) -> OwnForward:
    return picture_by_picture(f"the transforms of {type(entry).__name__}.{entry.name}", entry.transforms())


def _input_of(entry: Any) -> Input:
    """The preprocessing that belongs to published weights."""
    transforms = entry.transforms()
    return Input(
        channels=3,
        height=transforms.crop_size[0],
        width=transforms.crop_size[0],
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        resize=transforms.resize_size[0],
        interpolation=INTERPOLATION.check(str(transforms.interpolation.value)),
    )
