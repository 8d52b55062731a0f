"""See what every unit of a trained CNN detects.

    import layerscope as ls
    atlas = ls.build("torchvision:alexnet", "photos/", out="alexnet.atlas")
    atlas["features.4"][17].plot()

The names below are loaded when they are first used, so that importing the package costs nothing and an atlas can be
read without torch.
"""

import sys
from importlib import import_module
from types import ModuleType

from layerscope.core.version import __version__

# As in `typing`, which takes as long to load as all that a list of the verbs needs.
TYPE_CHECKING = False

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
    "Source": "sources",
    "TraceError": "core.errors",
    "Unit": "api.atlas",
    "UsageError": "core.errors",
    "ablate": "api.ablating",
    "build": "api.verbs",
    "check": "api.verbs",
    "demo": "api.demonstrating",
    "diff": "api.comparing",
    "dissect": "api.dissecting",
    "evaluate": "api.training",
    "evolve": "api.evolving",
    "export": "api.exporting",
    "figure": "api.drawing",
    "find": "api.finding",
    "forecast": "api.verbs",
    "images": "api.verbs",
    "info": "api.information",
    "layers": "api.listing",
    "live": "api.serving",
    "look": "api.looking",
    "merge": "api.merging",
    "open": "api.atlas",
    "ops": "api.operations",
    "plugins": "api.listing",
    "serve": "api.serving",
    "show": "api.showing",
    "trace": "api.verbs",
    "trace_check": "api.trace_checking",
    "train": "api.training",
    "world": "api.worlds",
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
    "Source",
    "TraceError",
    "Unit",
    "UsageError",
    "__version__",
    "ablate",
    "build",
    "check",
    "demo",
    "diff",
    "dissect",
    "evaluate",
    "evolve",
    "export",
    "figure",
    "find",
    "forecast",
    "images",
    "info",
    "layers",
    "live",
    "look",
    "merge",
    "open",
    "ops",
    "plugins",
    "serve",
    "show",
    "trace",
    "trace_check",
    "train",
    "world",
]

if TYPE_CHECKING:
    from collections.abc import Callable

    from layerscope.api.ablating import ablate
    from layerscope.api.atlas import Atlas, AtlasLayer, Peak, Unit, open
    from layerscope.api.comparing import diff
    from layerscope.api.demonstrating import demo
    from layerscope.api.dissecting import dissect
    from layerscope.api.drawing import figure
    from layerscope.api.evolving import evolve
    from layerscope.api.exporting import export
    from layerscope.api.finding import find
    from layerscope.api.information import info
    from layerscope.api.listing import layers, plugins
    from layerscope.api.looking import look
    from layerscope.api.merging import merge
    from layerscope.api.network import Layer, Network
    from layerscope.api.operations import ops
    from layerscope.api.serving import live, serve
    from layerscope.api.showing import show
    from layerscope.api.trace_checking import trace_check
    from layerscope.api.training import evaluate, train
    from layerscope.api.verbs import build, check, forecast, images, trace
    from layerscope.api.worlds import world
    from layerscope.core.errors import AtlasError, ImageError, LayerscopeError, TraceError, UsageError
    from layerscope.core.geometry import Box
    from layerscope.core.records import Input, Projections
    from layerscope.sources import Source


def __getattr__(name: str) -> object:
    """Load a public name from its room, once (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'layerscope' has no attribute {name!r}")
    value = getattr(import_module(f"layerscope.{_HOMES[name]}"), name)
    # Importing a room of this name may have set it already, see below.
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return list(__all__)


class _Room(ModuleType):
    """A room of the package that has a verb's name, as `layerscope.world`: called, it is the verb."""

    def __call__(self, *args: object, **named: object) -> object:
        return self.__wrapped__(*args, **named)

    @property
    def __wrapped__(self) -> "Callable[..., object]":
        """The verb, where `inspect` looks for the arguments."""
        verb = self.__name__.rpartition(".")[2]
        return getattr(import_module(f"layerscope.{_HOMES[verb]}"), verb)


class _Package(ModuleType):
    """The package. Importing one of its rooms sets the room as its attribute, and must not take a verb away."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
