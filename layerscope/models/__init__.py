"""Named networks: where a network's code, weights, input size and preprocessing come from."""

from layerscope.models.loaded import Loaded
from layerscope.models.spec import load, load_module

__all__ = ["Loaded", "load", "load_module"]
