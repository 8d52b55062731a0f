"""Names from labels alone: by which label are the images told that excite a unit?

A unit is named by the label of the lowest p-value (`dissect/ranks.py`) among those whose AUC reaches a bar and whose
p-value, times the number of labels, is low (Bonferroni: it holds however the labels of a hierarchy depend on each
other). Between a label and those above and below it, that is the one which leaves the least to chance. From its best
label on a unit may be named by a compound of two, "A or B" or, for a B below A, "A, not B", where the compound lies
farther above chance by a margin that no unit of the layer reaches when the images' labels are shuffled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from layerscope.core.labels import (
    ALPHA,
    LABEL_FORM,
    LEAST_AUC,
    LEAST_GAIN,
    NOT_FORM,
    OR_FORM,
    LabelFigures,
    LabelScore,
    LabelTree,
    LayerLabels,
    UnitLabels,
)
from layerscope.dissect.ranks import Ranks, Tested, p_of

RANKED = 3
# So often labels are shuffled: the figures are those of the first time, the margin holds against all.
SHUFFLES = 4
# So many units are compounded at once.
_RUN = 256


@dataclass(frozen=True, eq=False)
class LabelTests:
    """The labels of some images, ready to be tried on units. deepest: of the images that have one."""

    tree: LabelTree
    deepest: Int64[np.ndarray, " n"]

    @cached_property
    def below(self) -> Bool[np.ndarray, "labels labels"]:
        return self.tree.below()

    @cached_property
    def sizes(self) -> Int64[np.ndarray, " labels"]:
        """How many images carry each label."""
        return self.below.astype(np.int64) @ np.bincount(self.deepest, minlength=len(self.tree.names))

    @cached_property
    def tried(self) -> Bool[np.ndarray, " labels"]:
        """The labels that at least two images carry, and at least one does not."""
        return (self.sizes >= 2) & (self.sizes < len(self.deepest))

    @property
    def count(self) -> int:
        return int(self.tried.sum())

    def shuffled(self, seed: int) -> "LabelTests":
        """The same with the labels dealt out to other images."""
        drawn = np.random.default_rng([seed, len(self.deepest)]).permutation(self.deepest)
        return LabelTests(self.tree, drawn)

    def sums(self, ranks: Ranks) -> Float64[np.ndarray, "u labels"]:
        """For every unit and label the sum of its images' ranks."""
        return ranks.sums(self.deepest, len(self.tree.names)) @ self.below.T.astype(np.float64)


@dataclass(frozen=True, eq=False)
class Compounds:
    """Of each unit the best compound. first, second: labels; joined: int, "first or second", else "first, not second".

    gain: standard deviations above the unit's best label; -inf where there is no compound. tried: how many were.
    """

    first: Int64[np.ndarray, " u"]
    second: Int64[np.ndarray, " u"]
    joined: Bool[np.ndarray, " u"]
    images: Int64[np.ndarray, " u"]
    auc: Float64[np.ndarray, " u"]
    z: Float64[np.ndarray, " u"]
    gain: Float64[np.ndarray, " u"]
    tried: Int64[np.ndarray, " u"]


def name_layer(
    layer: str, ranks: Ranks, tests: LabelTests, seed: int
) -> tuple[LayerLabels, Float64[np.ndarray, "u l"]]:
    """A layer's units with their labels, and the z of every unit and label."""
    found, compounds = _measured(ranks, tests)
    drawn = []
    for turn in range(SHUFFLES):
        shuffled = tests.shuffled(seed + turn)
        drawn.append((shuffled, *_measured(ranks, shuffled)))
    gains = [one.gain.max(initial=-np.inf) for _, _, one in drawn]
    # Above all that shuffled labels reach, so that none of theirs is named by a compound.
    margin = max(LEAST_GAIN, float(np.nextafter(max(gains), np.inf)))
    units = _units(found, compounds, tests, margin)
    labels, by_chance, chance_compounds = drawn[0]
    named = LayerLabels(
        layer=layer,
        units=units,
        figures=figures(units),
        shuffled=figures(_units(by_chance, chance_compounds, labels, margin)),
        margin=margin,
    )
    return named, found.z


def _measured(ranks: Ranks, tests: LabelTests) -> tuple[Tested, Compounds]:
    sums = tests.sums(ranks)
    found = ranks.tested(sums, tests.sizes[None].astype(np.float64))
    found.z[:, ~tests.tried] = -np.inf
    runs = [slice(first, first + _RUN) for first in range(0, len(sums), _RUN)]
    parts = [_compounds(Ranks(ranks.ranks[run], ranks.ties[run]), sums[run], found.z[run], tests) for run in runs]
    names = Compounds.__dataclass_fields__
    return found, Compounds(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _compounds(
    ranks: Ranks, sums: Float64[np.ndarray, "u labels"], z: Float64[np.ndarray, "u labels"], tests: LabelTests
) -> Compounds:
    """From each unit's label of the highest z on: joined with a label that is not related, or without one below it."""
    first, units = z.argmax(1), np.arange(len(z))
    own, size = sums[units, first, None], tests.sizes[first, None].astype(np.float64)
    apart = tests.tried & ~tests.below[first] & ~tests.below.T[first]
    inside = tests.tried & tests.below[first] & (tests.sizes[first, None] - tests.sizes >= 2)
    inside[units, first] = False
    best = z[units, first]
    found = []
    for sign, allowed in ((1, apart), (-1, inside)):
        tested = ranks.tested(own + sign * sums, size + sign * tests.sizes)
        tested.z[~allowed] = -np.inf
        second = tested.z.argmax(1)
        found.append((second, tested.auc[units, second], tested.z[units, second]))
    joined = found[0][2] >= found[1][2]
    second, auc, top = (np.where(joined, one, other) for one, other in zip(*found, strict=True))
    sign = np.where(joined, 1, -1)
    with np.errstate(invalid="ignore"):
        gain = np.where(np.isfinite(top) & np.isfinite(best), top - best, -np.inf)
    images = tests.sizes[first] + sign * tests.sizes[second]
    return Compounds(first, second, joined, images, auc, top, gain, apart.sum(1) + inside.sum(1))


def _units(found: Tested, compounds: Compounds, tests: LabelTests, margin: float) -> tuple[UnitLabels, ...]:
    """Every unit with its labels, and the compound that gains by the margin."""
    tree, p = tests.tree, np.minimum(p_of(found.z) * tests.count, 1)
    fit = (p < ALPHA) & (found.auc >= LEAST_AUC)
    with_compound = np.minimum(p_of(compounds.z) * (tests.count + compounds.tried), 1)
    gains = (compounds.gain >= margin) & (with_compound < ALPHA) & (compounds.auc >= LEAST_AUC)
    # The best few are enough: what may name a unit first, then by z.
    order = np.lexsort((-found.z, ~fit), axis=1)[:, :RANKED]

    def scored(unit: int, label: int) -> LabelScore:
        return LabelScore(
            label=tree.names[label], form=LABEL_FORM, level=int(tree.levels[label]), auc=float(found.auc[unit, label]),
            z=float(found.z[unit, label]), p=float(p[unit, label]), images=int(tests.sizes[label]),
        )  # fmt: skip

    def compound(unit: int) -> LabelScore:
        first, second = int(compounds.first[unit]), int(compounds.second[unit])
        between, form = (" or ", OR_FORM) if compounds.joined[unit] else (", not ", NOT_FORM)
        return LabelScore(
            label=f"{tree.names[first]}{between}{tree.names[second]}", form=form, level=int(tree.levels[first]),
            auc=float(compounds.auc[unit]), z=float(compounds.z[unit]), p=float(with_compound[unit]),
            images=int(compounds.images[unit]),
        )  # fmt: skip

    def named(unit: int) -> UnitLabels:
        ranked = tuple(scored(unit, label) for label in order[unit].tolist() if np.isfinite(found.z[unit, label]))
        best = ranked[0] if ranked and fit[unit, order[unit, 0]] else None
        return UnitLabels(unit=unit, ranked=ranked, best=compound(unit) if gains[unit] else best)

    return tuple(named(unit) for unit in range(len(found.z)))


def figures(units: Sequence[UnitLabels]) -> LabelFigures:
    """What the units of a layer add up to."""
    named = [unit for unit in units if unit.best is not None]
    first = [unit.ranked[0].auc for unit in units if unit.ranked]
    return LabelFigures(
        units=len(units),
        dead=sum(unit.dead for unit in units),
        named=len(named),
        compounds=sum(unit.best is not None and unit.best.form != LABEL_FORM for unit in named),
        distinct=len(_names(named)),
        median_auc=float(np.median(first)) if first else None,
    )


def _names(units: Iterable[UnitLabels]) -> set[str]:
    return {unit.best.label for unit in units if unit.best is not None}
