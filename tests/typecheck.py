"""How signatures are checked in the tests: a whole number passes for a float, as it does for every type checker."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from beartype import BeartypeConf, beartype

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; its check is built at its first call, since a process calls few of those that it imports."""
    built: list[Callable[..., Any]] = []

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not built:
            built.append(_beartype(function))
        return built[0](*args, **kwargs)

    return call
