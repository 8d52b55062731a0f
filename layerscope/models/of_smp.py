"""Segmenters of segmentation_models_pytorch: an architecture over an encoder, or a folder of its save_pretrained.

The library publishes weights of encoders, hardly any of whole segmenters: those are in files of whoever trained them.
What its pictures are like it does not keep either, so they are given as its encoders' are, and the network says so.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.networks import NONE
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.models.hub import hub_at_hand
from layerscope.models.loaded import RANDOM_SEED, Loaded
from layerscope.models.parts import parts_in
from layerscope.models.reading import contents
from layerscope.models.weights import weights_path, with_file

_HEAD = "segmentation_head.0.weight"
# Encoders of timm, by timm's names.
_OF_TIMM = "tu-"
# Whatever an encoder halves, 256 px go through it.
_SIDE = 256
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SAID = (
    f"segmentation_models_pytorch does not keep how pictures were prepared: they are given at {_SIDE} px as those of "
    "ImageNet's encoders are; --input, --mean and --std say otherwise"
)


def smp_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A segmenter with a file's weights, a folder's, or random ones ("/none" behind it).

    Raises UsageError for an architecture, an encoder or a folder that is not there, TraceError for what cannot be made.
    """
    written = spec.partition(":")[2]
    random, name = written.endswith(NONE), written.removesuffix(NONE)
    if random and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    torch.manual_seed(RANDOM_SEED)
    architecture, _, encoder = name.partition("/")
    if architecture.lower() in _architectures() and encoder:
        if weights is None and with_weights and not random:
            raise TraceError(
                "segmentation_models_pytorch publishes no weights of whole segmenters by these names: give a file with "
                f"--weights, or write {spec}{NONE} for random ones"
            )
        model = _made(spec, architecture.lower(), encoder, **({} if weights is None else _sizes_in(weights)))
    else:
        model = _saved(spec, name, random=random or weights is not None or not with_weights)
    loaded = Loaded(name=_short(spec, name), model=model, input=_input_of(model), remarks=(_SAID,))
    return loaded if weights is None else with_file(loaded, weights)


def _smp() -> Any:
    """The package, loaded where it is needed; it is an extra."""
    with quiet():
        return import_module("segmentation_models_pytorch")


def _architectures() -> dict[str, Any]:
    return _smp().MODEL_ARCHITECTURES_MAPPING


def _short(spec: str, name: str) -> str:
    """What a network of a folder is called: the folder's own name, whatever the way to it."""
    folder = Path(name).expanduser()
    return f"smp:{folder.resolve().name}{NONE if spec.endswith(NONE) else ''}" if folder.is_dir() else spec


def _made(spec: str, architecture: str, encoder: str, **sizes: int) -> nn.Module:
    known = _smp().encoders.get_encoder_names()
    if encoder not in known and not encoder.startswith(_OF_TIMM):
        raise UsageError(f'segmentation_models_pytorch has no encoder "{encoder}"{nearest(encoder, known)}')
    try:
        with quiet():
            return _smp().create_model(architecture, encoder_name=encoder, encoder_weights=None, **sizes)
    except Exception as error:
        raise TraceError(f'segmentation_models_pytorch does not make "{spec}": {_line(error)}') from error


def _sizes_in(weights: str | Path) -> dict[str, int]:
    """How many channels and classes the network of a file has, where the file says so."""
    tensors = [item for part in parts_in(contents(weights_path(weights))) for item in part.tensors.items()]
    heads = [len(tensor) for name, tensor in tensors if name.endswith(_HEAD)]
    stems = [tensor.shape[1] for name, tensor in tensors if "encoder." in name and tensor.dim() == 4]
    return {**({"classes": heads[0]} if heads else {}), **({"in_channels": stems[0]} if stems else {})}


def _saved(spec: str, name: str, *, random: bool) -> nn.Module:
    """What save_pretrained wrote into a folder, or what lies on the hub in that form."""
    folder, (first, _, encoder) = Path(name).expanduser(), name.partition("/")
    if not folder.is_dir() and encoder in _smp().encoders.get_encoder_names():
        raise UsageError(
            f'segmentation_models_pytorch has no architecture "{first}"{nearest(first.lower(), _architectures())}'
        )
    if not folder.is_dir() and (name.startswith((".", "~", "/")) or name.count("/") != 1):
        raise UsageError(
            f'"{spec}" is neither ARCHITECTURE/ENCODER, such as smp:unet/resnet34, nor a folder that save_pretrained '
            "wrote"
        )
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise UsageError(
            f'the folder "{folder}" holds no config.json: name one that save_pretrained of the library wrote'
        )
    with hub_at_hand() as reached, quiet():
        try:
            if random and folder.is_dir():
                return _by_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
            return _smp().from_pretrained(str(folder) if folder.is_dir() else name)
        except Exception as error:
            if not folder.is_dir() and not reached:
                raise TraceError(
                    f'"{spec}" cannot be fetched: the hub cannot be reached, and it was not fetched before; write '
                    "smp:FOLDER for a local folder with its config.json and weights"
                ) from error
            raise TraceError(f'"{spec}" cannot be opened: {_line(error)}') from error


def _by_config(config: dict[str, Any]) -> nn.Module:
    kept = {key: value for key, value in config.items() if not key.startswith("_")}
    return _smp().create_model(config["_model_class"], **kept | {"encoder_weights": None})


def _input_of(model: nn.Module) -> Input:
    """Squares of the encoder's channels; of three, as ImageNet's are."""
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    channels = first.in_channels
    mean, std = (_MEAN, _STD) if channels == 3 else ((0.0,) * channels, (1.0,) * channels)
    show = None if channels in (1, 3) else (0, 1, min(2, channels - 1))
    return Input(channels=channels, height=_SIDE, width=_SIDE, mean=mean, std=std, show=show)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
