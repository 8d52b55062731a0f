"""What a report says in numbers: gathered from an atlas and its dissections, nothing written in advance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as made_by
from typing import Any

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import AtlasLayerRecord
from layerscope.atlas.retention import Retention
from layerscope.core.concept_words import concept_words
from layerscope.core.concepts import (
    Dissection,
    Figures,
    Interventions,
    LayerDissection,
    NamesThatStand,
    UnitConcept,
)
from layerscope.facts.run import images_of_run
from layerscope.facts.standing import NameStanding, standing_in

OWN = "trained network"
BEST = 8  # units of a layer that the report shows for their concept, each with another one


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """A unit with the concept that names it; both None where no concept was found. standing: whether the name stands,
    where that was tried."""

    unit: int
    concept: str | None = None
    level: int | None = None
    score: float | None = None
    iou: float | None = None
    bau: str | None = None
    standing: NameStanding | None = None

    @property
    def called(self) -> str:
        """The concept in words; "" without one."""
        return concept_words(self.concept or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One layer. field: side of its receptive field, px; share: of the picture's side, 0..1. figures: by the score
    that names units; bau: by Bau's measure. baselines: figures by name. trainings: figures of the same layer in
    every training, the atlas's own first. best: its best-named units, each another concept. concepts: named units
    by concept, most first. specificity: median per method; retention: by method; of those that could be measured.
    standing: how many of the names stand, by what they are the names of, the network's own first; empty where that was
    not tried."""

    name: str
    place: int
    units: int
    field: float
    share: float
    figures: Figures
    bau: Figures
    baselines: Mapping[str, Figures]
    trainings: tuple[Figures, ...]
    best: tuple[UnitFacts, ...]
    concepts: Mapping[str, int]
    specificity: Mapping[str, float]
    retention: Mapping[str, Retention]
    all_units: tuple[UnitFacts, ...]
    standing: Mapping[str, NamesThatStand] = made_by(default_factory=dict[str, NamesThatStand])

    def named(self, unit: int) -> UnitFacts:
        return self.all_units[unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A whole run. images: pictures that were scanned; dissected: pictures with masks that units were compared on."""

    network: str
    source: str
    images: int
    dissected: int
    settings: Mapping[str, Any]
    layers: tuple[LayerFacts, ...]
    left_out: tuple[str, ...]

    @property
    def trainings(self) -> int:
        return len(self.layers[0].trainings)

    @property
    def baselines(self) -> tuple[str, ...]:
        return tuple(self.layers[0].baselines)

    @property
    def tried(self) -> tuple[str, ...]:
        """Whose names were tried by interventions; none where nobody did."""
        return tuple(self.layers[0].standing)

    def as_json(self) -> dict[str, Any]:
        """The report's figures as plain values: layers in order, each with its figures, best units and baselines."""
        return {
            "network": self.network,
            "images": self.images,
            "source": self.source,
            "dissected_images": self.dissected,
            "settings": dict(self.settings),
            "layers": [_layer_json(layer) for layer in self.layers],
            "left_out": list(self.left_out),
        }


def facts_of(file: AtlasFile, dissections: Sequence[Dissection]) -> Facts:
    """Gather the facts. dissections: of the atlas's own network first, then of further trainings of the same one."""
    first, *others = dissections
    layers = tuple(
        _layer(file, place, one, [_same(other, one.layer) for other in others])
        for place, one in enumerate(first.layers, start=1)
    )
    return Facts(
        network=file.run.network,
        source=file.run.images,
        images=images_of_run(file),
        dissected=first.images,
        settings=first.settings,
        layers=layers,
        left_out=first.left_out,
    )


def _layer(file: AtlasFile, place: int, found: LayerDissection, others: Sequence[LayerDissection]) -> LayerFacts:
    layer = file.layer(found.layer)
    tried = file.interventions()
    units = tuple(_unit(unit, tried, found.layer) for unit in found.units)
    counts = _counted([unit.concept for unit in units if unit.concept is not None])
    return LayerFacts(
        name=layer.name,
        place=place,
        units=layer.record.units,
        field=float(layer.record.field.rows.size),
        share=min(float(layer.record.field.rows.size) / file.run.input.height, 1.0),
        figures=found.figures,
        bau=found.bau,
        baselines={name: measured.figures for name, measured in found.baselines.items()},
        trainings=tuple(one.figures for one in (found, *others)),
        best=_best(found, units),
        concepts=counts,
        specificity=_specificity(file, layer),
        retention=_retention(file, layer),
        all_units=units,
        standing=_standing(tried, found.layer),
    )


def _same(other: Dissection, name: str) -> LayerDissection:
    return next(layer for layer in other.layers if layer.layer == name)


def _standing(tried: Interventions | None, name: str) -> dict[str, NamesThatStand]:
    layers = tried.layers if tried is not None else ()
    return {key: one for layer in layers if layer.layer == name
            for key, one in {OWN: layer.standing, **layer.baselines}.items()}  # fmt: skip


def _unit(unit: UnitConcept, tried: Interventions | None, layer: str) -> UnitFacts:
    bau = unit.bau.concept if unit.bau is not None else None
    if unit.best is None:
        return UnitFacts(unit=unit.unit, bau=bau)
    best = unit.best
    return UnitFacts(
        unit=unit.unit, concept=best.concept, level=best.level, score=best.score, iou=best.iou, bau=bau,
        standing=standing_in(tried, layer, unit.unit, best),
    )  # fmt: skip


def _best(found: LayerDissection, units: Sequence[UnitFacts]) -> tuple[UnitFacts, ...]:
    """The best-named units, at most one per concept."""
    chosen: dict[str, UnitFacts] = {}
    for unit in found.strongest(len(found.units)):
        named = units[unit.unit]
        chosen.setdefault(str(named.concept), named)
    return tuple(list(chosen.values())[:BEST])


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _specificity(file: AtlasFile, layer: AtlasLayerRecord) -> dict[str, float]:
    found = {method: file.specificity(layer.id, method) for method in file.run.methods}
    return {method: measured.median for method, measured in found.items() if measured is not None}


def _retention(file: AtlasFile, layer: AtlasLayerRecord) -> dict[str, Retention]:
    found = {method: file.retention(layer.id, method) for method in file.run.methods}
    return {method: measured for method, measured in found.items() if measured is not None}


def _figures_json(figures: Figures) -> dict[str, Any]:
    return {**asdict(figures), "levels": {str(level): count for level, count in figures.levels.items()}}


def _layer_json(layer: LayerFacts) -> dict[str, Any]:
    """A layer's own figures stand at the top of its entry."""
    own = _figures_json(layer.figures)
    return {
        "name": layer.name,
        **own,
        "field_px": layer.field,
        "field_share": layer.share,
        "best_units": [asdict(unit) for unit in layer.best],
        "concepts": dict(layer.concepts),
        "specificity": dict(layer.specificity),
        "retention": {method: asdict(measured) for method, measured in layer.retention.items()},
        "bau": _figures_json(layer.bau),
        "baselines": {name: _figures_json(figures) for name, figures in layer.baselines.items()},
        "trainings": [_figures_json(figures) for figures in layer.trainings],
        "standing": {name: asdict(one) for name, one in layer.standing.items()},
    }
