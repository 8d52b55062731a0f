"""All registries: what `layerscope plugins` lists, and every kind of thing that a guest's package can add."""

from typing import Any

from layerscope.core.codecs import CODECS
from layerscope.core.methods import METHODS
from layerscope.core.registry import Registry


def registries() -> tuple[Registry[Any], ...]:
    """The registries, in the order in which they are told."""
    return METHODS, CODECS
