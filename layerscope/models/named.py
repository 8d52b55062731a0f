"""The networks that layerscope brings along: how each is built, what it expects, and whether weights are shipped.

Their names and sentences stand in `core/networks.py`, where no torch is needed to read them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.networks import NONE
from layerscope.core.own_networks import OURS
from layerscope.core.records import Input
from layerscope.models.loaded import RANDOM_SEED, Loaded
from layerscope.models.weights import class_names, fill
from layerscope.models.zfnet import ZFNet, ZFNet64

WEIGHTS = Path(__file__).parent / "weights"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WORLD_MAPS = (32, 64, 96, 96, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNetwork:
    """A network of ours. plain: as users open it; trained: as it is trained, with batch norm where it has any.

    Both take the number of classes; `trained` also the dropout. classes: of the shipped or published weights.
    """

    sentence: str
    input: Input
    classes: int
    plain: Callable[[int], nn.Module]
    trained: Callable[[int, float], nn.Module]


def _zfnet64(classes: int) -> nn.Module:
    return ZFNet64(classes)


def _zfnet64_trained(classes: int, dropout: float) -> nn.Module:
    return ZFNet64(classes, norm=True, dropout=dropout)


def _worldnet(classes: int) -> nn.Module:
    return ZFNet64(classes, WORLD_MAPS, hidden=())


def _worldnet_trained(classes: int, dropout: float) -> nn.Module:
    return ZFNet64(classes, WORLD_MAPS, hidden=(), norm=True, dropout=dropout)


_AT_64 = Input(channels=3, height=64, width=64, resize=64, mean=MEAN, std=STD)

NAMED = {
    "zfnet": NamedNetwork(
        sentence=OURS["zfnet"],
        input=Input(channels=3, height=224, width=224, resize=256, mean=MEAN, std=STD),
        classes=1000,
        plain=ZFNet,
        trained=ZFNet,
    ),
    "zfnet64": NamedNetwork(
        sentence=OURS["zfnet64"],
        input=_AT_64,
        classes=200,
        plain=_zfnet64,
        trained=_zfnet64_trained,
    ),
    "worldnet": NamedNetwork(
        sentence=OURS["worldnet"],
        input=_AT_64,
        classes=16,
        plain=_worldnet,
        trained=_worldnet_trained,
    ),
}


def named_network(spec: str, *, weights: str | Path | None = None, with_weights: bool = True) -> Loaded:
    """A network of ours, with the shipped weights, a file's, or random ones. A file's classes are the network's."""
    name, _, choice = spec.partition("/")
    if choice not in ("", NONE[1:]):
        raise UsageError(f'"{spec}": only {NONE} (random weights) can follow the name')
    if choice and weights is not None:
        raise UsageError(f'"{spec}" asks for random weights, and --weights for those of a file: name one of them')
    named = NAMED[name]
    file = weights if weights is not None else shipped_weights(name)
    torch.manual_seed(RANDOM_SEED)
    if weights is None and (choice or not with_weights):
        return Loaded(name=spec, model=named.plain(named.classes), input=named.input)
    if file is None:
        raise TraceError(
            f"no weights of {name} are shipped: give a file with --weights (layerscope train {name} makes one), or "
            f"write {name}{NONE} for random ones"
        )
    model = named.plain(named.classes)
    filled = fill(model, file)
    classes = () if filled.unloaded else class_names(file)
    return Loaded(
        name=spec, model=model, input=named.input, classes=classes, remarks=filled.remarks, unloaded=filled.unloaded
    )


def shipped_weights(name: str) -> Path | None:
    """The file with a named network's weights, None where none are shipped."""
    file = WEIGHTS / f"{name}.safetensors"
    return file if file.is_file() else None


def further_weights(name: str) -> tuple[Path, ...]:
    """Files with weights of the same network trained from other seeds; none where none are shipped."""
    return tuple(sorted(WEIGHTS.glob(f"{name}-[0-9].safetensors")))
