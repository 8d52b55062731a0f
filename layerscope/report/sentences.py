"""What the numbers of a run say, in sentences: each is true of these figures, or it is not written.

The exceptions are said in the same words as what was hoped for.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from layerscope.core.concept_words import NOT_CLOSE, concept_words
from layerscope.core.numbers import counted, percent
from layerscope.lesson.themes import LEVELS
from layerscope.report.facts import Facts, LayerFacts, UnitFacts

MOST = 6  # concepts of a layer that are listed
# Where a baseline names what: the words before the count, and what is counted.
BASELINES = {
    "shuffled masks": ("with shuffled masks", "unit"),
    "random mixtures": ("with random mixtures in place of units", "mixture"),
    "untrained network": ("in the untrained network", "unit"),
}


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def of_layer(layer: LayerFacts) -> list[str]:
    """What one layer's units were found to detect."""
    side = f"{layer.field:g} × {layer.field:g} px"
    looked = f"Each unit of this layer looks at {side}, {100 * layer.share:.0f} % of the picture's side."
    return [looked, *_found(layer), *_dead(layer)]


def _found(layer: LayerFacts) -> list[str]:
    own, units = layer.figures, counted(layer.figures.units, "unit")
    if not own.detectors:
        return [f"None of {units} was found to detect a concept of these pictures."]
    levels = sorted(own.levels.items(), key=lambda item: (-item[1], item[0]))
    kinds = listed([f"{LEVELS.get(level, f'level {level}')} ({count})" for level, count in levels])
    most = listed([f"{concept_words(name)} ({count})" for name, count in list(layer.concepts.items())[:MOST]])
    return [
        f"{own.detectors:,} of {units} {_were(own.detectors)} found to detect a concept: {kinds}; the mean level is "
        f"{own.mean_concept_level:.2f}.",
        f"{'Most often' if len(layer.concepts) > MOST else 'The concepts'}: {most}.",
    ]


def _dead(layer: LayerFacts) -> list[str]:
    dead = layer.figures.dead
    return [f"{counted(dead, 'unit')} {_were(dead)} never above zero."] if dead else []


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def of_unit(unit: UnitFacts) -> str:
    """A unit's name, as under its pictures."""
    if unit.concept is None:
        return f"unit {unit.unit}: {NOT_CLOSE}"
    numbers = f"level {unit.level}, score {unit.score:.2f}"
    if unit.standing is not None and unit.standing.kinds:
        return f"unit {unit.unit}: {unit.standing.kinds} (by overlap {concept_words(unit.concept)}, {numbers})"
    said = f"unit {unit.unit}: {concept_words(unit.concept)} ({numbers})"
    return f"{said}, {unit.standing.verdict}" if unit.standing is not None else said


def of_run(facts: Facts) -> list[str]:
    """Whether what layers detect rises with depth, in every training, and how it compares with nothing learned."""
    against = (_against(facts, name) for name in facts.baselines)
    return [_rise(facts), *against, *(_stand(facts, name) for name in facts.tried), *_falls(facts), *_equalled(facts)]


def _stand(facts: Facts, name: str) -> str:
    """How many names stand an intervention: of the trained network, of another training or of a baseline."""
    layers = [layer.standing[name] for layer in facts.layers]
    named, judged, both = (sum(getattr(one, what) for one in layers) for what in ("named", "judged", "both"))
    one_by_one = listed([f"{one.both}" for one in layers])
    return (
        f"Of the names of the {name}, {named:,} by overlap, {judged:,} could be tried by taking their concept out of "
        f"pictures and showing it alone; {both:,} {'stands' if both == 1 else 'stand'} both tests: layer by layer "
        f"{one_by_one}."
    )


def _means(facts: Facts, training: int) -> list[float | None]:
    return [layer.trainings[training].mean_concept_level for layer in facts.layers]


def _rise(facts: Facts) -> str:
    first, last = facts.layers[0], facts.layers[-1]
    ends = [(means[0], means[-1]) for means in (_means(facts, training) for training in range(facts.trainings))]
    known = [(a, b) for a, b in ends if a is not None and b is not None]
    if not known:
        return f"No mean concept level goes from layer {first.place} to layer {last.place}: one of them names no unit."
    rising = sum(b > a for a, b in known)
    values = listed([f"{a:.2f} to {b:.2f}" for a, b in known])
    if facts.trainings > 1:
        verb = f"rises in {rising} of {facts.trainings} trainings"
    else:
        verb = "rises" if rising else "does not rise"
    return f"From layer {first.place} to layer {last.place} the mean concept level {verb}: {values}."


def _against(facts: Facts, name: str) -> str:
    """How many units a baseline names, and whether their level rises too."""
    own = sum(layer.figures.detectors for layer in facts.layers)
    other = sum(layer.baselines[name].detectors for layer in facts.layers)
    ends = [facts.layers[place].baselines[name].mean_concept_level for place in (0, -1)]
    words = _named(name, other)
    count = f"{words[0].upper()}{words[1:]}, against {counted(own, 'unit')} of the trained network"
    if None in ends:
        return f"{count}."
    return f"{count}; their mean level goes from {ends[0]:.2f} to {ends[1]:.2f}."


def _named(baseline: str, count: int) -> str:
    """In the untrained network 63 units are named."""
    lead, noun = BASELINES.get(baseline, (f"by the baseline \u201c{baseline}\u201d", "unit"))
    return f"{lead} {counted(count, noun)} {'is' if count == 1 else 'are'} named"


def _falls(facts: Facts) -> Iterator[str]:
    """Where the mean level falls from one layer to the next."""
    for training in range(facts.trainings):
        which = f" in training {training + 1}" if facts.trainings > 1 else ""
        pairs = zip(facts.layers, _means(facts, training), strict=True)
        known = [(layer.place, mean) for layer, mean in pairs if mean is not None]
        for (before, a), (after, b) in pairwise(known):
            if b < a:
                words = f"from layer {before} to layer {after} the mean level falls{which}, {a:.2f} to {b:.2f}"
                yield f"Exception: {words}."


def _equalled(facts: Facts) -> Iterator[str]:
    """Where a baseline names as many units as the trained network."""
    for layer in facts.layers:
        for name, figures in layer.baselines.items():
            if figures.detectors >= max(layer.figures.detectors, 1):
                words = f"in layer {layer.place}, {_named(name, figures.detectors)}"
                yield f"Exception: {words}, no fewer than the trained network's {layer.figures.detectors:,}."


def of_trust(layer: LayerFacts) -> str:
    """What the projections' marks keep of an activation; where that was not measured, how far they differ."""
    kept = [f"{percent(one.own.mean)} ({method})" for method, one in layer.retention.items()]
    if kept:
        one = next(iter(layer.retention.values()))
        return (
            f"The 15 % of a field that a projection marks most keep {listed(kept)} of the activation; 15 % on edges "
            f"keep {percent(one.edges.mean)}, 15 % at random {percent(one.random.mean)}."
        )
    known = [f"{value:.2f} ({method})" for method, value in layer.specificity.items()]
    return f"Specificity of the projections: {listed(known)}." if known else ""
