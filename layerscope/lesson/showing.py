"""What a unit shows, by all that an atlas knows of it, and how far its peaks agree: what a lesson chooses units by.

The first of these that an atlas knows of a layer: concepts (and what is drawn at the peaks where their names are
doubtful), labels, words, the classes of the peaks' images, or how alike the network finds these; and of any unit what
its patches themselves have in common.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.again import GROUND
from layerscope.core.concept_words import concept_phrase, turned
from layerscope.core.concepts import ConceptScore, Intervention, UnitInterventions
from layerscope.core.errors import NotAnAtlas
from layerscope.core.numbers import in_words, percent
from layerscope.facts.cached import derived
from layerscope.facts.layer import class_counts, guesses
from layerscope.facts.patches import EARLY, MUCH, PatchSight, likeness, patch_sight, reduced
from layerscope.facts.standing import peaks_words, standing_in, units_of
from layerscope.facts.wrapping import Reader
from layerscope.lesson.kinship import Kin, kinship
from layerscope.lesson.majorities import highest_ratios, majorities
from layerscope.lesson.sights import clearest
from layerscope.lesson.themes import THEMES, Theme, theme_of

# The share of its peaks from which on they say what a unit shows, whatever it is called.
AGREED = 2 / 3
# Gray levels between mean colours at which patches have nothing of a colour in common.
UNLIKE = 128.0
# An edge is as it is called where its patches lie within so many degrees of that.
NEAR = 22.5
TOLD_KINDS = 3
# Patches that correlate by less have nothing of a shape in common that could be seen.
LIKE = 0.25
# Patches are compared at about so many px a side: a page waits for it.
SMALL = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShows:
    """What a unit shows. by: what says so, "concept", "peaks", "label", "word", "class", "kin", "patches", or ""
    where nothing does. thing: under the name that the atlas has for it, "" without; phrase: as it stands in a sentence.
    alike: how far its peaks agree, 0..1, about. score: of the name. because: what speaks for it, in a sentence; ""."""

    unit: int
    by: str = ""
    thing: str = ""
    theme: Theme | None = None
    phrase: str = ""
    alike: float = 0.0
    score: float = 0.0
    because: str = ""


def shown_by(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> tuple[UnitShows, ...]:
    """What these units show, as far as names and pictures say; units of which they say nothing are not there."""
    return named_by(file, layer, units) or tuple(_by_pictures(file, layer, units))


def named_by(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> tuple[UnitShows, ...]:
    """What these units show by their names; none where nobody has named a unit of the layer."""
    found = next((found for ask in (_by_concepts, _by_labels, _by_words) if (found := ask(file, layer))), ())
    return tuple(one for one in found if one.unit in units)


def _by_concepts(file: Reader, layer: AtlasLayerRecord) -> list[UnitShows]:
    tried = file.interventions()
    units, levels, found = units_of(tried, layer.name), _levels(file), list[UnitShows]()
    for unit, best in guesses(file.concepts(layer.id)).items():
        changed = units[unit] if unit < len(units) else UnitInterventions(unit=unit)
        standing = standing_in(tried, layer.name, unit, best)
        if standing is not None and standing.kinds:
            # The name is doubtful: the unit shows what most of its peaks do; else, if that is a shape in different
            # things, this shape; else nothing that has a name.
            seen = _by_peaks(changed, best.score, levels) or _in_different_things(best, changed)
            found += [seen] if seen is not None else []
        else:
            found.append(_by_name(best, changed))
    return found


def _by_name(best: ConceptScore, changed: UnitInterventions) -> UnitShows:
    """A unit whose name will do."""
    theme, phrase = theme_of(best.concept, best.level, best.category), concept_phrase(best.concept)
    one, (count, total) = changed.of(best.concept), _showing(changed, best.concept)
    # What is drawn in the middle of a patch tells of a thing that it is there; of a part, of what; of a line nothing.
    share = count / total if total and theme.level >= THEMES["patterns"].level else 0.0
    of_one = max((n for kind, n in changed.kinds if kind != GROUND), default=0) / (total or 1)
    passed = (one.necessary + one.sufficient) / 2 if one is not None else 0.0
    if share >= max(passed, AGREED):
        because = _counted(count, total, f"show {phrase}")
    else:
        because = _tested(one) or _overlap(best)
    return UnitShows(
        unit=changed.unit, by="concept", thing=best.concept, theme=theme, phrase=phrase,
        alike=max(share, passed, of_one if theme == THEMES["parts"] else 0.0),
        score=best.score, because=because,
    )  # fmt: skip


def _by_peaks(
    changed: UnitInterventions, score: float, levels: Mapping[str, tuple[int | None, str]]
) -> UnitShows | None:
    """A unit that shows what most of its peaks do; None where they do not agree."""
    things = [kind for kind in changed.kinds if kind[0] != GROUND]
    if not things:
        return None
    thing, count = max(things, key=lambda kind: kind[1])
    total = sum(number for _, number in changed.kinds)
    if count / total < AGREED:
        return None
    phrase = concept_phrase(thing)
    return UnitShows(
        unit=changed.unit, by="peaks", thing=thing, theme=theme_of(thing, *levels.get(thing, (None, ""))),
        phrase=phrase, alike=count / total, score=score, because=_counted(count, total, f"show {phrase}"),
    )  # fmt: skip


def _in_different_things(best: ConceptScore, changed: UnitInterventions) -> UnitShows | None:
    """A shape or a pattern at peaks in several kinds of things: only overlap speaks for it, and their being several.

    None where another concept stands: then the shape is a part of that.
    """
    one = _by_name(best, changed)
    if one.theme not in (THEMES["shapes"], THEMES["patterns"]) or any(tried.stands for tried in changed.tried):
        return None
    seen = peaks_words(changed.kinds, TOLD_KINDS)
    return replace(one, because=f"Overlap {best.score:.2f} above chance, in different things: {seen}.")


def _overlap(best: ConceptScore) -> str:
    return f"The unit fires where pictures show it: overlap {best.score:.2f} above chance."


def _levels(file: Reader) -> dict[str, tuple[int | None, str]]:
    """Of every concept that ranks anywhere its level and category."""
    ranked = (score for layer in file.layers for unit in file.concepts(layer.id) for score in unit.ranked)
    return {score.concept: (score.level, score.category) for score in ranked}


def _showing(changed: UnitInterventions, concept: str) -> tuple[int, int]:
    """How many of a unit's peaks show a concept, of how many."""
    return dict(changed.kinds).get(concept, 0), sum(count for _, count in changed.kinds)


def _tested(one: Intervention | None) -> str:
    """What became of the unit when its concept was taken out or stood alone; "" where it passed neither."""
    said = []
    if one is not None and one.necessity is not None and one.necessary:
        said.append(f"taken out of pictures, it takes {percent(one.necessity.gone)} of the activation with it")
    if one is not None and one.sufficiency is not None and one.sufficient:
        said.append(f"alone on plain ground, it takes the unit to {percent(one.sufficiency.reached)} of its ninth peak")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _counted(count: int, total: int, rest: str) -> str:
    """ "All nine patches show a snail.", "Eight of nine patches show a snail." """
    words = f"All {in_words(total)}" if count == total else f"{in_words(count).capitalize()} of {in_words(total)}"
    return f"{words} patches {rest}."


def _by_labels(file: Reader, layer: AtlasLayerRecord) -> list[UnitShows]:
    why = "It fires more for images with this label than for others"
    named = ((one.unit, one.best) for one in file.labels(layer.id) if one.best is not None)
    return [_by_ranks(unit, "label", best.label, best.auc, why) for unit, best in named]


def _by_words(file: Reader, layer: AtlasLayerRecord) -> list[UnitShows]:
    why = "It fires more for the images nearest to this word than for others"
    named = ((one.unit, one.best) for one in file.words(layer.id) if one.best is not None)
    return [_by_ranks(unit, "word", best.word, best.auc, why) for unit, best in named]


def _by_ranks(unit: int, by: str, thing: str, auc: float, why: str) -> UnitShows:
    return UnitShows(
        unit=unit, by=by, thing=thing, theme=THEMES["classes"], phrase=pictures_of(thing), alike=2 * auc - 1,
        score=auc, because=f"{why}: AUC {auc:.2f}.",
    )  # fmt: skip


def pictures_of(name: str) -> str:
    """A class, as it stands in a sentence."""
    return f"pictures of \N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def _by_pictures(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> list[UnitShows]:
    """Those of one class; of all others those whose pictures the network finds alike."""
    classed = by_class(file, layer, units)
    known = {one.unit for one in classed}
    return [*classed, *(_by_kin(unit, one) for unit, one in kinship(file, layer, units).items() if unit not in known)]


def _by_kin(unit: int, one: Kin) -> UnitShows:
    count = in_words(one.pictures)
    return UnitShows(
        unit=unit, by="kin", thing=f"kind {one.kind}", theme=THEMES["classes"], phrase="one kind of picture",
        alike=one.alike, score=one.alike - one.chance,
        because=f"Its {count} pictures excite other units alike, too: likeness {one.alike:.2f}, where {count} drawn at"
        f" random reach {one.chance:.2f} at most.",
    )  # fmt: skip


def by_class(file: Reader, layer: AtlasLayerRecord, units: Collection[int]) -> list[UnitShows]:
    """Of these units those of whose peaks more than half are of one class, those that follow a class most first."""
    classes, counts = class_counts(file, layer)
    if not classes:
        return []
    every = derived(file, ("majorities", layer.id), lambda: majorities(file, layer))
    found = {unit: one for unit, one in every.items() if unit in units}
    if not found:
        return []
    ratios = derived(file, ("highest ratios", layer.id), lambda: highest_ratios(file, layer, counts))
    return [
        UnitShows(
            unit=unit, by="class", thing=label, theme=THEMES["classes"], phrase=pictures_of(label),
            alike=count / peaks, score=float(ratios[unit]),
            because=_counted(count, peaks, "are cut from pictures of this class"),
        )
        for unit, (label, count, peaks) in sorted(found.items(), key=lambda one: (-ratios[one[0]], one[0]))
    ]  # fmt: skip


def looked_at(file: Reader, layer: AtlasLayerRecord, one: UnitShows) -> UnitShows:
    """The same, with what its patches say: of a line, a colour or a shape whether they agree, of a unit without a name
    what they show. A unit without patches stays as it is."""
    patches = patches_of(file, layer, one.unit)
    if patches is None:
        return one
    # Two that agree say less than nine.
    sight, full = patch_sight(patches), len(patches) / file.run.k
    if one.theme == THEMES["lines"]:
        # A border between two things has a direction, and any colours.
        whatever = ", whatever its colour" if sight.colour >= MUCH else ""
        return replace(one, alike=full * _directed(one.thing, sight), phrase=f"{one.phrase}{whatever}")
    if one.theme == THEMES["colours"]:
        return replace(one, alike=max(one.alike, full * (1 - min(sight.colour / UNLIKE, 1.0))))
    if one.theme in (THEMES["shapes"], THEMES["patterns"]):
        alike = full * likeness(patches)
        return replace(one, alike=max(one.alike, alike if alike >= LIKE else 0.0))
    return one if one.by else _by_patches(file, layer, one, patches, sight)


def _directed(edge: str, sight: PatchSight) -> float:
    """How far patches agree on the direction that an edge is called by."""
    away = turned(edge, sight.angle)
    return sight.oriented if away is None or away <= NEAR else 0.0


def _by_patches(
    file: Reader, layer: AtlasLayerRecord, one: UnitShows, patches: UInt8[np.ndarray, "k h w 3"], seen: PatchSight
) -> UnitShows:
    """A unit without a name: in early layers what its patches show most clearly, else how alike they are."""
    # Two that agree say less than nine.
    full, found = len(patches) / file.run.k, clearest(patches, seen) if is_early(file, layer) else None
    if found is None:
        return replace(one, alike=full * likeness(patches))
    sight, shown = found
    return replace(
        one, by="patches", thing=shown.thing, theme=sight.theme, phrase=shown.phrase, alike=full * shown.share,
        because=sight.because,
    )  # fmt: skip


def patches_of(file: Reader, layer: AtlasLayerRecord, unit: int) -> np.ndarray | None:
    """A unit's patches, uint8[k, h, w, 3], small; None where fewer than two are here, or none can be read: a page that
    shows the unit says why."""
    count = len(file.peaks(layer.id, unit))
    try:
        sheet = file.sheet(layer.id, unit, "patches")
        patches = None if sheet is None else reduced(file.tiles(sheet)[:count], SMALL)
    except NotAnAtlas:
        return None
    return patches if patches is not None and len(patches) > 1 else None


def is_early(file: Reader, layer: AtlasLayerRecord) -> bool:
    """Whether a layer sees so little of the picture that a direction in its patches is what its units answer to."""
    field = layer.record.field
    return not field.sees_all and field.share(file.run.input.height, file.run.input.width) <= EARLY
