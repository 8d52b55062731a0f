"""What the first layers see, measured and put into short plain sentences.

A layer with filters of its own is read from them and from its units' patches; another early layer (its field covers
at most a quarter of the picture) from the patches alone. The bars between the words are set by hand, below.
"""

import numpy as np

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import line_words
from layerscope.core.concepts import Note
from layerscope.core.records import Input
from layerscope.dissect.filters import FilterSight, filter_sight
from layerscope.facts.patches import EARLY, MUCH, ORIENTED, SOMEWHAT, PatchSight, patch_sight

KIND = "describe"
# From where on a filter is called oriented. White noise of 7 x 7 px reaches 0.4.
ORIENTED_FILTER = 0.45
# Below this share of its energy, what tells colours apart in a filter does not count.
COLOURED = 0.15
# A filter whose mean holds more of its energy than this has no shape.
SHAPELESS = 0.8


def describe(file: AtlasFile) -> list[Note]:
    """A sentence or two about every unit of the first layers that can be read."""
    run = file.run
    return [note for layer in file.layers for note in _layer_notes(file, layer, run.input)]


def _layer_notes(file: AtlasFile, layer: AtlasLayerRecord, input: Input) -> list[Note]:
    weights = file.filters(layer.id)
    record = layer.record
    early = record.map is not None and record.field.share(input.height, input.width) <= EARLY
    if weights is None and not early:
        return []
    notes = []
    for unit in range(record.units):
        seen = None if weights is None else filter_sight(as_colours(weights[unit], input))
        patches = _patches(file, layer, unit)
        if seen is not None or patches is not None:
            notes.append(Note(layer=layer.name, unit=unit, kind=KIND, text=sentences(seen, patches)))
    return notes


def as_colours(weights: np.ndarray, input: Input) -> np.ndarray:
    """A filter [c, h, w] per px value, its channels red, green, blue; one channel for gray."""
    per_px = weights.astype(np.float64) / np.asarray(input.std)[:, None, None]
    return per_px[list(input.shown)]


def _patches(file: AtlasFile, layer: AtlasLayerRecord, unit: int) -> PatchSight | None:
    """The unit's patches compared; None where it has fewer than two."""
    sheet = file.sheet(layer.id, unit, "patches")
    count = len(file.peaks(layer.id, unit))
    return patch_sight(file.tiles(sheet)[:count]) if sheet is not None and count > 1 else None


def sentences(seen: FilterSight | None, patches: PatchSight | None) -> str:
    """What a unit responds to, then how its patches differ."""
    said = _filter_sentence(seen, patches) if seen is not None else _patches_sentence(patches)
    return f"{said} {_differences(patches)}".strip() if patches is not None else said


def _filter_sentence(seen: FilterSight, patches: PatchSight | None) -> str:
    colour_blind = seen.chroma < COLOURED
    colour = f", {_whatever(patches) or 'colour-blind'}" if colour_blind else ""
    turned = [_degrees(seen.angle)] if _has_direction(seen) else []
    numbers = ", ".join(turned + ([f"{seen.frequency:.2f} cycles per px"] if seen.frequency else []))
    return f"Responds to {_pattern(seen, colour_blind)}{f' ({numbers})' if numbers else ''}{colour}."


def _has_direction(seen: FilterSight) -> bool:
    return seen.uniform <= SHAPELESS and seen.oriented >= ORIENTED_FILTER


def _pattern(seen: FilterSight, colour_blind: bool) -> str:
    """What the filter looks for, as a noun."""
    against = f"{seen.colour} against {seen.opponent}"
    if seen.uniform > SHAPELESS:
        return ("light" if seen.light else "dark") if colour_blind else against
    if _has_direction(seen):
        way = line_words(seen.angle)
        line = "line" if seen.even >= 0.5 else "edge"
        tone = ("light " if seen.light else "dark ") if line == "line" else ""
        if colour_blind:
            return f"a {way} {tone}{line}"
        if line == "edge":
            return f"a {way} edge between {seen.colour} and {seen.opponent}"
        return f"a {way} line, {against}"
    if seen.even < 0.5:
        return "a pattern without one direction" + ("" if colour_blind else f", {against}")
    return f"a {'light' if seen.light else 'dark'} blob" if colour_blind else f"a {seen.colour} blob, {against}"


def _patches_sentence(patches: PatchSight | None) -> str:
    assert patches is not None
    if patches.oriented < ORIENTED:
        return "Its patches share no direction."
    colour = _whatever(patches)
    said = f"Responds to a {line_words(patches.angle)} line or edge ({_degrees(patches.angle)})"
    return f"{said}, {colour}." if colour else f"{said}."


def _whatever(patches: PatchSight | None) -> str:
    return "whatever its colour" if patches is not None and patches.colour >= MUCH else ""


def _differences(patches: PatchSight) -> str:
    def word(value: float) -> str:
        return "much" if value >= MUCH else "somewhat" if value >= SOMEWHAT else "little"

    amounts = [f"{word(getattr(patches, name))} in {name}" for name in ("colour", "brightness", "texture")]
    return f"Its patches differ {', '.join(amounts[:2])} and {amounts[2]}."


def _degrees(angle: float) -> str:
    """Whole degrees, -90 as 90."""
    return f"{90 if round(angle) == -90 else round(angle)} degrees"
