"""Interventions on the known network, whose every unit was built for one pattern."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import layerscope as ls
from layerscope.core.concepts import ConceptScore, Interventions, UnitConcept, UnitInterventions
from layerscope.dissect import TriedNetwork, intervene
from layerscope.known.again import PATTERNS, KnownPictures, PlantedAgain, pattern_name
from layerscope.known.network import INPUT, UNIT_NAMES, known_network


@dataclass(eq=False)
class _Some(PlantedAgain):
    """A picture of which only some patterns can be taken out."""

    some: Collection[str] = ()

    @property
    def removable(self) -> Sequence[int]:
        return [place for place in super().removable if PATTERNS[place].name in self.some]


class SomePictures(KnownPictures):
    """Known pictures of which only some patterns can be taken out."""

    def __init__(self, count: int, some: Collection[str]) -> None:
        super().__init__(count)
        self.some = some

    def again(self, image: int, /) -> PlantedAgain:
        return _Some(super().again(image).canvas, self.some)


def tried(pictures: KnownPictures, layers: Sequence[str], each: int) -> Interventions:
    """The names that the units were built for, tried."""
    net = ls.trace(known_network(), INPUT)
    names = {layer: tuple(_named(unit, name) for unit, name in enumerate(UNIT_NAMES[layer])) for layer in layers}
    network = TriedNetwork(name="", program=net.program, names=names)
    return intervene([network], INPUT, [net[layer] for layer in layers], pictures, each=each)


def _named(unit: int, name: str) -> UnitConcept:
    score = ConceptScore(concept=pattern_name(name), level=1, score=0.5, iou=0.5, frequency=0.01)
    return UnitConcept(unit=unit, ranked=(score,), best=score)


def with_patterns(found: Interventions) -> Iterator[tuple[str, UnitInterventions]]:
    """Every unit with the pattern that it was built for."""
    for layer in found.layers:
        yield from ((pattern_name(UNIT_NAMES[layer.layer][unit.unit]), unit) for unit in layer.units)
