"""Facts of a run made up by hand, and dissections of the small atlas: for tests of the report."""

from collections import Counter
from collections.abc import Mapping, Sequence

from layerscope.core.concepts import ConceptScore, Dissection, Figures, LayerDissection, LayerFigures, UnitConcept
from layerscope.report.facts import Facts, LayerFacts, UnitFacts

LEVELS = {"edge 0": 1, "red": 1, "ring": 2, "grid": 3, "wheel": 3, "muzzle": 4, "dog face": 5}
SETTINGS = {"source": "drawn", "concepts": len(LEVELS), "every": 2, "seed": 0, "bar": 0.04, "bau_quantile": 0.005}


def counts(levels: Mapping[int, int], *, units: int = 0, dead: int = 0) -> Figures:
    """Figures with so many detectors on each level. units: all of the layer, at least the detectors."""
    named = sum(levels.values())
    return Figures(
        units=max(units, named + dead),
        dead=dead,
        detectors=named,
        distinct_concepts=min(named, len(LEVELS)),
        mean_concept_level=sum(level * count for level, count in levels.items()) / named if named else None,
        levels=dict(levels),
        median_score=0.1 if named else None,
    )


def layer_facts(
    place: int, *trainings: Figures, baselines: Mapping[str, Figures] | None = None, concepts: Mapping[str, int] = {}
) -> LayerFacts:
    """One layer. trainings: its figures in each of them, the atlas's own first."""
    own = trainings[0]
    return LayerFacts(
        name=f"layer{place}.relu",
        place=place,
        units=own.units,
        field=8.0 * place - 1,
        share=min((8 * place - 1) / 64, 1.0),
        figures=own,
        bau=own,
        baselines=baselines or {},
        trainings=trainings,
        best=(),
        concepts=dict(concepts) or {"red": own.detectors},
        specificity={"deconvnet": 0.5},
        retention={},
        all_units=tuple(UnitFacts(unit=unit) for unit in range(own.units)),
    )


def run_facts(*layers: LayerFacts) -> Facts:
    """A run over a thousand pictures, 300 of them dissected."""
    return Facts(
        network="worldnet", source="World (1000 items)", images=1000, dissected=300, settings=SETTINGS, layers=layers,
        left_out=(),
    )  # fmt: skip


def scored(concept: str, score: float) -> ConceptScore:
    """A concept that covers a hundredth of all px."""
    return ConceptScore(concept=concept, level=LEVELS.get(concept, 1), score=score, iou=score / 2, frequency=0.01)


def unit_concept(unit: int, concept: str | None, score: float = 0.2) -> UnitConcept:
    """A unit named by a concept; one that ranks a concept below the bar where that is None."""
    if concept is None:
        return UnitConcept(unit=unit, ranked=(scored("red", 0.01),))
    found = scored(concept, score)
    return UnitConcept(unit=unit, ranked=(found,), best=found, bau=found)


def dissection(layers: Mapping[str, Sequence[UnitConcept]], *, images: int = 30, baselines: bool = True) -> Dissection:
    """A dissection of these units, with the baselines of a layer where nothing is found."""
    nothing = counts({}, units=max(len(units) for units in layers.values()))
    names = ("shuffled masks", "random mixtures", "untrained network") if baselines else ()
    return Dissection(
        layers=tuple(
            LayerDissection(
                layer=name,
                units=tuple(units),
                figures=figures_of(units),
                bau=figures_of(units),
                baselines={baseline: LayerFigures(figures=nothing, bau=nothing) for baseline in names},
            )
            for name, units in layers.items()
        ),
        images=images,
        settings=SETTINGS,
    )


def figures_of(units: Sequence[UnitConcept]) -> Figures:
    """What these units add up to."""
    levels = Counter(unit.best.level for unit in units if unit.best is not None)
    return counts(levels, units=len(units), dead=sum(unit.dead for unit in units))
