"""The plate: for each unit a gray grid of projections beside the grid of patches, as in Figure 2 of the paper.

Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2013. The overview is the same for all layers at
once, a few units of each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.errors import UsageError
from layerscope.core.numbers import in_words
from layerscope.facts.layer import live_units, sample
from layerscope.facts.run import images_of_layer
from layerscope.facts.standing import names_shown
from layerscope.facts.wrapping import Reader
from layerscope.figures import words
from layerscope.figures.gather import ChosenUnits, check_view, choose_method, choose_units, patches, projections
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Panel

FEW = 6  # so many units get large tiles
SMALL_SIDE = 24  # tiles up to this side lose nothing when drawn small


def plate(
    file: Reader,
    layer: str,
    *,
    units: Iterable[int] | None = None,
    count: int = 16,
    seed: int = 0,
    method: str | None = None,
    view: str = "natural",
    shared_scale: bool = False,
    columns: int | None = None,
    captions: bool = True,
) -> Sheet:
    """Units of one layer: projections left, patches right, best first, row by row.

    units: their numbers, in the order to be shown; None for a seeded sample of `count` units that have a peak.
    method: None for the layer's own. shared_scale: the tiles of a unit on one scale, so that weak ones are paler.
    columns: pairs a row. captions: False leaves title and caption to the paper that the plate goes into.
    Raises UsageError for a layer, unit, method or view that the atlas does not hold.
    """
    shown = file.layer(layer)
    chosen_method = choose_method(file, shown, method)
    check_view(file, view)
    choice = choose_units(file, shown, units, count, seed)
    images, named = images_of_layer(file, shown), names_shown(file, shown)
    panels = tuple(
        _pair(file, shown, unit, chosen_method, view, shared_scale, images, names=named) for unit in choice.units
    )
    return Sheet(
        panels=panels,
        columns=_columns(len(panels), shown.tile or 0, columns),
        title=f"{shown.name} of {file.run.network}" if captions else "",
        caption=_caption(file, shown, choice, chosen_method, view, shared_scale) if captions else "",
        footer=words.footer(file) if captions else "",
        provenance=words.provenance(
            file, kind="plate", layer=shown.name, units=choice.units, seed=choice.seed, method=chosen_method, view=view
        ),
    )


def overview(file: Reader, count: int = 4, *, seed: int = 0, view: str = "natural") -> Sheet:
    """One row per layer, `count` seeded units each: how what units detect grows with depth.

    Raises UsageError where the atlas holds no layer with tiles, or not this view.
    """
    check_view(file, view)
    if count < 1:
        raise UsageError(f"an overview needs at least 1 unit a layer, got {count}")
    rows = [(layer, _overview_row(file, layer, count, seed, view)) for layer in file.layers if layer.tile is not None]
    shown = [layer for layer, row in rows if row]
    if not shown:
        why = "no unit was above zero in any image" if file.finished else "finish its build first"
        raise UsageError(f"this atlas holds no tiles to show: {why}")
    named = words.names_words(file, shown)
    methods = dict.fromkeys(layer.method for layer in shown if layer.method)
    own = [words.rule_words([layer for layer in shown if layer.method == method], method) for method in methods]
    return Sheet(
        panels=tuple(panel for _, row in rows for panel in row),
        columns=count,
        title=f"What the layers of {file.run.network} detect",
        caption=(
            f"Up to {in_words(count)} units of each layer, a seeded sample (seed {seed}) of those that have "
            f"a peak. For each, {_sides(file.run.k, True)} {words.images_words(file, shown[0])}. "
            f"View: {words.VIEWS.get(view, view)}; zero is mid-gray, each tile on a scale of its own. "
            f"{''.join(f'{sentence} ' for sentence in own if sentence)}"
            f"{words.meaning_words(file, shown)}{f' {named}' if named else ''}"
        ),
        footer=words.footer(file),
        provenance=words.provenance(
            file, kind="overview", layers=[layer.name for layer in shown], count=count, seed=seed, view=view
        ),
    )


def _overview_row(file: Reader, layer: AtlasLayerRecord, count: int, seed: int, view: str) -> list[Panel]:
    units = sample(file, layer, live_units(file.all_peaks(layer.id)), count, seed)
    if not units:
        return []
    images, named = images_of_layer(file, layer), names_shown(file, layer)
    first, *rest = (_pair(file, layer, unit, layer.method, view, False, images, names=named, slots=2) for unit in units)
    shown = words.brief_method_words(file, layer) if layer.method else "patches only"
    note = f"{words.field_words(layer, file)}  ·  {shown}"
    return [replace(first, section=layer.name, section_note=note), *rest]


def _pair(
    file: Reader,
    layer: AtlasLayerRecord,
    unit: int,
    method: str | None,
    view: str,
    shared_scale: bool,
    images: int,
    *,
    names: Mapping[int, str],
    slots: int = 0,
) -> Panel:
    """One unit: its projections, where there are any, beside its patches."""
    name = names.get(unit, "")
    right = patches(file, layer, unit)
    parts = (right,)
    if method is not None:
        parts = (projections(file, layer, unit, method, view, shared_scale=shared_scale), right)
    if not file.peaks(layer.id, unit):
        parts = tuple(replace(part, note=words.dead_words(images)) for part in parts)
    return Panel(parts=parts, heading=f"unit {unit}{name and f': {name}'}", slots=slots)


def _columns(count: int, side: int, columns: int | None) -> int:
    """Pairs a row: two for few large tiles, four as the paper has in its second layer for the rest."""
    if columns is not None and columns < 1:
        raise UsageError(f"a plate needs at least 1 column, got {columns}")
    fitting = 2 if count <= FEW and side > SMALL_SIDE else 4
    return min(count, columns or fitting)


def _sides(k: int, projected: bool) -> str:
    """What stands left and right."""
    top = f"the {in_words(k)} images that excite it most" if k > 1 else "the image that excites it most"
    if not projected:
        return f"patches of {top}, best first, row by row."
    return f"projections of its highest activations (left) beside patches of {top} (right), best first, row by row."


def _caption(
    file: Reader, layer: AtlasLayerRecord, choice: ChosenUnits, method: str | None, view: str, shared_scale: bool
) -> str:
    opening = f"For each unit, {_sides(file.run.k, method is not None)}"
    field = f"{words.field_words(layer, file)}; tiles of {layer.tile} × {layer.tile} px." if layer.tile else ""
    field = field[:1].upper() + field[1:]
    ties = words.tie_words(file, layer, choice.units)
    gaps = words.gap_words(file, layer, choice.units)
    below = words.below_zero_words(file, layer, choice.units) if method is not None else ""
    called = names_shown(file, layer)
    named = words.names_words(file, [layer]) if any(unit in called for unit in choice.units) else ""
    sentences = [opening, named, words.choice_words(choice, layer), words.source_words(file, layer), gaps]
    sentences += [ties, below, field]
    if method is not None:
        sentences.append(words.method_words(layer, method, view, shared_scale))
        sentences.append(words.trust_words(file, layer, method))
    return " ".join(sentence for sentence in sentences if sentence)
