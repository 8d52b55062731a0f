"""What a unit is made of, and its parts in turn, down to the first chapters: as plain nodes, for pages."""

from dataclasses import dataclass

from layerscope.atlas.records import AtlasLayerRecord
from layerscope.core.concept_words import concept_words
from layerscope.facts.wrapping import Reader
from layerscope.lesson.majorities import majority
from layerscope.lesson.showing import UnitShows, is_early, looked_at, named_by, pictures_of

# How many parts a unit has at each step down: few, or the lines at the end would be too many to look at.
BRANCHES = (3, 2, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartNode:
    """A unit in a tree, and what it is made of. share: of the activation of the unit that it is a part of, None of the
    first. name: in words, "" without. parts: of an earlier layer, the highest share first. again: its parts stand where
    it comes first."""

    layer: AtlasLayerRecord
    unit: int
    name: str
    share: float | None = None
    parts: tuple["PartNode", ...] = ()
    again: bool = False


def part_tree(file: Reader, layer: AtlasLayerRecord, unit: int) -> PartNode | None:
    """A unit with its parts, as many steps down as BRANCHES; None where the atlas does not know what it is made of."""
    found = _Growing(file).node(layer, unit, BRANCHES, None)
    return found if found.parts else None


class _Growing:
    """Nodes out of an atlas; remembers the units whose parts were given."""

    def __init__(self, file: Reader) -> None:
        self._file = file
        self._names: dict[int, dict[int, str]] = {}
        self._opened: set[tuple[int, int]] = set()

    def node(
        self, layer: AtlasLayerRecord, unit: int, branches: tuple[int, ...], share: float | None
    ) -> PartNode:  # fmt: skip
        whole = next(iter(self._file.made_of(layer.id, unit)), None) if branches else None
        again = whole is not None and (layer.id, unit) in self._opened
        parts: tuple[PartNode, ...] = ()
        if whole is not None and not again:
            self._opened.add((layer.id, unit))
            earlier = self._file.layer(whole.earlier)
            strongest = [one for one in whole.strongest if one.share > 0][: branches[0]]
            parts = tuple(self.node(earlier, one.unit, branches[1:], one.share) for one in strongest)
        return PartNode(layer=layer, unit=unit, name=self._name(layer, unit), share=share, parts=parts, again=again)

    def _name(self, layer: AtlasLayerRecord, unit: int) -> str:
        """What the unit shows, as its chapter would say it: by its name; else by its patches in an early layer, by the
        class of its pictures in a later one."""
        if layer.id not in self._names:
            every = range(layer.record.units)
            self._names[layer.id] = {
                one.unit: concept_words(one.thing) if one.by in ("concept", "peaks") else one.phrase
                for one in named_by(self._file, layer, every)
            }
        if self._names[layer.id]:
            return self._names[layer.id].get(unit, "")
        if is_early(self._file, layer):
            return looked_at(self._file, layer, UnitShows(unit=unit)).phrase
        label = majority(self._file, layer, unit)
        return pictures_of(label) if label is not None else ""
