"""The networks that layerscope brings along: how each is built, what it expects, and whether weights are shipped."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from layerscope.core.records import Input
from layerscope.models.zfnet import ZFNet, ZFNet64

WEIGHTS = Path(__file__).parent / "weights"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WORLD_MAPS = (32, 64, 96, 96, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
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
    "zfnet": Named(
        sentence="ZFNet as published, for 224 px; no weights are shipped",
        input=Input(channels=3, height=224, width=224, resize=256, mean=MEAN, std=STD),
        classes=1000,
        plain=ZFNet,
        trained=ZFNet,
    ),
    "zfnet64": Named(
        sentence="its design for 64 px, trained on Tiny ImageNet",
        input=_AT_64,
        classes=200,
        plain=_zfnet64,
        trained=_zfnet64_trained,
    ),
    "worldnet": Named(
        sentence="the same, smaller, trained on the visual world",
        input=_AT_64,
        classes=16,
        plain=_worldnet,
        trained=_worldnet_trained,
    ),
}


def shipped_weights(name: str) -> Path | None:
    """The file with a named network's weights, None where none are shipped."""
    file = WEIGHTS / f"{name}.safetensors"
    return file if file.is_file() else None


def further_weights(name: str) -> tuple[Path, ...]:
    """Files with weights of the same network trained from other seeds; none where none are shipped."""
    return tuple(sorted(WEIGHTS.glob(f"{name}-[0-9].safetensors")))
