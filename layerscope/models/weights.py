"""Weights from files as people have them: one pass over what a file holds, and a word on whatever was chosen or left.

A file is opened by what it is (`reading`), the sets of tensors in it are found (`parts`), their names are matched with
the network's (`naming`), and what fits is loaded (`fitting`, `heads`). Behind "::" stands which part of it is meant.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from layerscope.core.errors import TraceError, UsageError
from layerscope.models.fitting import Fit, cut, fits_of, odd_numbers, refuse_another
from layerscope.models.heads import replace_module, resized_heads
from layerscope.models.loaded import Loaded
from layerscope.models.parts import chosen, contents_text, meaning, parts_in
from layerscope.models.reading import contents
from layerscope.models.standins import stands_for

PART = "::"
State = dict[str, Tensor]


@dataclass(frozen=True)
class Filled:
    """What became of a network that was given a file's weights.

    remarks: sentences on what was chosen and what was left over. unloaded: why a tensor of the network has no weights,
    by its name; such tensors hold NaN. resized: last layers that were made to the file's size, with their outputs.
    """

    remarks: tuple[str, ...] = ()
    unloaded: Mapping[str, str] = field(default_factory=dict)
    resized: Mapping[str, int] = field(default_factory=dict)


def fill(model: nn.Module, file: str | Path, *, renamed: Callable[[State], State] | None = None) -> Filled:
    """Put a file's weights into a model, in the model's own precision; the model is changed.

    file: its path, or "PATH::KEY" for the part of it under a key. renamed: gives a state dict's old names their new
    form, where the model's maker knows some. Raises UsageError where there is no such file, TraceError that says what
    it holds where nothing in it, or more than one part, fits.
    """
    path, key = _split(file)
    fits = _fits(model, path, key, renamed)
    fit, others = fits[0], fits[1:]
    refuse_another(fit, path.name, type(model).__name__)
    _refuse_a_tie(fit, others, path.name)
    heads = resized_heads(model, fit)
    for name, head in heads.items():
        replace_module(model, name, head)
    unloaded = _load(model, fit, path.name)
    resized = {name: len(fit.found[f"{name}.weight"]) for name in heads}
    return Filled(tuple(_remarks(fit, others, path.name, unloaded)), unloaded, resized)


def with_file(loaded: Loaded, weights: str | Path) -> Loaded:
    """A network with a file's weights in place of its own; its module is changed."""
    assert isinstance(loaded.model, nn.Module)
    filled = fill(loaded.model, weights)
    return replace(loaded, remarks=(*filled.remarks, *resized(filled)), unloaded=filled.unloaded)


def resized(filled: Filled) -> Iterator[str]:
    """What to say of last layers that were made to a file's size, where the user may not expect it."""
    for path, outputs in filled.resized.items():
        yield f"{path} was made to the file's size: {outputs} outputs"


def load_weights(model: nn.Module, path: Path) -> None:
    """Put a file's weights into a model that must fit them whole, as a checkpoint of ours does.

    Raises TraceError that lists missing, surplus and misshapen keys; UsageError where there is no such file.
    """
    fit = _fits(model, path, "", None)[0]
    if fit.listed():
        raise TraceError(f'"{path.name}" does not fit {type(model).__name__}: {fit.listed()}')
    refuse_another(fit, path.name, type(model).__name__)
    _load(model, fit, path.name)


def class_names(file: str | Path) -> tuple[str, ...]:
    """The names of the outputs that a training run wrote into its safetensors file; empty where there are none."""
    path, _ = _split(file)
    if path.suffix != ".safetensors":
        return ()
    from safetensors import safe_open

    with safe_open(path, framework="pt") as opened:
        listed = (opened.metadata() or {}).get("classes", "")
    return tuple(listed.split("\n")) if listed else ()


def arguments_in(file: str | Path) -> dict[str, Any]:
    """The arguments that a checkpoint of Lightning keeps of how its network was made; empty where it keeps none.

    Raises UsageError where there is no such file, TraceError for one that is no file of weights.
    """
    path, _ = _split(file)
    held = contents(path) if path.is_file() else None
    given = held.get("hyper_parameters") if isinstance(held, Mapping) else None
    plain = (bool, int, float, str, list, tuple, dict, type(None))
    return {str(n): value for n, value in (given or {}).items() if isinstance(value, plain) and not stands_for(value)}


def check_numbers(model: nn.Module) -> None:
    """Raises TraceError where a network's own weights are quantised, complex or sparse."""
    for name, tensor in _tensors(model).items():
        why = odd_numbers(tensor)
        if why:
            raise TraceError(f'the weights "{name}" of {type(model).__name__} cannot be used: the tensor {why}')


def weights_path(file: object) -> Path:
    """The file alone of "FILE::KEY". Raises UsageError for what is no path."""
    return _split(file)[0]


def _split(file: object) -> tuple[Path, str]:
    """A file and the key behind its name; a file whose own name has "::" in it is taken whole."""
    if not isinstance(file, str | os.PathLike):
        raise UsageError(
            f"weights= takes a file, not {type(file).__name__}; a state dict that you hold goes into a module with "
            "load_state_dict"
        )
    path, _, key = str(file).rpartition(PART)
    whole = Path(file).expanduser()
    return (Path(path).expanduser(), key) if path and not os.path.exists(whole) else (whole, "")


def _fits(model: nn.Module, path: Path, key: str, renamed: Callable[[State], State] | None) -> list[Fit]:
    held = contents(path)
    parts = parts_in(held)
    if not parts:
        raise TraceError(
            f'"{path}" holds no state dict (a dictionary of named tensors); it holds {contents_text(held)}'
        )
    if key:
        every, parts = parts, chosen(parts, key)
        if not parts:
            keys = [".".join(part.keys) for part in every if part.keys]
            raise TraceError(f'"{path}" holds no tensors under "{key}"; it holds {cut(keys) or contents_text(held)}')
    own = _tensors(model)
    fits = fits_of(own, parts)
    if renamed is not None and fits[0].missing:
        fits = fits_of(own, [replace(fit.part, tensors=renamed(fit.part.tensors)) for fit in fits])
    return fits


def _refuse_a_tie(fit: Fit, others: list[Fit], file: str) -> None:
    """Raises TraceError where nothing says which of several sets of weights is meant."""
    rivals = [one for one in others if one.score == fit.score and meaning(one.key)[1] == meaning(fit.key)[1]]
    if rivals:
        listed = " or ".join(f"{file}{PART}{one.key}" for one in (fit, *rivals))
        raise TraceError(f'"{file}" holds several sets of weights that fit: name one of them, as {listed}')


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    held = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    unsized = [name for name, value in held.items() if is_lazy(value)]
    if unsized:
        raise TraceError(
            f"{type(model).__name__} has layers whose sizes are not known yet ({cut(unsized)}): run it once on a "
            "batch of pictures before"
        )
    return held


def _load(model: nn.Module, fit: Fit, file: str) -> dict[str, str]:
    """Fill the model, with NaN where the file has nothing that fits; why each of those is without weights."""
    unloaded, state = dict[str, str](), dict[str, Tensor]()
    for name, own in _tensors(model).items():
        found = fit.found.get(name)
        if found is not None and found.shape == own.shape:
            state[name] = found.to(own.dtype)
        elif name in fit.missing or name in fit.misshapen:
            unloaded[name] = f'its weights are not in "{file}"'
            if own.is_floating_point():
                state[name] = torch.full(own.shape, torch.nan, dtype=own.dtype)
    # Modules that know versions of their own (torchvision's MNASNet) are told that this is theirs.
    versioned = OrderedDict(state)
    versioned._metadata = getattr(model.state_dict(), "_metadata", None)  # type: ignore[attr-defined]
    try:
        # What has no numbers yet (device "meta") cannot be copied into.
        model.load_state_dict(versioned, strict=False, assign=any(own.is_meta for own in _tensors(model).values()))
    except Exception as error:
        why = " ".join(str(error).split())[:240]
        raise TraceError(f'{type(model).__name__} does not take the weights in "{file}": {why}') from error
    return unloaded


def _remarks(fit: Fit, others: list[Fit], file: str, unloaded: Mapping[str, str]) -> Iterator[str]:
    if others:
        taken, rest = f"{fit.key}, {meaning(fit.key)[0]}", " or ".join(f"{file}{PART}{other.key}" for other in others)
        yield f'"{file}" holds several sets of weights; those under {taken}, were taken ({rest} takes others)'
    if fit.part.of:
        yield f'"{file}" holds a whole network ({fit.part.of}); of it only the weights were taken'
    if unloaded:
        yield f'"{file}" has no weights for {cut(list(unloaded))}: layers that need them cannot be had'
    left = [name for name in fit.surplus if not any(name in other.alignment.names.values() for other in others)]
    left += fit.part.left_out
    if left:
        yield f'not used of "{file}": {cut(left)}'
