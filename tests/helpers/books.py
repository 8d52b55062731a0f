"""A small atlas with everything that a page can show: names, notes, strata and neighbours, made of plain numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layerscope.atlas.concepts import DISSECTION, layer_data
from layerscope.atlas.write import AtlasWriter
from layerscope.core.concepts import ConceptScore, Dissection, Figures, LayerDissection, LayerFigures, UnitConcept
from layerscope.core.geometry import Box
from layerscope.core.strata import Neighbours, Strata
from tests.helpers.atlases import PLACEMENT, SIDE, small_atlas

CONCEPTS = ("disc", "ring", "<b>bold</b>", "stripe")


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
