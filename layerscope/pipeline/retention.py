"""What the pixels that a method marks keep of an activation, on a layer's sample: summed up, with intervals.

Beside it stands what as many pixels keep that know nothing of the unit: those on the picture's edges, and random ones;
and, for how much of it is this unit's own, those that the method marks for another unit at the same place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from layerscope.core.records import LayerRecord
from layerscope.graph import Carrier
from layerscope.project.cone import Entries
from layerscope.project.retention import FieldMarks, Kept, edges_of, marks_of
from layerscope.project.run import Carried

_DRAWS = 1000
_INTERVAL = (0.025, 0.975)
# Of each unit of a chunk what is kept by: edges, random pixels, and by method its own marks and its partner's.
KeptParts = dict[str, np.ndarray]


class Retaining:
    """Measure some units of a layer. entries: their peaks, in the pictures. values: the activations there."""

    def __init__(
        self, program: Carrier, layer: LayerRecord, pixels: Float32[np.ndarray, "n c h w"], entries: Entries,
        values: Float64[np.ndarray, " m"], *, seed: int,
    ) -> None:  # fmt: skip
        self.layer, self.pixels, self.entries, self.seed = layer, pixels, entries, seed
        self.size: tuple[int, int] = pixels.shape[-2:]
        places = zip(entries.row.tolist(), entries.col.tolist(), strict=True)
        self.fields = [layer.field.box(row, col).clipped(*self.size) for row, col in places]
        self.kept = Kept(program, pixels, entries, values, self.fields)

    def edges(self) -> FieldMarks:
        """The pictures' edges in each field."""
        of_picture = {place: edges_of(self.pixels[place]) for place in np.unique(self.entries.image).tolist()}
        return [
            of_picture[place][box.top : box.bottom, box.left : box.right]
            for place, box in zip(self.entries.image.tolist(), self.fields, strict=True)
        ]

    def noise(self) -> FieldMarks:
        """A seeded number at every px of each field: a unit's are the same whoever else is measured."""
        return [
            np.random.default_rng([self.seed, self.layer.node, 2, unit]).random(self.size)[
                box.top : box.bottom, box.left : box.right
            ]
            for unit, box in zip(self.entries.unit.tolist(), self.fields, strict=True)
        ]

    def marked(self, method: str, parts: Sequence[Carried], chosen: Int64[np.ndarray, " n"]) -> FieldMarks:
        """What a method marks in the fields of the chosen entries, the others' being None. parts: of these alone."""
        found: list = [None] * len(self.fields)
        for part in parts:
            mine = chosen[part.part]
            marks = marks_of(part, method, [self.fields[index] for index in mine])
            for index, own in zip(mine.tolist(), marks, strict=True):
                found[index] = own
        return found

    def measured(
        self, methods: Sequence[str], mine: Sequence[Carried], theirs: Sequence[Carried], has: Bool[np.ndarray, " m"]
    ) -> dict[str, KeptParts]:
        """By method, what is kept by what knows nothing of the unit, by what the method marks for the units, and for
        their partners. has: which of them have one."""
        everyone, paired = np.arange(len(self.fields)), np.flatnonzero(has)
        marks = {"edges": self.edges(), "random": self.noise()}
        for method in methods:
            marks[f"own {method}"] = self.marked(method, mine, everyone)
            marks[f"partner {method}"] = self.marked(method, theirs, paired)
        found = self.kept.shares(marks)
        baselines = {name: found[name] for name in ("edges", "random")}
        return {
            method: baselines | {kind: found[f"{kind} {method}"] for kind in ("own", "partner")} for method in methods
        }


def kept_of_first(
    program: Carrier, layer: LayerRecord, pixels: Float32[np.ndarray, "n c h w"], entries: Entries, part: Carried,
    first: Bool[np.ndarray, " m"], *, seed: int,
) -> dict[str, Float64[np.ndarray, " m"]]:  # fmt: skip
    """Of some entries that were just carried back, what is kept by random px, and by what each method marks.

    entries: those of the part. first: which of them are asked for; the others' are NaN.
    """
    asked = np.flatnonzero(first)
    values = part.values.double().cpu().numpy()[asked]
    retaining = Retaining(program, layer, pixels, entries.part(asked), values, seed=seed)
    marks = {"": retaining.noise() if len(asked) else []}
    marks |= {method: marks_of(part, method, retaining.fields, asked) for method in part.signals}
    found = {name: np.full(len(entries), np.nan) for name in marks}
    for name, shares in retaining.kept.shares(marks).items():
        found[name][asked] = shares
    return found


def summed_up(parts: Sequence[KeptParts], layer: LayerRecord, *, seed: int) -> dict[str, Any]:
    """Means over the units of which all is known, with intervals: by bootstrap, seeded; of partners over the pairs.
    Nothing but n = 0 where there is none."""
    found = {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    counted = np.logical_and.reduce([np.isfinite(found.get(name, np.empty(0))) for name in ("own", "edges", "random")])
    if not counted.any():
        return {"n": 0}
    rng = np.random.default_rng([seed, layer.node, 3])
    pairs = counted & np.isfinite(found["partner"])
    own = {name: found[name][counted] for name in ("own", "edges", "random")}
    paired = {"partner": found["partner"][pairs], "selectivity": (found["own"] - found["partner"])[pairs]}
    return {
        "n": int(counted.sum()),
        "pairs": int(pairs.sum()),
        **_intervals(own, rng),
        **(_intervals(paired, rng) if pairs.any() else {}),
    }


def _intervals(values: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, list[float]]:
    """Of each its mean and the mean's interval, all over the same draws."""
    count = len(next(iter(values.values())))
    drawn = rng.integers(0, count, (_DRAWS, count))
    found = {name: (of.mean(), *np.quantile(of[drawn].mean(1), _INTERVAL)) for name, of in values.items()}
    return {name: [float(value) for value in three] for name, three in found.items()}
