"""Replay: the proof that a network was read rightly, as plain values and in one sentence.

The user's own network and the graph made of it are run on the same pictures and compared (graph/replay.py).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import inf, isfinite
from typing import Any

from layerscope.core.numbers import counted

# Below this a difference is the rounding of float64, which is another one on every machine.
ROUNDING = 1e-12

# What a replay can find, each as a clause about "{where}", and what to do then.
FAULTS = {
    "reading": (
        'the network was not read rightly: at "{where}" its graph differs by {worst} of the largest value there from '
        "what the network itself computes ({bound} is allowed)",
        "this is a fault of layerscope: please report it, with the code of that layer",
    ),
    "running": (
        'the network was not read rightly: its graph cannot be run at "{where}" ({why})',
        "this is a fault of layerscope: please report it, with the code of that layer",
    ),
    "random": (
        'the network gives other numbers each time that it is run: by {worst} of the largest value at "{where}"',
        "take out of its forward what draws at random or counts calls",
    ),
    "batch": (
        'a picture alone gives other numbers than among others: by {worst} of the largest value at "{where}"',
        "take out of its forward what reads the size of the batch, or its other pictures",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay found.

    pictures: how many were run. layers, outputs: how many of the network's layers and outputs were compared; returned:
    how many outputs it has. worst: the largest difference, as a share of the largest magnitude of its layer; where: at
    which layer or output; of several beyond the bound the first one. bound: what rounding is allowed. dtype: the
    numbers that it ran in. fault: a row of FAULTS, or "". why: what torch said; where nothing was run, why.
    """

    pictures: int = 0
    layers: int = 0
    outputs: int = 0
    returned: int = 0
    worst: float = 0.0
    where: str = ""
    bound: float = 0.0
    dtype: str = ""
    fault: str = ""
    why: str = ""

    @property
    def said(self) -> str:
        """What was found, in one sentence without its full stop."""
        if self.fault:
            return self.clause
        if not self.pictures:
            return f"could not be replayed: {self.why}"
        compared = [_outputs(self.outputs, self.returned), counted(self.layers, "layer") if self.layers else ""]
        what = " and ".join(part for part in compared if part)
        if not what:
            return f"replayed on {counted(self.pictures, 'picture')}: nothing in it can be compared"
        largest = f"{_share(self.worst)} (at {self.where})" if self.worst > ROUNDING else f"below {_share(ROUNDING)}"
        agree = "agrees" if (self.outputs, self.layers) in ((1, 0), (0, 1)) else "agree"
        return f"replayed on {counted(self.pictures, 'picture')}: {what} {agree}, largest difference {largest}"

    def data(self) -> dict[str, Any]:
        """All of it as JSON can hold it, with the sentence; a difference without bound is null."""
        return {**asdict(self), "worst": self.worst if isfinite(self.worst) else None, "said": self.said}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Replay":
        """What `data` gave. Raises TypeError and KeyError for anything else."""
        known: dict[str, Any] = {field.name: data[field.name] for field in fields(cls)}
        known["worst"] = inf if known["worst"] is None else known["worst"]
        return cls(**known)

    @property
    def clause(self) -> str:
        """What is wrong, "" where nothing is."""
        return FAULTS[self.fault][0].format(**self._words()) if self.fault else ""

    @property
    def advice(self) -> str:
        """What to do about what is wrong."""
        return FAULTS[self.fault][1] if self.fault else ""

    def _words(self) -> dict[str, str]:
        return {"where": self.where, "why": self.why, "worst": _share(self.worst), "bound": _share(self.bound)}


def _outputs(compared: int, returned: int) -> str:
    if not compared:
        return ""
    if compared < returned:
        return f"{compared} of {returned} outputs"
    return "the output" if returned == 1 else "the outputs"


def _share(value: float) -> str:
    """A share in one digit: 3e-07 as 3e-7."""
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent and value else mantissa
