"""Whether a unit follows: concepts are taken out of pictures, and shown alone, and the network looks again.

One set of drawings serves all units of all layers, and all networks of one architecture: for every concept the first
pictures of a seeded order that hold it, at most `EACH`, each drawn without it, with it alone, and without something
else of its size. What is kept of a picture is every unit's highest activation; where something is taken out, the
activation at the very place where that was; alone, the highest again.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from torch import Tensor

from layerscope.core.again import DrawnAgain, DrawnPicture, TakenOut
from layerscope.core.concepts import (
    Dissection,
    Interventions,
    LayerInterventions,
    NamesThatStand,
    UnitConcept,
    UnitInterventions,
)
from layerscope.core.errors import UsageError
from layerscope.core.failures import plain_failures
from layerscope.core.geometry import Box
from layerscope.core.progress import Progress, Silent
from layerscope.core.records import Input, LayerRecord
from layerscope.core.stages import INTERVENE
from layerscope.dissect.baselines import rotation
from layerscope.dissect.run import MIXED, UNTRAINED
from layerscope.dissect.standing import Edits, NameJudge, Responses
from layerscope.graph import Carrier
from layerscope.sources import placement_of, prepare
from layerscope.sources.ahead import in_order

EACH = 48  # pictures that a concept is taken out of
# What a drawing shows, in the order in which drawings are looked at.
WHOLE, ALONE, WITHOUT, CONTROL = KINDS = "whole", "alone", "without", "control"
AHEAD = 8  # pictures that are drawn while others are looked at

# Where peaks lie: by image the layer, the unit and the receptive field, in input px.
Places = Mapping[int, Sequence[tuple[str, int, Box]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class TriedNetwork:
    """A network, or its units mixed, whose names are tried. name: "" for the atlas's own. names: by layer what was
    found of its units by overlap; mixed: whether they are random mixtures."""

    name: str
    program: Carrier
    names: Mapping[str, Sequence[UnitConcept]]
    mixed: bool = False


def subjects_of(found: Dissection, program: Carrier, untrained: Carrier | None) -> list[TriedNetwork]:
    """The units of a dissection, then their mixtures and the untrained network's, as far as they were dissected."""
    every = [TriedNetwork(name="", program=program, names={layer.layer: layer.units for layer in found.layers})]
    for name, other, mixed in ((MIXED, program, True), (UNTRAINED, untrained, False)):
        names = {layer.layer: layer.others[name] for layer in found.layers if name in layer.others}
        if other is not None and names:
            every.append(TriedNetwork(name=name, program=other, names=names, mixed=mixed))
    return every


@plain_failures("the interventions")
def intervene(
    subjects: Sequence[TriedNetwork],
    input: Input,
    layers: Sequence[LayerRecord],
    drawn: DrawnAgain,
    *,
    places: Places | None = None,
    each: int = EACH,
    seed: int = 0,
    progress: Progress | None = None,
) -> Interventions:
    """Take every concept out of some pictures and show it alone, and tell which names stand it.

    subjects: the network's own units first, then baselines and other trainings. layers: those without positions are
    left out. places: of the own units' peaks, to tell what is drawn there. each: pictures per concept. seed: of the
    order of pictures, of mixtures and intervals. Raises UsageError for a layer that was not dissected, and
    where no concept can be taken out of any picture.
    """
    with_maps = [layer for layer in layers if layer.map is not None]
    _require_dissected(subjects, with_maps)
    looks = _Looks(subjects, with_maps, seed)
    gathered = _Gathered(drawn, input, places or {}, each)
    reporter = progress or Silent()
    reporter.start(INTERVENE.name, len(drawn), 0)
    order = np.random.default_rng([seed, len(drawn)]).permutation(len(drawn)).tolist()
    with closing(in_order(((image, [lambda image=image: gathered.add(image)]) for image in order),
                          threads=1, ahead=AHEAD)) as made:  # fmt: skip
        for _, [drawings] in made:
            looks.add(*drawings)
            reporter.step()
    edits = gathered.edits()
    names = [concept.name for concept in drawn.concepts]
    judge = NameJudge(edits, names, [concept.level for concept in drawn.concepts], seed)
    return Interventions(
        layers=tuple(
            _layer(layer, subjects, looks, order, judge, gathered.kinds, drawn.fixed) for layer in looks.layers
        ),
        pictures=len(drawn),
        drawn=2 * len(edits.image) + int(edits.controlled.sum()),
        settings={"concepts": len(names), "each": each, "seed": seed},
        fixed=drawn.fixed,
        absent=tuple(name for place, name in enumerate(names) if name not in drawn.fixed and not gathered.count[place]),
    )


def _require_dissected(subjects: Sequence[TriedNetwork], layers: Sequence[LayerRecord]) -> None:
    for layer in layers:
        if any(layer.name not in subject.names for subject in subjects):
            raise UsageError(f"layer {layer.name} has no names to try: dissect it before concepts are taken out")


class _Gathered:
    """What is drawn: concept by concept until each has its share, and the kinds of things at peaks."""

    def __init__(self, drawn: DrawnAgain, input: Input, places: Places, each: int) -> None:
        self.drawn, self.input, self.places, self.each = drawn, input, places, each
        self.count = Counter[int]()
        self.held: list[tuple[int, int, bool, frozenset[int], Sequence[int]]] = []
        self.kinds: dict[tuple[str, int], Counter[str]] = {}

    def add(self, image: int) -> tuple[list[str], Float32[np.ndarray, "n c h w"]]:
        """Draw an image and what is to be seen of it, as the network's input, kind by kind. What each is."""
        picture = self.drawn.again(image)
        self._tell(image, picture)
        shown = [(WHOLE, picture.pixels)]
        for concept in picture.removable:
            if self.count[concept] < self.each:
                self.count[concept] += 1
                without, alone = picture.without([concept]), picture.alone(concept)
                shown += [(WITHOUT, without.pixels), (ALONE, alone.pixels)]
                control = _control(picture, concept, without)
                shown += [(CONTROL, control.pixels)] if control is not None else []
                self.held.append((image, concept, control is not None, alone.shown, picture.removable))
        shown.sort(key=lambda one: KINDS.index(one[0]))
        inputs = [prepare(Image.fromarray(pixels), self.input)[0] for _, pixels in shown]
        return [what for what, _ in shown], np.stack(inputs)

    def _tell(self, image: int, picture: DrawnPicture) -> None:
        placement = placement_of(self.input, *picture.pixels.shape[:2])
        for layer, unit, box in self.places.get(image, ()):
            self.kinds.setdefault((layer, unit), Counter())[picture.kind(placement.source_box(box))] += 1

    def edits(self) -> Edits:
        """All drawings, in the order in which they were made. Raises UsageError without any."""
        if not self.held:
            raise UsageError("no concept can be taken out of these pictures: none of them shows one")
        images, concepts, controlled, shown, held = zip(*self.held, strict=True)
        count = len(self.drawn.concepts)
        return Edits(
            image=np.array(images), concept=np.array(concepts), controlled=np.array(controlled),
            shown=_flags(shown, count), held=_flags(held, count),
        )  # fmt: skip


def _flags(places: Sequence[Iterable[int]], count: int) -> np.ndarray:
    flags = np.zeros((len(places), count), bool)
    for row, ones in zip(flags, places, strict=True):
        row[list(ones)] = True
    return flags


def _control(picture: DrawnPicture, concept: int, without: TakenOut) -> TakenOut | None:
    """The picture without something else of the same size; None where it holds nothing of the kind."""
    every = (picture.without(others) for others in picture.instead(concept, without.size))
    return next((taken for taken in every if without.is_control(taken)), None)


class _Looks:
    """Every unit's activation in every picture shown, by subject, layer and kind: a run of rows for each image."""

    def __init__(self, subjects: Sequence[TriedNetwork], layers: Sequence[LayerRecord], seed: int) -> None:
        self.subjects, self.layers = subjects, layers
        self.nodes = {layer.node for layer in layers}
        self.mixing = {layer.name: rotation(layer.units, seed) for layer in layers}
        self.found: dict[tuple[str, str, str], list[Float32[np.ndarray, "n u"]]] = {}

    def add(self, drawn: Sequence[str], pixels: Float32[np.ndarray, "n c h w"]) -> None:
        """Look at an image and its drawings. drawn: what each of them is, in the order of KINDS."""
        values = {}
        ends = [bisect_right(drawn, place, key=KINDS.index) for place in range(len(KINDS))]
        for subject in self.subjects:
            if id(subject.program) not in values:
                values[id(subject.program)] = subject.program.run(torch.from_numpy(pixels), self.nodes)
            for layer in self.layers:
                maps = values[id(subject.program)][layer.node].float().cpu().permute(0, 2, 3, 1).flatten(1, 2)
                seen = _seen(maps, ends, self.mixing[layer.name] if subject.mixed else None)
                for what, rows in zip(KINDS, seen, strict=True):
                    self.found.setdefault((subject.name, layer.name, what), []).append(rows.numpy())

    def responses(self, order: Sequence[int], edits: Edits, subject: TriedNetwork, layer: LayerRecord) -> Responses:
        """What was found, images in their own order. order: in which they were looked at."""
        whole, alone, without, controlled = (
            np.concatenate(self.found[subject.name, layer.name, what]).astype(np.float64) for what in KINDS
        )
        before, control = np.empty_like(whole), np.full_like(without, np.nan)
        before[list(order)] = whole
        control[edits.controlled] = controlled
        return Responses(before=before, without=without, control=control, alone=alone)


def _seen(
    maps: Float32[Tensor, "n px u"], ends: Sequence[int], mixing: Float32[Tensor, "u u"] | None
) -> list[Float32[Tensor, "_ u"]]:
    """Of each kind the units' activations: highest where it is whole or alone, else where it is highest in the whole.

    ends: of the kinds among the drawings. mixing: of the units, in which they are looked at.
    """
    whole, alone, taken = maps[: ends[0]], maps[ends[0] : ends[1]], maps[ends[1] :]
    if mixing is not None:
        whole, alone = whole @ mixing, alone @ mixing
    highest, place = whole.max(1)
    if mixing is None:
        there = taken.gather(1, place[:, None].expand(len(taken), 1, -1))[:, 0]
    else:
        # A mixture at one place is made of all units there.
        there = torch.einsum("nuv,vu->nu", taken[:, place[0]], mixing)
    at = ends[2] - ends[1]
    return [highest, alone.amax(1), there[:at], there[at:]]


def _layer(
    layer: LayerRecord, subjects: Sequence[TriedNetwork], looks: _Looks, order: Sequence[int], judge: NameJudge,
    kinds: Mapping[tuple[str, int], Counter[str]], fixed: Mapping[str, str],
) -> LayerInterventions:  # fmt: skip
    standing, own = {}, ()
    for subject in subjects:
        found = looks.responses(order, judge.edits, subject, layer)
        named = subject.names[layer.name]
        units = judge.layer(found, named)
        standing[subject.name] = standing_of(units, named, fixed)
        own = own or units
    told = tuple(replace(unit, kinds=_most_first(kinds.get((layer.name, unit.unit), Counter()))) for unit in own)
    return LayerInterventions(layer=layer.name, units=told, standing=standing.pop(subjects[0].name), baselines=standing)


def standing_of(
    units: Sequence[UnitInterventions], named: Sequence[UnitConcept], fixed: Mapping[str, str]
) -> NamesThatStand:
    """How the names of a layer's units stand. fixed: concepts that cannot be taken out."""
    best = [(unit, one.best.concept) for unit, one in zip(units, named, strict=True) if one.best is not None]
    tried = [one for unit, name in best if name not in fixed and (one := unit.of(name)) is not None]
    judged = [one for one in tried if one.necessity is not None and one.sufficiency is not None]
    return NamesThatStand(
        units=len(units), named=len(best), judged=len(judged),
        necessary=sum(one.necessary for one in judged), sufficient=sum(one.sufficient for one in judged),
        both=sum(one.stands for one in judged), found=sum(any(one.stands for one in unit.tried) for unit in units),
    )  # fmt: skip


def _most_first(kinds: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
