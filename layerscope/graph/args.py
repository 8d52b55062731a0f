"""Bind a call to its operation's schema: every argument by name, the defaults included.

After this nobody counts positions or wonders whether an argument was left out.
"""

from collections.abc import Sequence
from typing import Any

from torch._ops import OpOverload


def bind(target: OpOverload, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The call's arguments by name; lists become tuples."""
    schema = target._schema.arguments
    bound = {argument.name: argument.default_value for argument in schema if argument.has_default_value()}
    bound.update(zip((argument.name for argument in schema), args, strict=False))
    bound.update(kwargs)
    return {argument.name: _plain(bound[argument.name]) for argument in schema if argument.name in bound}


def _plain(value: Any) -> Any:
    return tuple(_plain(v) for v in value) if isinstance(value, list | tuple) else value
