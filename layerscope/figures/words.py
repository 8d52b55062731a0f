"""The sentences under a figure: what was looked at, how it was chosen and shown, and how far to trust it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.retention import Interval, KeptByMarks
from layerscope.core.concept_words import CLOSEST, NOT_CLOSE, closest_words, concept_words
from layerscope.core.geometry import Field
from layerscope.core.numbers import percent, signed_percent
from layerscope.facts.layer import MOSTLY, OWN, PARTLY, TELLING
from layerscope.facts.run import images_of_layer
from layerscope.facts.standing import at_peaks, names_shown, standing_of
from layerscope.facts.unit import concept_of
from layerscope.facts.wrapping import Reader
from layerscope.figures.gather import ChosenUnits

SPECIFICITY_MEANING = (
    "Specificity is one minus the median cosine of the projections of two different active units at one place: near 0 "
    "they show mostly the picture, near 1 mostly the unit."
)
RETENTION_MEANING = (
    "Kept: the share of a unit's activation that stays where only the 15 % of its field that the projection marks most "
    "are left, and the rest is painted over; beside it, what 15 % on edges of the picture keep, and 15 % at random."
)
NAMES_MEANING = f"Names: the {CLOSEST}, whose known places a unit follows best, where a dissection found one."
PEAKS_MEANING = "Where that does not stand an intervention: how many of its peaks show which kinds of things."
# What a rule of this house does to the signal, by the rule's word; docs/mathematics.md derives them.
OWN_RULES = {
    "own": "rectified",
    "both": "rectified, times its secant slope",
    "secant": "times its secant slope",
    "factor": "as a constant factor",
    "bounds": "as its bounds say",
}
VIEWS = {
    "natural": "natural (seen through the colours and frequencies of the images)",
    "signal": "signal (the network's own input space)",
}


def field_words(layer: AtlasLayerRecord, file: Reader) -> str:
    """A layer's receptive field in words."""
    return seen_words(layer.record.field, (file.run.input.height, file.run.input.width))


def seen_words(seen: Field, input_size: tuple[int, int]) -> str:
    """A receptive field in words. input_size: height and width of the network's input, px."""
    if seen.sees_all:
        return "field: the whole picture"
    share = percent(seen.share(*input_size))
    return f"field {float(seen.rows.size):g} × {float(seen.cols.size):g} px, {share} of the picture"


def source_words(file: Reader, layer: AtlasLayerRecord) -> str:
    """Which images, how many of them, and how many peaks were kept."""
    return f"{images_words(file, layer)}; k = {file.run.k}, at most one peak per image."


def images_words(file: Reader, layer: AtlasLayerRecord) -> str:
    """How many images were scanned, of which, and whether copies were left out."""
    copies = file.copies_left_out()
    left_out = f", {copies:,} {'copy' if copies == 1 else 'copies'} left out" if copies else ""
    return f"Images: {images_of_layer(file, layer):,} of {file.run.images}{left_out}"


def choice_words(choice: ChosenUnits, layer: AtlasLayerRecord) -> str:
    """How the units were chosen, and how many of the layer's are dead."""
    total = layer.record.units
    if choice.seed is None:
        how = f"Units: as asked for, {len(choice.units)} of {total:,}"
    elif len(choice.units) == choice.live:
        how = f"Units: all {choice.live:,} that have a peak"
    else:
        how = f"Units: {len(choice.units)} of {total:,}, a seeded sample (seed {choice.seed}) of those that have a peak"
    if choice.dead:
        verb = "is" if choice.dead == 1 else "are"
        return f"{how}; {choice.dead:,} of the layer's {total:,} {verb} never above zero."
    return f"{how}."


def method_words(layer: AtlasLayerRecord, method: str, view: str, shared_scale: bool) -> str:
    """The method and why it, the view, and the scale of gray."""
    if method == layer.method:
        why = f" ({layer.method_why.rstrip('.')})" if layer.method_why else ""
    else:
        why = f" (as asked for; this layer's own is {layer.method})"
    scale = "all tiles of a unit on one scale" if shared_scale else "each tile on a scale of its own"
    own = rule_words([layer], method)
    return f"Method: {method}{why}. {own}{own and ' '}View: {VIEWS.get(view, view)}; zero is mid-gray, {scale}."


def rule_words(layers: Iterable[AtlasLayerRecord], method: str) -> str:
    """Through what the method goes by rules that no paper states, and which these are; empty where by none."""
    through: dict[str, dict[str, None]] = {}
    for used_by, operation, word in (rule for layer in layers for rule in layer.record.own_rules):
        if used_by == method:
            through.setdefault(OWN_RULES.get(word, word), {})[operation] = None
    listed = "; ".join(f"{', '.join(operations)} ({does})" for does, operations in through.items())
    return f"By rules that no paper states, {method} goes back through {listed}." if listed else ""


def trust_words(file: Reader, layer: AtlasLayerRecord, method: str) -> str:
    """What the pixels that a projection marks keep of its unit's activation, beside edges, random ones and another
    unit's; where that was not measured, its specificity."""
    found = file.retention(layer.id, method)
    if found is None:
        return f"Retention: not measured. {specificity_words(file, layer, method)}"
    edges, random = percent(found.edges.mean), percent(found.random.mean)
    kept = (
        f"Retention {percent(found.own.mean)} ({_span(found.own)}, n = {found.n}): so much of a unit's activation is "
        f"left where only the 15 % of its field that {method} marks most are kept and the rest is painted over; "
        f"15 % on edges of the picture keep {edges}, 15 % at random {random}."
    )
    if found.partner is None or found.selectivity is None:
        return f"{kept} Selectivity: not measured, no two units were above zero at one place."
    return (
        f"{kept} Selectivity {signed_percent(found.selectivity.mean)} ({_span(found.selectivity)}, n = {found.pairs}): "
        f"what is marked for another unit active there keeps {percent(found.partner.mean)}, so "
        f"{_whose(found.selectivity)}."
    )


def _span(of: Interval) -> str:
    return f"{signed_percent(of.low).removesuffix(' %')} to {signed_percent(of.high)}"


def _whose(selectivity: Interval) -> str:
    if selectivity.low <= 0:
        return "which of the two is meant cannot be told from the marks"
    if selectivity.mean < PARTLY:
        return "the marks say little of which of the two is meant"
    if selectivity.mean < MOSTLY:
        return "the marks are partly this unit's own"
    return "the marks are mostly this unit's own"


def kept_words(kept: Sequence[KeptByMarks]) -> str:
    """What a unit's own marks keep of its first peak, by each method, in a sentence; empty where that is not known."""
    if not kept:
        return ""
    own = ", ".join(f"{signed_percent(one.own)} by {one.method}" for one in kept)
    return (
        f"Of its first peak the marked 15 % of the field keep {own}; as many random px keep "
        f"{signed_percent(kept[0].random)}."
    )


def meaning_words(file: Reader, layers: Iterable[AtlasLayerRecord]) -> str:
    """What the numbers are that stand with each layer's method."""
    known = any(file.retention(layer.id, layer.method) is not None for layer in layers)
    return RETENTION_MEANING if known else SPECIFICITY_MEANING


def specificity_words(file: Reader, layer: AtlasLayerRecord, method: str) -> str:
    """How much a projection says about its unit, measured; and what the number means."""
    found = file.specificity(layer.id, method)
    if found is None:
        return "Specificity: not measured."
    return (
        f"Specificity {_to_two(found.median)}: at one place, the projections of two different active units differ by "
        f"this much (one minus the median cosine, n = {found.n}), so {_trust(found.median)}."
    )


def brief_method_words(file: Reader, layer: AtlasLayerRecord) -> str:
    """A layer's own method and what its marks keep, in a few words; its specificity where that was not measured."""
    kept = file.retention(layer.id, layer.method)
    if kept is not None:
        beside = f"edges {percent(kept.edges.mean)}, random {percent(kept.random.mean)}"
        return f"{layer.method}, kept {percent(kept.own.mean)} ({beside})"
    found = file.specificity(layer.id, layer.method)
    measured = f"specificity {_to_two(found.median)}" if found else "specificity not measured"
    return f"{layer.method}, {measured}"


def _to_two(median: float) -> str:
    """Two decimals; three where two would hide the difference from 0."""
    return f"{median:.2f}" if abs(median) >= 0.05 else f"{median:.3f}"


def tie_words(file: Reader, layer: AtlasLayerRecord, units: Sequence[int]) -> str:
    """What is to be said where the peaks of many units are all equal: they stand at the activation's ceiling."""
    peaks = file.all_peaks(layer.id)
    shown = peaks.value[list(units)]
    tied = int((np.isfinite(shown[:, -1]) & (shown[:, 0] == shown[:, -1])).sum()) if file.run.k > 1 else 0
    if not tied:
        return ""
    whose = "this unit" if len(units) == 1 else f"{tied} of these units"
    return (
        f"All peaks of {whose} are equal: the activation is at its ceiling there, and the images stand in their own "
        "order, not in one of strength."
    )


def gap_words(file: Reader, layer: AtlasLayerRecord, units: Sequence[int]) -> str:
    """What is to be said where units have some peaks and not all: the places without one are empty."""
    had = np.isfinite(file.all_peaks(layer.id).value[list(units)]).sum(1)
    fewer = int(((had > 0) & (had < file.run.k)).sum())
    if not fewer:
        return ""
    who = (
        "this unit has its"
        if len(units) == 1
        else f"{fewer} of these units {'has its' if fewer == 1 else 'have their'}"
    )
    return f"Places without a picture: {who} peaks in fewer than {file.run.k} images."


def below_zero_words(file: Reader, layer: AtlasLayerRecord, units: Sequence[int]) -> str:
    """What is to be said where even the highest activations of units are below zero: tiles without a signal."""
    best = file.all_peaks(layer.id).value[list(units), 0]
    below = int((np.isfinite(best) & (best < 0)).sum())
    if not below:
        return ""
    whose = "this unit" if len(units) == 1 else f"{below} of these units"
    return f"Even the highest activations of {whose} are below zero: where a method rectifies, nothing is left of them."


def _trust(median: float) -> str:
    if median < TELLING:
        return "they show mostly the picture, little of this unit"
    if median < OWN:
        return "they show partly the picture, partly this unit"
    return "they show mostly what is this unit's own"


def named_words(file: Reader, layer: AtlasLayerRecord, unit: int) -> str:
    """What a dissection found of one unit, and what is said of it; empty where there is neither."""
    parts = [note.text for note in file.notes(layer.id) if note.unit == unit]
    found = concept_of(file.concepts(layer.id), unit)
    if found is not None and found.best is not None:
        best = found.best
        numbers = ", ".join(filter(None, (best.kind, f"score {best.score:.2f}", f"IoU {best.iou:.2f}")))
        standing = standing_of(file, layer.name, unit, best)
        if standing is not None and standing.kinds:
            parts.insert(0, f"At its peaks: {standing.kinds} (by overlap {concept_words(best.concept)}, {numbers}).")
        else:
            said = f"; {standing.verdict}" if standing is not None else ""
            parts.insert(0, f"{closest_words(best.concept, begins=True)} ({numbers}{said}).")
    elif found is not None:
        parts.insert(0, f"{NOT_CLOSE.capitalize()}.")
    return " ".join(parts)


def names_words(file: Reader, layers: Iterable[AtlasLayerRecord]) -> str:
    """What the names of units in a figure mean, where these layers have any."""
    every = list(layers)
    doubtful = any(at_peaks(file, layer) for layer in every)
    named = any(names_shown(file, layer) for layer in every)
    return f"{NAMES_MEANING} {PEAKS_MEANING}" if doubtful else NAMES_MEANING if named else ""


def dead_words(images: int) -> str:
    """What is said of a unit without a peak."""
    return f"never above zero in {images:,} images"


def footer(file: Reader) -> str:
    """What made the atlas, in small type."""
    made = f"layerscope {file.run.versions['layerscope']}" if "layerscope" in file.run.versions else "layerscope"
    state = "" if file.run.finished else " (unfinished)"
    prints = ", ".join(f"{key} {str(value)[:8]}" for key, value in file.run.fingerprint.items() if _is_hash(value))
    return " · ".join(part for part in (made, f"atlas of {file.run.started[:10]}{state}", prints) if part)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 32


def provenance(file: Reader, **more: Any) -> Mapping[str, Any]:
    """What made a figure, as plain values: the run with all its fingerprints, and what the figure shows of it."""
    run = file.run
    plain = {name: getattr(run, name) for name in ("network", "images", "k", "started", "finished")}
    return {
        **plain,
        "settings": dict(run.settings),
        "fingerprint": dict(run.fingerprint),
        "versions": dict(run.versions),
        "figure": more,
    }
