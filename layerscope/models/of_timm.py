"""timm's networks by their names, with their published weights or others, and pictures prepared as their own
configuration says.

A name may carry a tag (`efficientnet_b0.ra_in1k`), which says whose weights and which preparation. Behind "/features"
stands the same network as timm gives it for detection and segmentation: its stages' maps, and no head.
"""

import math
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerscope.core.errors import LayerscopeError, TraceError, UsageError, nearest
from layerscope.core.networks import NONE
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.core.settings import INTERPOLATION
from layerscope.models.hub import hub_at_hand
from layerscope.models.loaded import RANDOM_SEED, Loaded, OwnForward, picture_by_picture
from layerscope.models.weights import fill, resized

FEATURES = "/features"


def names() -> list[str]:
    """All networks that can be named, as they are written."""
    timm = _timm()

    return [f"timm:{name}" for name in dict.fromkeys((*timm.list_models(), *timm.list_models(pretrained=True)))]


def timm_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A network by timm's name, with its published weights, a file's, or random ones ("/none" behind it).

    Raises UsageError for a name that timm does not have, TraceError where weights cannot be fetched or do not fit.
    """
    name, features, random = _named(spec, weights)
    published = weights is None and with_weights and not random
    torch.manual_seed(RANDOM_SEED)
    model = _built(spec, name, features=features, published=published)
    config = _config(model)
    expects, doubt = _input_of(config)
    loaded = Loaded(
        name=spec, model=model, input=expects, classes=() if features else _classes(model),
        remarks=(*doubt, *_other_size(model, expects)), own=_own(config),
    )  # fmt: skip
    return loaded if weights is None else _with_file(loaded, model, weights)


def _timm() -> Any:
    """The package, loaded where it is needed; it is an extra."""
    return import_module("timm")


def _named(spec: str, weights: str | Path | None) -> tuple[str, bool, bool]:
    """The network's name, whether its stages' maps are meant, and whether random weights are. Raises UsageError."""
    timm = _timm()

    written = spec.partition(":")[2]
    name = written.removesuffix(NONE)
    features, random = name.endswith(FEATURES), written.endswith(NONE)
    name = name.removesuffix(FEATURES)
    if "/" in name:
        raise UsageError(
            f'"{spec}": behind a name of timm only {FEATURES} (the maps of its stages) and {NONE} (random weights) can '
            "follow"
        )
    if name not in timm.list_models() and name not in timm.list_models(pretrained=True):
        known = timm.list_pretrained(f"{name.partition('.')[0]}.*") or timm.list_models()
        raise UsageError(f'timm has no network "{name}"{nearest(name, known)}')
    if random and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    return name, features, random


def _built(spec: str, name: str, *, features: bool, published: bool) -> nn.Module:
    timm = _timm()

    more: dict[str, Any] = {"features_only": True} if features else {}
    if not published:
        return _made(spec, lambda: timm.create_model(name, pretrained=False, **more))
    has_weights = timm.models.is_model_pretrained(name)
    if not has_weights:
        raise TraceError(
            f"timm publishes no weights of {name}: give a file with --weights, or write {spec}{NONE} for random ones"
        )
    with hub_at_hand() as reached, quiet():
        try:
            return timm.create_model(name, pretrained=True, **more)
        except Exception as error:
            why = str(error).strip().partition("\n")[0][:160] if reached else "the hub cannot be reached"
            raise TraceError(
                f"the weights of {spec} cannot be fetched ({why}): give a file with --weights, or write {spec}{NONE} "
                "for random ones"
            ) from error


def _made(spec: str, make: Callable[[], nn.Module]) -> nn.Module:
    try:
        with quiet():
            return make()
    except LayerscopeError:
        raise
    except Exception as error:
        said = str(error).strip().partition("\n")[0][:160]
        raise TraceError(f"timm does not make {spec}: {type(error).__name__}: {said}") from error


def _config(model: nn.Module) -> Mapping[str, Any]:
    """How timm itself prepares pictures for a network."""
    return _timm().data.resolve_model_data_config(model)


def _input_of(config: Mapping[str, Any]) -> tuple[Input, tuple[str, ...]]:
    """The same as an Input, and a sentence where an Input cannot say it."""
    channels, height, width = config["input_size"]
    side = {math.floor(size / config["crop_pct"]) for size in (height, width)}
    squash = config["crop_mode"] == "squash"
    expects = Input(
        channels=channels, height=height, width=width, mean=tuple(config["mean"]), std=tuple(config["std"]),
        crop="squash" if squash else "center", resize=None if squash else min(side),
        interpolation=INTERPOLATION.check(config["interpolation"]),
    )  # fmt: skip
    otherwise = config["crop_mode"] == "border" or (squash and config["crop_pct"] != 1) or len(side) > 1
    doubt = (
        f'timm prepares pictures for it in a way that is not known here (crop_mode "{config["crop_mode"]}", crop_pct '
        f"{config['crop_pct']:g}): what it sees is placed a little otherwise",
    )
    return expects, doubt if otherwise else ()


def _other_size(model: nn.Module, expects: Input) -> tuple[str, ...]:
    """What to say of a network that its authors test at another size than it was trained at."""
    config: Any = getattr(model, "pretrained_cfg", None) or {}
    size, share = config.get("test_input_size"), config.get("test_crop_pct") or config.get("crop_pct") or 0.875
    if not size or tuple(size) == expects.shape:
        return ()
    shape, resize = "x".join(map(str, size)), math.floor(size[1] / share)
    return (f"timm tests it at {size[1]} px: --input {shape} --resize {resize} looks at it there",)


def _classes(model: nn.Module) -> tuple[str, ...]:
    """The names of its outputs, where timm knows them by their number."""
    data = _timm().data
    subset = data.infer_imagenet_subset(model)
    return tuple(data.ImageNetInfo(subset).label_descriptions()) if subset else ()


def _own(config: Mapping[str, Any]) -> OwnForward:
    def transform(picture: object) -> torch.Tensor:
        return _timm().data.create_transform(**config, is_training=False)(picture)

    return picture_by_picture("timm.data.create_transform", transform)


def _with_file(loaded: Loaded, model: nn.Module, weights: str | Path) -> Loaded:
    """A file's weights in place of its own; old names of published ones are given their new form by timm itself."""
    home: Any = sys.modules[type(model).__module__]
    form = getattr(home, "checkpoint_filter_fn", None)

    def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        try:
            return dict(form(dict(state), model)) if form else state
        except Exception:  # written for published files, of which this may be none
            return state

    filled = fill(model, weights, renamed=renamed)
    whole = not filled.unloaded and not filled.resized
    return Loaded(
        name=loaded.name, model=model, input=loaded.input, classes=loaded.classes if whole else (),
        remarks=(*loaded.remarks, *filled.remarks, *resized(filled)), unloaded=filled.unloaded, own=loaded.own,
    )  # fmt: skip
