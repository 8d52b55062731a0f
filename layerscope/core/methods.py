"""The methods of projection, in words: what each shows, how far to trust it, and who described it.

What a method of the house does to the signal at an operation stands in that operation's row (`graph/ops`), by the
method's name. A method of another package brings its rules with it, by the operations' names.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from layerscope.core.errors import UsageError
from layerscope.core.registry import Registry, Row


@dataclass(frozen=True, kw_only=True)
class Method(Row):
    """A method of carrying an activation back to pixels.

    limits: how far to trust it, in sentences. source: who described it, and where. default: whether `build` makes it
    unasked. recovers: its projections show something of the picture whatever the unit, so that who shares them shares
    the picture. starts: from what at the chosen unit, its activation ("value") or 1 ("one"). rules: by the name of an
    operation its `Rule` there (`graph/ops/rules.py`), None for the gradient; a rule in an operation's own row is asked
    first.
    """

    limits: str
    source: str
    default: bool = False
    recovers: bool = True
    starts: Literal["value", "one"] = "value"
    rules: Callable[[str], Any] | None = field(default=None, repr=False)


METHODS = Registry(
    "method",
    "layerscope.methods",
    Method,
    (
        Method(
            name="deconvnet",
            sentence="carries the activation back through the transposed convolutions and the switches of max pooling, "
            "and keeps what is positive at every rectifier on the way back",
            limits="It shows which parts of a patch counted. It partly recovers the picture whatever the unit (Nie et "
            "al. 2018), and does not depend on the layers after the unit (Sixt et al. 2020).",
            source="Zeiler & Fergus 2013, section 2.1",
            default=True,
        ),
        Method(
            name="guided",
            sentence="guided backpropagation: as the deconvnet, and it also blocks what did not pass the rectifier on "
            "the way forward",
            limits="It is sharper than the deconvnet, not truer: it recovers still more of the picture, whatever the "
            "unit (Nie et al. 2018; Sixt et al. 2020).",
            source="Springenberg et al. 2014, section 3.4",
            default=True,
        ),
        Method(
            name="gradient",
            sentence="the derivative of the activation by every pixel, nothing added or left out",
            limits="It is the most specific of the three and the hardest to read: how the activation would change with "
            "each pixel, not which pixels made it.",
            source="Simonyan et al. 2013, section 3",
            recovers=False,
        ),
    ),
)

# What `build` makes unasked.
DEFAULT_METHODS = tuple(name for name, row in METHODS.own.items() if row.default)


def recovering(names: Iterable[str]) -> list[str]:
    """Those of these methods whose projections show something of the picture, or that nobody here knows."""
    return [name for name in names if (row := installed(name)) is None or row.recovers]


def installed(name: str) -> Method | None:
    """The row of a method that an atlas names; None where it is not installed here."""
    try:
        return METHODS.known(name)
    except UsageError:
        return None
