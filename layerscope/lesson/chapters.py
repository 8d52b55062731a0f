"""The chapters of the lesson: at most five layers from the first to the last, each with its theme and three units.

A chapter's theme is what is new at its depth: the level of concepts that a larger share of its units answers to than of
the layers before it. Its units are chosen by that first, then by how far their peaks agree, then by their score, each
another thing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.numbers import counted
from layerscope.facts.known_as import favourites
from layerscope.facts.layer import live_units, sample
from layerscope.facts.run import first_view, images_of_layer
from layerscope.facts.wrapping import Reader
from layerscope.lesson.showing import UnitShows, is_early, looked_at, named_by, shown_by
from layerscope.lesson.themes import THEMES, Theme

MOST_CHAPTERS, UNITS = 5, 3
# Of so many units, those of the best names, the patches are compared; of a layer without names of so many seeded ones.
LOOKED, COMPARED, SEED = 24, 48, 0
# What is told again counts so much less than what is new.
AGAIN = 0.5
# Themes of which patches themselves say how far a unit's peaks agree.
LOOKED_AT = ("lines", "colours", "shapes", "patterns")
# By what units are judged that nobody has named, and in which ways.
JUDGED = {"their patches": {"patches"}, "their pictures": {"class", "kin"}}
# So many themes besides its own are told of a layer.
OTHERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonUnit:
    """A unit that shows what its chapter is about. peaks: how many it has. classes: those it fires most for."""

    shows: UnitShows
    peaks: int
    classes: tuple[str, ...]

    @property
    def unit(self) -> int:
        return self.shows.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUnits:
    """What is known of a layer's units. of: how many were asked: all, or those whose patches were compared."""

    of: int
    units: tuple[UnitShows, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One layer of the lesson. place: 1 is the first. theme: None where nothing is known of its units. sentence: what
    this depth sees. tiles: whether any of its units has tiles."""

    place: int
    layer: AtlasLayerRecord
    theme: Theme | None
    title: str
    sentence: str
    units: tuple[LessonUnit, ...]
    tiles: bool


def chapters(file: Reader) -> tuple[Chapter, ...]:
    """The chapters, first layer first; none of an atlas that holds no layers yet."""
    layers = chapter_layers(file)
    known = [known_units(file, layer) for layer in layers]
    themes = themes_of([shares(ones) for ones in known])
    return tuple(
        _chapter(file, place, layer, theme, ones, again=theme in themes[: place - 1])
        for place, (layer, theme, ones) in enumerate(zip(layers, themes, known, strict=True), start=1)
    )


def chapter_layers(file: Reader) -> tuple[AtlasLayerRecord, ...]:
    """At most five layers, evenly from the first to the last: those with projections; else with a map and tiles; else
    with tiles; else any."""
    every = file.layers
    tiled = [layer for layer in every if units_with_tiles(file, layer)]
    ways = (
        [layer for layer in tiled if layer.method], [layer for layer in tiled if layer.record.map], tiled, list(every)
    )  # fmt: skip
    found = next((way for way in ways if way), [])
    places = np.linspace(0, len(found) - 1, min(MOST_CHAPTERS, len(found)))
    return tuple(found[place] for place in sorted({round(place) for place in places}))


def units_with_tiles(file: Reader, layer: AtlasLayerRecord) -> frozenset[int]:
    """The units of a layer that have patches here, or projections by the layer's own method."""
    own = file.units_with_sheets(layer.id, "projections", layer.method or "", first_view(file.run))
    return file.units_with_sheets(layer.id, "patches") | own


def known_units(file: Reader, layer: AtlasLayerRecord) -> KnownUnits:
    """What is known of a layer's units: by their names; in an early layer without any by patches; else by pictures."""
    live = frozenset(live_units(file.all_peaks(layer.id)).tolist())
    named = named_by(file, layer, live)
    if not named and is_early(file, layer):
        seen = _compared(file, layer, live)
        if clear := tuple(one for one in seen if one.theme is not None):
            return KnownUnits(of=len(seen), units=clear)
    return KnownUnits(of=layer.record.units, units=named or shown_by(file, layer, live))


def shares(known: KnownUnits) -> dict[str, float]:
    """Of the units that were asked the share that answers to each theme, of those that three units or more answer to.

    Where no theme has as many, of all.
    """
    counts = Counter(one.theme.name for one in known.units if one.theme is not None)
    enough = {name: count for name, count in counts.items() if count >= UNITS} or counts
    return {name: count / known.of for name, count in enough.items()}


def themes_of(found: Sequence[Mapping[str, float]]) -> tuple[Theme | None, ...]:
    """The theme of each chapter: together they say the most that is new. found: shares by theme, chapter by chapter.

    New is by how much a share exceeds the mean of the chapters before; told a second time, that counts half.
    """
    gains = [
        {name: share - sum(one.get(name, 0.0) for one in found[:place]) / max(place, 1) for name, share in here.items()}
        for place, here in enumerate(found)
    ]

    def total(names: Sequence[str]) -> float:
        worth = 0.0
        for place, name in enumerate(names):
            gain = gains[place][name] if name else 0.0
            worth += gain * AGAIN if name in names[:place] and gain > 0 else gain
        return worth

    choices = [[name for name in THEMES if name in here] or [""] for here in gains]
    best = max(product(*choices), key=total, default=())
    return tuple(THEMES.get(name) for name in best)


def theme_of_layer(known: Iterable[UnitShows]) -> Theme | None:
    """What a layer alone is about: what most of its units answer to; of as many, the higher level."""
    counts = Counter(one.theme.name for one in known if one.theme is not None)
    return max((THEMES[name] for name in counts), key=lambda theme: (counts[theme.name], theme.level), default=None)


def chosen_units(
    file: Reader, layer: AtlasLayerRecord, theme: Theme | None, known: Iterable[UnitShows], count: int
) -> tuple[UnitShows, ...]:
    """Units that show a theme, each another thing: first those whose peaks agree most, then by their score; then of the
    themes nearest to it."""
    level = theme.level if theme is not None else 0
    by_theme: dict[str, list[UnitShows]] = {}
    for one in known:
        if one.theme is not None:
            by_theme.setdefault(one.theme.name, []).append(one)
    order = sorted(by_theme, key=lambda name: (
        theme is None or name != theme.name, abs(THEMES[name].level - level), [*THEMES].index(name)
    ))  # fmt: skip
    chosen: dict[str, UnitShows] = {}
    for name in order:
        if len(chosen) < count:
            for one in _agreeing(file, layer, by_theme[name], looked=name in LOOKED_AT):
                chosen.setdefault(one.thing or str(one.unit), one)
    return tuple(chosen.values())[:count]


def _agreeing(file: Reader, layer: AtlasLayerRecord, units: Sequence[UnitShows], *, looked: bool) -> list[UnitShows]:
    """In the order in which they are chosen. looked: the patches of the best named are compared first."""
    best = sorted(units, key=_order)
    if looked:
        best = [one if one.by == "patches" else looked_at(file, layer, one) for one in best[:LOOKED]]
    return sorted(best, key=_order)


def _order(one: UnitShows) -> tuple[float, float, int]:
    # To a hundredth: agreement measured on nine patches is no finer.
    return -round(one.alike, 2), -one.score, one.unit


def _compared(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> list[UnitShows]:
    """Units without names, those whose patches have most in common first."""
    picked = sample(file, layer, np.array(sorted(units), np.int64), COMPARED, SEED)
    return sorted((looked_at(file, layer, UnitShows(unit=unit)) for unit in picked), key=_order)


def _chapter(
    file: Reader, place: int, layer: AtlasLayerRecord, theme: Theme | None, known: KnownUnits, *, again: bool
) -> Chapter:
    """again: a chapter before it has the same theme."""
    tiles, live = units_with_tiles(file, layer), live_units(file.all_peaks(layer.id)).tolist()
    held = tiles or frozenset(live)
    chosen = list(chosen_units(file, layer, theme, [one for one in known.units if one.unit in held], UNITS))
    if len(chosen) < UNITS:
        taken = {one.unit for one in chosen}
        rest = [unit for unit in live if unit in held and unit not in taken]
        chosen += (_compared(file, layer, rest) or [UnitShows(unit=unit) for unit in rest])[: UNITS - len(chosen)]
    classes = favourites(file, layer, [one.unit for one in chosen])
    return Chapter(
        place=place,
        layer=layer,
        theme=theme,
        title=(f"{theme.title}, {theme.again}" if again else theme.title) if theme is not None else "Not named yet",
        sentence=_sentence(file, layer, theme, known),
        units=tuple(
            LessonUnit(shows=one, peaks=len(file.peaks(layer.id, one.unit)), classes=classes.get(one.unit, ()))
            for one in chosen
        ),
        tiles=bool(tiles),
    )


def _sentence(file: Reader, layer: AtlasLayerRecord, theme: Theme | None, known: KnownUnits) -> str:
    """What this depth sees, in one sentence."""
    field, (height, width) = layer.record.field, (file.run.input.height, file.run.input.width)
    rows, cols = float(field.rows.size), float(field.cols.size)
    if field.sees_all or (rows >= height and cols >= width):
        seen = "A unit here can see the whole picture"
    else:
        seen = f"A unit here sees {rows:g} × {cols:g} px of the picture's {height} × {width}"
    return f"{seen}; {_answered(file, layer, theme, known)}."


def _answered(file: Reader, layer: AtlasLayerRecord, theme: Theme | None, known: KnownUnits) -> str:
    if not images_of_layer(file, layer):
        return "the build has not come to this layer yet"
    if not len(live_units(file.all_peaks(layer.id))):
        return "none was ever above zero"
    if theme is None:
        compared = file.units_with_sheets(layer.id, "patches")
        alike = ", so these are some whose patches are most alike" if compared else ""
        return f"nobody has named this layer's units{alike}"
    how = {one.by for one in known.units if one.theme == theme}
    counts = Counter(one.theme.name for one in known.units if one.theme is not None)
    own = counts.pop(theme.name)
    more = [f"{count:,} to {THEMES[name].seen}" for name, count in counts.most_common(OTHERS)]
    verb = "answers" if own == 1 else "answer"
    judged = next((words for words, ways in JUDGED.items() if how <= ways), "")
    unnamed = f"nobody has named this layer's units, but judged by {judged}, " if judged else ""
    units = counted(known.of, "unit")
    return unnamed + ", ".join([f"of {units} {own:,} {verb} to {theme.seen}", *more])
