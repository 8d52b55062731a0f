"""A small atlas with everything that a page can show: names, notes, strata and neighbours, made of plain numbers."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from layerscope.atlas import interventions, labels
from layerscope.atlas.concepts import DISSECTION, layer_data
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import (
    ConceptScore,
    Dissection,
    Figures,
    Intervention,
    Interventions,
    LayerDissection,
    LayerFigures,
    LayerInterventions,
    NamesThatStand,
    Necessity,
    Sufficiency,
    UnitConcept,
    UnitInterventions,
)
from layerscope.core.geometry import Box
from layerscope.core.labels import (
    LabelDissection,
    LabelFigures,
    LabelScore,
    LayerLabels,
    Misfit,
    Misfits,
    UnitLabels,
)
from layerscope.core.strata import Neighbours, Strata
from tests.helpers.atlases import PLACEMENT, SIDE, small_atlas
from tests.helpers.written import once

CONCEPTS = ("disc", "ring", "<b>bold</b>", "stripe")


@once
def full_atlas(path: str | Path, *, units: int = 12, images: int = 40, seed: int = 1) -> Path:
    """The small atlas, of the same images as ever, its first two layers dissected; all but the dead units have strata
    and neighbours."""
    made, rng = small_atlas(path, units=units, images=images, seed=seed), np.random.default_rng(seed)
    with AtlasWriter.resume(made) as writer:
        for layer in writer.layers():
            _put_below(writer, layer.id, units, images - 2, rng)
        found = [_dissected(layer.name, units, rng) for layer in writer.layers()[:2]]
        said = Dissection(layers=tuple(found), images=images, settings={"bar": 0.04, "seed": 0})
        for number, one in enumerate(found):
            writer.put_concepts(number, one.units)
            writer.put_statistic(DISSECTION, layer_data(said, one), layer=number)
            writer.put_notes(number, "describe", {unit: f"Responds to <i>{unit}</i>." for unit in range(0, units, 2)})
    return made


@once
def named_atlas(path: str | Path, *, units: int = 12, images: int = 40) -> Path:
    """The same, of whose first layer names were tried by interventions and labels, and with images that do not fit
    theirs. Its first concepts are no colours."""
    made = full_atlas(path, units=units, images=images)
    with closing(sqlite3.connect(made)) as atlas, atlas:
        atlas.execute("UPDATE concept SET level = level + 1")
    with AtlasWriter.resume(made) as writer:
        _put_tried(writer, writer.concepts(0))
        _put_labelled(writer, units)
    return made


def _put_tried(writer: AtlasWriter, units: Sequence[UnitConcept]) -> None:
    """Interventions on the first layer: the name of unit 0 is doubtful and its peaks show two kinds of things, that of
    unit 2 stands; no other was tried."""
    takes = Necessity(gone=0.9, low=0.8, high=1.0, control=0.1, pictures=20, more=19, untied=20, p=0.001)
    gives = Sufficiency(reached=0.8, low=0.7, high=0.9, pictures=48, rival="ring", rival_reached=0.4, p=0.002)
    tried, kinds = {}, {0: (("boat", 6), ("ground", 3)), 2: (("boat", 9),)}
    for unit, passed in ((0, replace(gives, p=1.0)), (2, gives)):
        best = units[unit].best
        tried[unit] = (
            (Intervention(concept=best.concept, level=2, necessity=takes, sufficiency=passed),) if best else ()
        )
    every = tuple(
        UnitInterventions(unit=unit, tried=tried.get(unit, ()), kinds=kinds.get(unit, ())) for unit in range(len(units))
    )
    counts = NamesThatStand(units=len(units), named=2, judged=2, necessary=2, sufficient=1, both=1, found=1)
    layer = LayerInterventions(layer=writer.layers()[0].name, units=every, standing=counts)
    about = Interventions(layers=(layer,), pictures=40, drawn=80, settings={"each": 48})
    writer.replace_rows(interventions.INTERVENTION, interventions.COLUMNS, 0,
                        interventions.intervention_rows(0, every))  # fmt: skip
    writer.replace_rows(interventions.KIND, interventions.KINDS, 0, interventions.kind_rows(0, every))
    writer.put_statistic(interventions.INTERVENTION, interventions.layer_data(about, layer), layer=0)


def _put_labelled(writer: AtlasWriter, units: int) -> None:
    """Labels on the first layer, a compound that names unit 0, a label that names unit 2; of three misfits the atlas
    holds two, images 1 and 7."""
    disc, ring = (
        LabelScore(label=name, form="label", level=1, auc=auc, z=9.0, p=1e-18, images=10)
        for name, auc in (("disc", 0.9), ("ring", 0.8))
    )
    both = replace(disc, label="disc or ring", form="or", auc=0.95, images=20)
    found = {
        0: UnitLabels(unit=0, ranked=(disc, ring), best=both),
        2: UnitLabels(unit=2, ranked=(disc, ring), best=disc),
        4: UnitLabels(unit=4, ranked=(ring,)),
    }
    every = tuple(found.get(unit, UnitLabels(unit=unit)) for unit in range(units))
    figures = LabelFigures(units=units, dead=units - 3, named=2, compounds=1, distinct=2, median_auc=0.9)
    layer = LayerLabels(layer=writer.layers()[0].name, units=every, figures=figures, shuffled=figures, margin=1.0)
    writer.put_labels(0, every)
    writer.put_statistic(labels.LABELS, labels.layer_data(layer), layer=0)
    images = {image.id: image for image in writer.images()}
    listed = tuple(
        Misfit(image=name, label="disc", other="ring", score=2.5 - rank, own=-1.0, others=1.5 - rank)
        for rank, name in enumerate((images[7].source, "elsewhere.png", images[1].source))
    )
    here = {str(images[image].sha256): image for image in (7, 1)}
    misfits = Misfits(images=listed, judged=30, planted=2, found=0.5)
    hashes = {images[image].source: sha256 for sha256, image in here.items()}
    said = LabelDissection(layers=(layer,), misfits=misfits, images=38, labels=2, settings={}, sha256=hashes)
    writer.put_misfits(listed)
    writer.put_statistic(labels.MISFITS, labels.run_data(said, here))


def _put_below(writer: AtlasWriter, layer: int, units: int, images: int, rng: np.random.Generator) -> None:
    strata = Strata.empty(units)
    live = slice(0, units - 1)
    strata.image[live] = rng.integers(0, images, strata.image[live].shape)
    strata.value[live] = -np.sort(-rng.gamma(2, 1, (units - 1, 16)), axis=1).reshape(units - 1, 4, 4)
    writer.put_strata(layer, strata)
    box = Box(top=8, left=16, bottom=24, right=32)
    keys = [(layer, unit, p, rank) for unit in range(units - 1) for p in (99, 95, 90, 50) for rank in range(4)]
    writer.place_strata([(key, box, PLACEMENT.source_box(box)) for key in keys if key[3] < 3])
    other = np.full((units, 8), -1, np.int64)
    correlation = np.zeros((units, 8))
    for unit in range(units - 1):
        others = rng.permutation([one for one in range(units - 1) if one != unit])[:3]
        other[unit, : len(others)], correlation[unit, : len(others)] = others, (0.96, 0.5, 0.25)[: len(others)]
    writer.put_neighbours(layer, Neighbours(other=other, correlation=correlation))
    writer.put_statistic("sample", {"images": images, "seed": 0}, layer=layer)


def _dissected(layer: str, units: int, rng: np.random.Generator) -> LayerDissection:
    """Even units are named, odd ones are not, the last one is dead."""
    found = []
    for unit in range(units - 1):
        scores = -np.sort(-rng.uniform(0.05, 0.4, 3)) if unit % 2 == 0 else np.array([0.03, 0.02, 0.01])
        ranked = tuple(
            ConceptScore(concept=str(name), level=1 + rank, score=float(score), iou=float(score) + 0.01, frequency=0.1)
            for rank, (name, score) in enumerate(zip(rng.permutation(CONCEPTS), scores, strict=False))
        )
        found.append(UnitConcept(unit=unit, ranked=ranked, best=ranked[0] if unit % 2 == 0 else None, bau=ranked[0]))
    found.append(UnitConcept(unit=units - 1))
    figures = _figures(found)
    baselines = {"shuffled masks": LayerFigures(figures=_figures(()), bau=_figures(()))}
    return LayerDissection(layer=layer, units=tuple(found), figures=figures, bau=figures, baselines=baselines)


def _figures(units: Sequence[UnitConcept]) -> Figures:
    best = [unit.best for unit in units if unit.best is not None]
    return Figures(
        units=12,
        dead=1,
        detectors=len(best),
        distinct_concepts=len({one.concept for one in best}),
        mean_concept_level=1.0 if best else None,
        levels={1: len(best)},
    )


def inside_plane(box: Box) -> bool:
    """Whether a box lies on the source pictures of the small atlas."""
    return 0 <= box.top < box.bottom <= 2 * SIDE and 0 <= box.left < box.right <= 2 * SIDE + 40
