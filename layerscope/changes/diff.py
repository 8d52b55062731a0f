"""What changed between two atlases of the same layers, over the images that both hold: by layer and by unit."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Int64

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.changes.agreement import Profiles, profiles
from layerscope.changes.becoming import UnitChange, unit_changes
from layerscope.changes.sides import Side, side_of
from layerscope.core.changes import LEAST, NAMES, WORST_FIRST
from layerscope.core.errors import UsageError
from layerscope.facts.known_as import known_as
from layerscope.facts.layer import class_counts
from layerscope.facts.run import images_of_run, same_images
from layerscope.facts.wrapping import Reader

# Class means of fewer classes rise and fall together by chance.
FEWEST_CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChange:
    """What became of a layer's units. units, others: how many the first atlas has, and the second. matched, changed,
    moved, lost, dead, new: of how many units this is said. dead_before: units that never fired in the first atlas, of
    which nothing is said. agreement: the median over all pairs; None without any. sought: whether moved units were
    looked for: they are not where too many are left over."""

    layer: str
    units: int
    others: int
    matched: int = 0
    changed: int = 0
    moved: int = 0
    lost: int = 0
    dead: int = 0
    new: int = 0
    dead_before: int = 0
    agreement: float | None = None
    sought: bool = True

    @property
    def kept(self) -> float:
        """The share of the live units that are matched, 0..1; 1 of a layer without any."""
        alive = self.units - self.dead_before
        return self.matched / alive if alive else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasChanges:
    """What changed between two atlases. images: how many both hold. by_class: whether class means were compared, too.
    least: from which agreement on two units are the same. layers: the worst first: the smallest share of matched units,
    then the most new ones. units: all, the worst first: in the order of core.changes.WORST_FIRST, then by agreement,
    the lowest first. only_before, only_after: layers that the other atlas has not."""

    before: Side
    after: Side
    images: int
    by_class: bool
    least: float
    layers: tuple[LayerChange, ...]
    units: tuple[UnitChange, ...]
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()

    def count(self, change: str) -> int:
        """How many units of all layers this word is said of."""
        return sum(getattr(layer, change) for layer in self.layers)

    @property
    def alive(self) -> int:
        """How many units of the first atlas, in all compared layers, ever fire."""
        return sum(layer.units - layer.dead_before for layer in self.layers)


@dataclass(frozen=True, slots=True, eq=False)
class LayerPair:
    """A layer of two atlases, whatever `least` is asked for. names: what its units are called in either."""

    profiles: tuple[Profiles, Profiles]
    names: tuple[dict[int, str], dict[int, str]]

    @property
    def bytes(self) -> int:
        """How much memory its arrays take."""
        return sum(each.bytes for each in self.profiles)


# Gives the pair of a layer, by its name and by what makes it: one that was kept, or a new one.
Keeper = Callable[[str, Callable[[], LayerPair]], LayerPair]


def _made(layer: str, make: Callable[[], LayerPair]) -> LayerPair:
    return make()


def changes(
    before: Reader,
    after: Reader,
    *,
    least: float = LEAST,
    kept: Keeper = _made,
) -> AtlasChanges:
    """What changed from one atlas to another. least: from which agreement on two units are the same, 0..1. kept: where
    another `least` is likely to be asked for, keeps what all have in common.

    Raises UsageError for one atlas twice, an unfinished one, and two that have no layer or no image in common;
    AtlasError for a damaged one.
    """
    _require_two_finished(before, after)
    theirs = {layer.name: layer for layer in after.layers}
    pairs = [(layer, theirs.pop(layer.name)) for layer in before.layers if layer.name in theirs]
    if not pairs:
        raise UsageError(
            f"{before.path} and {after.path} have no layer in common: {_layers(before)}, and {_layers(after)}"
        )
    numbers, others, count = common_images(before, after)
    if not count:
        raise UsageError(
            f"{before.path} and {after.path} have no image in common, by the bytes of the files: build both over the "
            "same images"
        )
    by_class, ours = _same_classes(before, after), {layer.name for layer, _ in pairs}
    found = [
        _of_layer(
            layer.name,
            kept(layer.name, partial(_pair, (before, layer, numbers), (after, other, others), by_class=by_class)),
            least,
        )
        for layer, other in pairs
    ]
    every = [unit for _, units in found for unit in units]
    return AtlasChanges(
        before=side_of(before),
        after=side_of(after),
        images=count,
        by_class=by_class,
        least=least,
        layers=tuple(sorted((layer for layer, _ in found), key=lambda one: (one.kept, -one.new))),
        units=tuple(sorted(every, key=_badness)),
        only_before=tuple(layer.name for layer in before.layers if layer.name not in ours),
        only_after=tuple(theirs),
    )


def have_in_common(before: Reader, after: Reader) -> bool:
    """Whether `changes` has anything to tell: of two finished atlases that have a layer and an image in common."""
    if before.path.resolve() == after.path.resolve() or not (before.finished and after.finished):
        return False
    ours = {layer.name for layer in before.layers}
    return any(layer.name in ours for layer in after.layers) and common_images(before, after)[2] > 0


def _badness(one: UnitChange) -> tuple[int, float]:
    return WORST_FIRST.index(one.change), one.agreement if one.agreement is not None else one.near or 0.0


def _require_two_finished(before: Reader, after: Reader) -> None:
    if before.path.resolve() == after.path.resolve():
        raise UsageError(f"{before.path} is named twice: name two atlases to compare")
    for file in (before, after):
        if not file.finished:
            raise UsageError(
                f"{file.path} is unfinished: the command that built it goes on where it was; compare it when it is done"
            )


def _layers(file: Reader) -> str:
    names = [layer.name for layer in file.layers]
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}" if names else "none"


def _same_classes(before: Reader, after: Reader) -> bool:
    ours, theirs = (file.statistic("classes") for file in (before, after))
    return bool(ours) and ours == theirs and len(ours) >= FEWEST_CLASSES


def common_images(before: Reader, after: Reader) -> tuple[Int64[np.ndarray, " a"], Int64[np.ndarray, " b"], int]:
    """For the images of both atlases the numbers that they share, -1 where there is none; and how many are shared.

    Two images are one where their files have the same bytes.
    """
    if same_images(before.run, after.run):
        return np.arange(before.image_count()), np.arange(after.image_count()), images_of_run(before)
    first, second = _by_bytes(before), _by_bytes(after)
    numbers, others = (np.full(file.image_count(), -1, np.int64) for file in (before, after))
    shared = [sha256 for sha256 in first if sha256 in second]
    for number, sha256 in enumerate(shared):
        numbers[first[sha256]] = others[second[sha256]] = number
    return numbers, others, len(shared)


def _by_bytes(file: Reader) -> dict[str, int]:
    """The images that were scanned, by their hash."""
    places = range(file.image_count())
    return {sha256: image for image, sha256 in file.scanned_hashes() if image in places}


# An atlas, one of its layers, and the numbers of its images that both atlases share.
Sided = tuple[Reader, AtlasLayerRecord, np.ndarray]


def _pair(before: Sided, after: Sided, *, by_class: bool) -> LayerPair:
    both = by_class and all(class_counts(file, layer)[0] for file, layer, _ in (before, after))
    one, other = (profiles(*side, by_class=both) for side in (before, after))
    first, second = (known_as(file, layer) for file, layer, _ in (before, after))
    return LayerPair((one, other), (first, second))


def _of_layer(name: str, pair: LayerPair, least: float) -> tuple[LayerChange, list[UnitChange]]:
    """A layer of two atlases."""
    one, other = pair.profiles
    units, sought = unit_changes(name, one, other, least)
    pairs = [found.agreement for found in units if found.agreement is not None]
    counts = Counter(found.change for found in units)
    layer = LayerChange(
        layer=name,
        units=one.units,
        others=other.units,
        **{name: counts[name] for name in NAMES},
        dead_before=int((~one.alive).sum()),
        agreement=float(np.median(pairs)) if pairs else None,
        sought=sought,
    )
    return layer, [_told(found, pair) for found in units]


def _told(found: UnitChange, pair: LayerPair) -> UnitChange:
    """The same, with what both units are called and with their maxima."""
    names, sides = pair.names, pair.profiles
    unit, other = found.unit, found.other
    return UnitChange(
        layer=found.layer,
        change=found.change,
        unit=unit,
        other=other,
        agreement=found.agreement,
        nearest=found.nearest,
        near=found.near,
        maximum=None if unit is None else float(sides[0].maximum[unit]),
        other_maximum=None if other is None else float(sides[1].maximum[other]),
        name="" if unit is None else names[0].get(unit, ""),
        other_name="" if other is None else names[1].get(other, ""),
    )
