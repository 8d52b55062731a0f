"""The functions of the package look at what they are given before they begin, by the table of settings."""

import warnings
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from layerscope.core.verb import Verb

P = ParamSpec("P")
R = TypeVar("R")


def checked(verb: Verb) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function whose arguments are the settings of a verb: it gets them checked, each in its plain form.

    What is wrong raises UsageError before the function begins, with the sentence that a shell gets. An earlier name of
    a setting is still taken, with a warning.
    """
    former = {setting.former: setting.name for setting in verb.settings if setting.former}

    def of(function: Callable[P, R]) -> Callable[P, R]:
        form = signature(function)

        @wraps(function)
        def called(*args: P.args, **given: P.kwargs) -> R:
            for old in former.keys() & given.keys():
                warnings.warn(f"{old}= is now called {former[old]}=", stacklevel=2)
            named: dict[str, Any] = {former.get(name, name): value for name, value in given.items()}
            bound = form.bind(*args, **named)
            bound.arguments.update(verb.checked(bound.arguments))
            return function(*bound.args, **bound.kwargs)

        return called

    return of
