"""Networks of torchxrayvision by the names of their weights: X-rays of the chest, in its own scale of numbers.

Its published weights are pickles, which run code when they are opened, so they are opened only where the user trusts
them; the DenseNet can be had without.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError, nearest
from layerscope.core.networks import NONE
from layerscope.core.quiet import quiet
from layerscope.core.records import Input
from layerscope.models.loaded import RANDOM_SEED, Loaded
from layerscope.models.weights import with_file

# Its pictures go from -1024 to 1024 (torchxrayvision.utils.normalize): (x - 1/2) * 2048 of values in 0..1.
_MEAN, _STD = (0.5,), (1 / 2048,)
_SIDES = {"densenet": 224, "resnet50": 512, "resnet101": 512}


def names() -> list[str]:
    """All networks that can be named, as they are written."""
    return [f"xrv:{name}" for name in _published()]


def xrv_network(
    spec: str, *, weights: str | Path | None = None, with_weights: bool = True, trust: bool = False
) -> Loaded:
    """A classifier by the name of its weights, with these, a file's, or random ones ("/none" behind it).

    Raises UsageError for a name that there is none of, and for published weights that are not trusted; TraceError for
    weights that cannot be fetched, and for a ResNet without them.
    """
    written = spec.partition(":")[2]
    random, name = written.endswith(NONE), written.removesuffix(NONE)
    if name not in _published():
        raise UsageError(f'torchxrayvision has no network "{name}"{nearest(name, _published())}')
    if random and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    classes = tuple(_xrv().models.model_urls[name]["labels"])
    torch.manual_seed(RANDOM_SEED)
    published = weights is None and with_weights and not random
    model = _published_network(spec, name, trust) if published else _empty_network(spec, name, len(classes))
    side = next(side for kind, side in _SIDES.items() if name.startswith(kind))
    expects = Input(channels=1, height=side, width=side, mean=_MEAN, std=_STD, resize=side)
    loaded = Loaded(name=spec, model=model, input=expects, classes=tuple(one or "unused" for one in classes))
    return loaded if weights is None else with_file(loaded, weights)


def _xrv() -> Any:
    """The package, loaded where it is needed; it is an extra."""
    with quiet():
        return import_module("torchxrayvision")


def _published() -> list[str]:
    return [name for name in _xrv().models.model_urls if name.startswith(tuple(_SIDES))]


def _empty_network(spec: str, name: str, classes: int) -> nn.Module:
    if not name.startswith("densenet"):
        raise TraceError(
            f'torchxrayvision makes no "{spec}" without its published weights: name it without {NONE} and --weights'
        )
    with quiet():
        return _xrv().models.DenseNet(num_classes=classes)


def _published_network(spec: str, name: str, trust: bool) -> nn.Module:
    if not trust:
        raise UsageError(
            f'the weights of "{spec}" are a pickle, and to open one is to run the code that it brings: --trust allows '
            f"that, if you trust torchxrayvision's; {spec}{NONE} has random ones"
        )
    try:
        with quiet():
            return _xrv().models.get_model(name)
    except Exception as error:
        why = " ".join(str(error).split())[:160]
        raise TraceError(
            f'the weights of "{spec}" cannot be fetched or opened ({why}): lay them where torchxrayvision keeps its '
            f"own (~/.torchxrayvision/models_data), or write {spec}{NONE} for random ones"
        ) from error
