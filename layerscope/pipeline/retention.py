"""What the pixels that a method marks keep of an activation, on a layer's sample: summed up, with intervals.

Beside it stands what as many pixels keep that know nothing of the unit: those on the picture's edges, and random ones;
and, for how much of it is this unit's own, those that the method marks for another unit at the same place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64

from layerscope.core.records import LayerRecord
from layerscope.graph import Carrier
from layerscope.project.cone import Entries
from layerscope.project.retention import Kept, edges_of, marks_of
from layerscope.project.run import Carried

_DRAWS = 1000
_INTERVAL = (0.025, 0.975)
# Of each unit of a chunk what is kept by: edges, random pixels, and by method its own marks and its partner's.
KeptParts = dict[str, np.ndarray]


class Retaining:
    """Measure a chunk of a layer's sample. entries: the units at their first peaks. values: their activations. has:
    which of them have a partner."""

    def __init__(
        self, program: Carrier, layer: LayerRecord, pixels: Float32[np.ndarray, "n c h w"], entries: Entries,
        values: Float64[np.ndarray, " m"], has: Bool[np.ndarray, " m"], *, seed: int,
    ) -> None:  # fmt: skip
        self.layer, self.pixels, self.entries, self.has, self.seed = layer, pixels, entries, has, seed
        self.size: tuple[int, int] = pixels.shape[-2:]
        places = zip(entries.row.tolist(), entries.col.tolist(), strict=True)
        boxes = [layer.field.box(row, col).clipped(*self.size) for row, col in places]
        self.kept = Kept(program, pixels, entries, values, boxes)

    def baselines(self) -> KeptParts:
        """What is kept by pixels that know nothing of the unit."""
        of_picture = {place: edges_of(self.pixels[place]) for place in np.unique(self.entries.image).tolist()}
        edges = np.stack([of_picture[place] for place in self.entries.image.tolist()])
        return {
            "edges": self.kept.shares(edges),
            "random": self.kept.shares(np.stack([*map(self._noise, self.entries.unit.tolist())])),
        }

    def _noise(self, unit: int) -> Float64[np.ndarray, "h w"]:
        """A seeded number at every px: a unit's are the same whoever else is in the chunk."""
        return np.random.default_rng([self.seed, self.layer.node, 2, unit]).random(self.size)

    def marked(self, method: str, mine: list[Carried], theirs: list[Carried]) -> KeptParts:
        """What is kept by the pixels that the method marks for the units, and for their partners; NaN where it marks
        none."""
        marks, others = (marks_of(parts, method, self.size) for parts in (mine, theirs))
        own, partner = self.kept.shares(marks), self.kept.shares(others, self.has)
        own[~marks.any((1, 2))] = np.nan
        partner[np.flatnonzero(self.has)[~others.any((1, 2))]] = np.nan
        return {"own": own, "partner": partner}


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
