"""A scene drawn again: without a concept, or with one alone.

What was painted is kept as stamps, all chances taken. So a concept is taken out by leaving its stamps away, or, where
it is no thing, by changing them: a colour is painted in another one, a gradient becomes plain. What lies behind is seen
then, as it was painted; light and blur stay. An edge and a corner are the border of something else: neither can be
taken out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8
from PIL import Image

from layerscope.core.again import GROUND, Alone, TakenOut, chosen_instead, meet
from layerscope.core.geometry import Box
from layerscope.world.backgrounds import WHOLE
from layerscope.world.canvas import Canvas, Clip, ConceptMark, Stamp, Unclip
from layerscope.world.colours import Colour, named, other_colour
from layerscope.world.concepts import COLOURS, CONCEPTS, EDGES, PLACE
from layerscope.world.masks import LEAST_AREA, regions
from layerscope.world.render import lit, owners, paint
from layerscope.world.seen import colours, edges

BORDER = "is the border of something else, so it cannot be taken out by itself"
FIXED = dict.fromkeys((*EDGES, "corner"), BORDER)
GRADIENT = "gradient"

_WHOLE = np.ascontiguousarray(WHOLE).view(np.float64)

Painted = Stamp | Clip | Unclip


@dataclass(eq=False)
class SceneAgain:
    """One picture of a world, with what it was painted of. light, blur: as of `render.lit`."""

    canvas: Canvas
    pixels: UInt8[np.ndarray, "size size 3"]
    light: Float32[np.ndarray, "size size 1"]
    blur: float

    def __post_init__(self) -> None:
        self._behind: dict[tuple[int, ...], Image.Image] = {}

    @cached_property
    def _owner(self) -> Int[np.ndarray, "size size"]:
        return owners(self.canvas.stamps, self.canvas.size)

    @cached_property
    def _unlit(self) -> UInt8[np.ndarray, "size size 3"]:
        return np.asarray(paint(self.canvas.stamps, self.canvas.size))

    @cached_property
    def _visible(self) -> list[tuple[ConceptMark, Bool[np.ndarray, "size size"]]]:
        """The marks that are seen, with where."""
        return list(regions(self.canvas, self._owner, edges(self.pixels).slope))

    @cached_property
    def _colours(self) -> dict[str, Bool[np.ndarray, "size size"]]:
        """Where each colour's name is seen."""
        found = zip(COLOURS, colours(self.pixels), strict=True)
        return {name: mask for name, mask in found if mask.sum() >= LEAST_AREA}

    @cached_property
    def _paints(self) -> dict[str, frozenset[Colour]]:
        """By name of a colour the paints that look so: as most of their px do, or as they are named unlit."""
        stamps = [stamp for stamp in self.canvas.stamps if isinstance(stamp, Stamp)]
        used = {colour for stamp in stamps for colour in (stamp.colour, stamp.to) if colour is not None}
        seen = self._looks()
        found: dict[str, set[Colour]] = {}
        for colour in used:
            found.setdefault(seen.get(colour, named(colour)), set()).add(colour)
        return {name: frozenset(ones) for name, ones in found.items()}

    def _looks(self) -> dict[Colour, str]:
        """The name that most px of a plain paint have in the finished picture."""
        votes: dict[Colour, Int[np.ndarray, " names"]] = {}
        stamps = self.canvas.stamps
        for place, mask in enumerate(self._colours.items()):
            for number, px in zip(*np.unique(self._owner[mask[1]], return_counts=True), strict=True):
                stamp = stamps[number] if number >= 0 else None
                if isinstance(stamp, Stamp) and stamp.to is None:
                    votes.setdefault(stamp.colour, np.zeros(len(self._colours), int))[place] += px
        names = tuple(self._colours)
        return {colour: names[int(px.argmax())] for colour, px in votes.items()}

    @cached_property
    def _areas(self) -> dict[int, Bool[np.ndarray, "size size"]]:
        """Where each concept that can be taken out is seen; of a colour, all that is painted in it."""
        found = {
            PLACE[name]: np.isin(self._owner, self._painted(name)) for name in self._colours if name in self._paints
        }
        for mark, region in self._visible:
            if mark.paint is not None:
                place = PLACE[mark.concept]
                found[place] = found[place] | region if place in found else region
        return found

    def _painted(self, colour: str) -> list[int]:
        """The stamps in paints that look so."""
        paints, every = self._paints[colour], enumerate(self.canvas.stamps)
        return [n for n, one in every if isinstance(one, Stamp) and (one.colour in paints or one.to in paints)]

    @property
    def removable(self) -> Sequence[int]:
        return sorted(self._areas)

    def without(self, concepts: Sequence[int], /) -> TakenOut:
        unlit = self._painted_without(tuple(concepts))
        changed = (np.asarray(unlit) != self._unlit).any(2)
        return TakenOut(pixels=lit(unlit, self.light, self.blur), changed=changed)

    def _painted_without(self, concepts: tuple[int, ...]) -> Image.Image:
        """Before light and blur. Kept, since what lies behind a concept is asked for again where it is alone."""
        if concepts not in self._behind:
            stamps = _pruned(self._changed([CONCEPTS[concept].name for concept in concepts]))
            self._behind[concepts] = paint(stamps, self.canvas.size)
        return self._behind[concepts]

    def instead(self, concept: int, size: int, /) -> Sequence[Sequence[int]]:
        own = self._areas[concept]
        apart = {other: int(area.sum()) for other, area in self._areas.items() if not meet(area, own)}
        return chosen_instead(apart, size)

    def _changed(self, names: Sequence[str]) -> Iterator[Painted]:
        """The stamps of the picture without some concepts."""
        instead = {colour: other_colour(colour) for name in names for colour in self._paints.get(name, ())
                   if name in COLOURS}  # fmt: skip
        drawn = [name for name in names if name not in COLOURS]
        gone = frozenset[int]().union(*(self._stamps_of(name) for name in drawn if name != GRADIENT))
        plain = self._stamps_of(GRADIENT) if GRADIENT in drawn else frozenset[int]()
        for number, stamp in enumerate(self.canvas.stamps):
            if number not in gone:
                yield _plain(stamp) if number in plain else _recoloured(stamp, instead)

    def _stamps_of(self, name: str) -> frozenset[int]:
        """The stamps that show a drawn concept anywhere, seen or hidden."""
        own = [mark.paint for mark in self.canvas.marks if mark.concept == name and mark.paint is not None]
        return frozenset(number for paint in own for number in range(*paint))

    def alone(self, concept: int, /) -> Alone:
        name, size = CONCEPTS[concept].name, self.canvas.size
        kept, region = self._largest(name)
        behind = np.asarray(self._painted_without((concept,)))
        ground = Stamp(outline=_WHOLE * size, colour=_median(behind[region]))
        own = (
            stamp for number, stamp in enumerate(self.canvas.stamps) if number in kept or not isinstance(stamp, Stamp)
        )
        pixels = lit(paint([ground, *_pruned(own)], size), self.light, self.blur)
        held = {mark.concept for mark in self.canvas.marks if mark.paint and kept.issuperset(range(*mark.paint))}
        looks = {name for name, mask in zip(COLOURS, colours(pixels), strict=True) if mask.sum() >= LEAST_AREA}
        return Alone(pixels=pixels, shown=frozenset(PLACE[one] for one in held | looks | {name}))

    def _largest(self, name: str) -> tuple[frozenset[int], Bool[np.ndarray, "size size"]]:
        """The stamps of a concept's largest occurrence, and where it is seen. A colour's are all of that colour."""
        if name in COLOURS:
            return frozenset(self._painted(name)), self._colours[name]
        own = [(mark.paint, px) for mark, px in self._visible if mark.concept == name and mark.paint is not None]
        stamps, region = max(own, key=lambda one: one[1].sum())
        return frozenset(range(*stamps)), region

    @cached_property
    def _kinds(self) -> Int[np.ndarray, "size size"]:
        """The outermost thing at every px, as a place in CONCEPTS; -1 for ground."""
        found = np.full((self.canvas.size,) * 2, -1)
        for mark, region in self._visible:
            if mark.within is None and mark.paint is not None:
                found[region] = PLACE[mark.concept]
        return found

    def kind(self, box: Box, /) -> str:
        rows, cols = (_middle(*ends, self.canvas.size) for ends in ((box.top, box.bottom), (box.left, box.right)))
        places, px = np.unique(self._kinds[rows, cols], return_counts=True)
        most = int(places[px.argmax()])
        return GROUND if most < 0 else CONCEPTS[most].name


def _middle(first: int, end: int, size: int) -> slice:
    """The middle half of a stretch of px, inside the picture, at least one px."""
    quarter = (end - first) // 4
    low = min(max(first + quarter, 0), size - 1)
    return slice(low, max(min(end - quarter, size), low + 1))


def _median(colours: UInt8[np.ndarray, "px 3"]) -> Colour:
    red, green, blue = np.median(colours, axis=0).astype(int).tolist()
    return red, green, blue


def _plain(stamp: Painted) -> Painted:
    return replace(stamp, to=None, ramp=None) if isinstance(stamp, Stamp) else stamp


def _recoloured(stamp: Painted, instead: Mapping[Colour, Colour]) -> Painted:
    if not isinstance(stamp, Stamp) or (stamp.colour not in instead and stamp.to not in instead):
        return stamp
    to = stamp.to if stamp.to is None else instead.get(stamp.to, stamp.to)
    return replace(stamp, colour=instead.get(stamp.colour, stamp.colour), to=to)


def _pruned(stamps: Iterable[Painted]) -> list[Painted]:
    """The stamps without clips that hold none: each would cost a copy of the picture."""
    kept: list[Painted] = []
    for stamp in stamps:
        if isinstance(stamp, Unclip) and isinstance(kept[-1], Clip):
            kept.pop()
        else:
            kept.append(stamp)
    return kept
