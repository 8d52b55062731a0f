"""See what every unit of a trained CNN detects.

    import layerscope as ls
    atlas = ls.build("torchvision:alexnet", "photos/", out="alexnet.atlas")
    atlas["features.4"][17].plot()

The names below are loaded when they are first used, so that importing the package costs nothing and an atlas can be
read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from layerscope.core.version import __version__

_HOMES = {
    "Atlas": "api.atlas",
    "AtlasError": "core.errors",
    "AtlasLayer": "api.atlas",
    "Box": "core.geometry",
    "ImageError": "core.errors",
    "Input": "core.records",
    "Layer": "api.network",
    "LayerscopeError": "core.errors",
    "Network": "api.network",
    "Peak": "api.atlas",
    "Projections": "core.records",
    "TraceError": "core.errors",
    "Unit": "api.atlas",
    "UsageError": "core.errors",
    "build": "api.verbs",
    "figure": "api.verbs",
    "images": "api.verbs",
    "open": "api.verbs",
    "trace": "api.verbs",
}

__all__ = [
    "Atlas",
    "AtlasError",
    "AtlasLayer",
    "Box",
    "ImageError",
    "Input",
    "Layer",
    "LayerscopeError",
    "Network",
    "Peak",
    "Projections",
    "TraceError",
    "Unit",
    "UsageError",
    "__version__",
    "build",
    "figure",
    "images",
    "open",
    "trace",
]

if TYPE_CHECKING:
    from layerscope.api.atlas import Atlas, AtlasLayer, Peak, Unit
    from layerscope.api.network import Layer, Network
    from layerscope.api.verbs import build, figure, images, open, trace
    from layerscope.core.errors import AtlasError, ImageError, LayerscopeError, TraceError, UsageError
    from layerscope.core.geometry import Box
    from layerscope.core.records import Input, Projections


def __getattr__(name: str) -> object:
    """Load a public name from its room, once (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'layerscope' has no attribute {name!r}")
    value = getattr(import_module(f"layerscope.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
