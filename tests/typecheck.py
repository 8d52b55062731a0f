"""How signatures of the package are checked in the tests: by beartype, and where they name shapes within jaxtyping.

jaxtyping binds every call's arguments and checks them twice, to tie the sizes that a signature names to one another and
to say well which is wrong. Where nothing is to be tied beartype alone refuses the same, in a small part of the time.
A check is built at the first call, since a process calls few of the functions that it imports.
"""

import dataclasses
from collections.abc import Callable
from functools import wraps
from inspect import isclass, isgeneratorfunction
from typing import Any, get_args, get_type_hints

import jaxtyping
from beartype import BeartypeConf, beartype

# A whole number passes for a float, as it does for every type checker.
_types = beartype(conf=BeartypeConf(is_pep484_tower=True))
_jaxtyped = jaxtyping.jaxtyped


def checked(thing: Any) -> Any:
    """A function, method or property with its signature checked; a dataclass with its fields', if it checks none."""
    if isclass(thing):
        # A record that checks its own values says better what is wrong with them, also where they come from a file.
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing) and not hasattr(thing, "__post_init__"):
            thing.__init__ = checked(thing.__init__)
        return thing
    if isinstance(thing, classmethod | staticmethod):
        return type(thing)(checked(thing.__func__))
    if isinstance(thing, property):
        return property(*(part and checked(part) for part in (thing.fget, thing.fset, thing.fdel)), thing.__doc__)
    return _at_first_call(thing)


def _at_first_call(function: Callable[..., Any]) -> Callable[..., Any]:
    built: list[Callable[..., Any]] = []

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not built:
            built.append(_built(function))
        return built[0](*args, **kwargs)

    # Whoever looks in a traceback for the user's own line passes over libraries: this is none of his either.
    call.__code__ = call.__code__.replace(co_filename=jaxtyping.__file__)
    return call


def _built(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:
        # A name that is imported for annotations alone: jaxtyping takes what it cannot look up for anything.
        return _jaxtyped(function, typechecker=_types)
    if isgeneratorfunction(function):
        # beartype alone would look at the arguments at the first step, among the sizes of whoever takes it.
        return _jaxtyped(function, typechecker=_types)
    types = _types(function)
    return _jaxtyped(types, typechecker=None) if any(map(_has_shape, hints.values())) else types


def _has_shape(hint: Any) -> bool:
    return (isclass(hint) and issubclass(hint, jaxtyping.AbstractArray)) or any(map(_has_shape, get_args(hint)))
