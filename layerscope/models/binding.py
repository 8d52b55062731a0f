"""Further arguments of a network's forward are bound to values, so that a picture is all that it needs."""

import inspect
from collections.abc import Mapping
from functools import partial

from torch import nn

from layerscope.core.errors import UsageError, nearest


def bind_arguments(model: nn.Module, values: Mapping[str, object]) -> None:
    """Bind arguments of a module's forward, which is changed. Raises UsageError for a name that it does not take."""
    if not values:
        return
    given, network = inspect.signature(model.forward).parameters, type(model).__name__
    named = [name for name, one in given.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    any_name = any(one.kind is one.VAR_KEYWORD for one in given.values())
    for name in values:
        if name == next(iter(named), None):
            raise UsageError(f'"{name}" is where {network}.forward takes the picture: bind other arguments')
        if name not in named and not any_name:
            raise UsageError(f'{network}.forward takes no "{name}"; it takes {", ".join(named)}{nearest(name, named)}')
    # An attribute of the one module, before its class's method: its names, hooks and copies stay what they are.
    model.forward = partial(model.forward, **values)
