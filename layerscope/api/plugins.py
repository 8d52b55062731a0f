"""All registries: what `layerscope plugins` lists, and every kind of thing that a guest's package can add."""

from typing import Any

from layerscope.core.codecs import CODECS
from layerscope.core.engines import ENGINES
from layerscope.core.images import IMAGES
from layerscope.core.methods import METHODS
from layerscope.core.networks import NETWORKS
from layerscope.core.picture_forms import PICTURE_FORMS
from layerscope.core.registry import Registry
from layerscope.viewer.pages import PAGES


def registries() -> tuple[Registry[Any], ...]:
    """The registries, in the order in which they are told."""
    from layerscope.graph.ops import OPERATIONS  # it loads torch, and all else here does not

    return METHODS, OPERATIONS, NETWORKS, IMAGES, CODECS, ENGINES, PAGES, PICTURE_FORMS
