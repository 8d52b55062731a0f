"""How signatures of the package are checked in the tests: by beartype, and where they name shapes within jaxtyping.

jaxtyping binds every call's arguments and checks them twice, to tie the sizes that a signature names to one another and
to say well which is wrong. Where nothing is to be tied beartype alone refuses the same, in a small part of the time.
Where sizes are to be tied they are noted for the time of a call, and its arguments are bound by Python alone.
A check is built at the first call, since a process calls few of the functions that it imports; and once for a function
that another one makes anew each time, whose check costs a hundred times its call.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from inspect import isclass, isgeneratorfunction
from types import CellType, CodeType, FunctionType
from typing import Any, Protocol, get_args, get_type_hints
from weakref import WeakSet

import jaxtyping
from beartype import BeartypeConf, beartype

# A whole number passes for a float, as it does for every type checker.
_types = beartype(conf=BeartypeConf(is_pep484_tower=True))
_jaxtyped = jaxtyping.jaxtyped
# By code: a function as others make it, without what it closes over, and the same checked.
_moulds: dict[CodeType, tuple[FunctionType, Callable[..., Any]]] = {}
# Within it sizes of one name are one size.
_sizes: Any = _jaxtyped("context")


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

    return _of_a_library(call)


def _of_a_library(call: FunctionType) -> FunctionType:
    """Whoever looks in a traceback for the user's own line passes over libraries: these are none of his either."""
    call.__code__ = call.__code__.replace(co_filename=jaxtyping.__file__)
    return call


def _tied(function: Callable[..., Any]) -> Callable[..., Any]:
    """The checked function, among whose arguments and result sizes are tied to one another."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _sizes:
            return function(*args, **kwargs)

    return _of_a_library(call)


def _looked_up(function: Callable[..., Any], hints: dict[str, Any]) -> Callable[..., Any]:
    """The same function with types in place of their names, which beartype would look up at every call."""
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        return function
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    for name in ("__module__", "__qualname__", "__doc__", "__kwdefaults__"):
        setattr(made, name, getattr(function, name))
    made.__annotations__ = hints
    return made


def _built(function: Callable[..., Any]) -> Callable[..., Any]:
    inner = isinstance(function, FunctionType) and function.__closure__ and not hasattr(function, "__wrapped__")
    if inner and function.__code__ in _moulds:
        hollow, mould = _moulds[function.__code__]
        if hollow.__annotations__ == function.__annotations__:
            return _poured(function, hollow, mould)
    unknown: dict[str, Any] = {}
    try:
        hints = _hints(function, unknown)
    except Exception:
        return _jaxtyped(function, typechecker=_types)  # which takes what it cannot look up for anything
    if inner and unknown:
        return _jaxtyped(function, typechecker=_types)
    if isgeneratorfunction(function):
        # beartype alone would look at the arguments at the first step, among the sizes of whoever takes it.
        return _jaxtyped(function, typechecker=_types)
    if any(map(_has_shape, hints.values())):
        return _tied(_types(_looked_up(function, hints)))
    if not inner:
        return _types(_looked_up(function, hints))
    hollow = _hollow(function)
    _moulds[function.__code__] = hollow, _types(hollow)
    return _poured(function, *_moulds[function.__code__])


def _hints(function: Callable[..., Any], unknown: dict[str, Any]) -> dict[str, Any]:
    """The types of a signature; a name that is imported for annotations alone is noted, and stands for anything."""
    while True:
        try:
            return get_type_hints(function, None, unknown, include_extras=True)
        except NameError as error:
            if error.name is None or error.name in unknown:
                raise
            unknown[error.name] = Any


def _hollow(function: FunctionType) -> FunctionType:
    """The function without what it closes over, which would be kept as long as the process lives."""
    cells = tuple(CellType() for _ in function.__closure__ or ())
    made = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)
    for name in ("__module__", "__qualname__", "__annotations__", "__kwdefaults__"):
        setattr(made, name, getattr(function, name))
    return made


def _poured(function: FunctionType, hollow: FunctionType, mould: Callable[..., Any]) -> Callable[..., Any]:
    """The check of one function put around another of the same code: beartype has what it calls among the defaults."""
    if mould is hollow:
        return function  # its signature asks for nothing
    assert isinstance(mould, FunctionType) and mould.__kwdefaults__
    given = {name: function if value is hollow else value for name, value in mould.__kwdefaults__.items()}
    if not any(value is function for value in given.values()):
        return _types(function)
    made = FunctionType(mould.__code__, mould.__globals__, mould.__name__, mould.__defaults__, mould.__closure__)
    made.__kwdefaults__ = given
    return made


def _has_shape(hint: Any) -> bool:
    return (isclass(hint) and issubclass(hint, jaxtyping.AbstractArray)) or any(map(_has_shape, get_args(hint)))


def _remembered(asked: Callable[[Any, object], bool]) -> Callable[[Any, object], bool]:
    """Whether a thing keeps a protocol, asked of the first of each class of the package that does.

    Python asks every thing for each member, and thereby computes its properties.
    """
    kept: defaultdict[type, WeakSet[type]] = defaultdict(WeakSet)

    def keeps(protocol: Any, thing: object) -> bool:
        kind = type(thing)
        if kind in kept[protocol]:
            return True
        found = asked(protocol, thing)
        # A function, a module or what a test puts in a class's place may have other members than the next.
        if found and kind.__module__.startswith("layerscope."):
            kept[protocol].add(kind)
        return found

    return keeps


type(Protocol).__instancecheck__ = _remembered(type(Protocol).__instancecheck__)
