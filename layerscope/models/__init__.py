"""Named networks: where a network's code, weights, input size and preprocessing come from."""

from layerscope.models.spec import Loaded, load

__all__ = ["Loaded", "load"]
