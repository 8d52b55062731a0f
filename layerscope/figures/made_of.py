"""The tree of a unit: the units of the layer before that make it, those that make these, and so on down to lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from layerscope.atlas.records import AtlasLayerRecord, Peak
from layerscope.core.errors import UsageError
from layerscope.core.geometry import Box
from layerscope.core.numbers import in_words, signed_percent
from layerscope.core.shares import MadeOf, UnitShare
from layerscope.facts.boxes import on_picture
from layerscope.facts.standing import names_shown
from layerscope.facts.unit import unshared
from layerscope.facts.wrapping import Reader
from layerscope.figures import words
from layerscope.figures.gather import check_unit, patches
from layerscope.figures.sheet import Sheet
from layerscope.figures.tree import Branches, Grid, Panel, UnitNode

SHOWN = 9  # patches of a unit
ABOVE = "its parts: above"


def unit_tree(file: Reader, layer: str, unit: int, *, depth: int = 3, branches: int = 3) -> Sheet:
    """A unit, the units that make it, those that make these, and so on: each with its patches and its share.

    depth: how many layers it goes back. branches: how many parts a unit has, those of the highest shares above zero.
    The parts of a unit that comes again stand where it comes first.
    Raises UsageError for a layer or unit that the atlas does not hold, and where it does not know what it is made of.
    """
    shown = file.layer(layer)
    number = check_unit(shown, unit)
    whole = next(iter(file.made_of(shown.id, number)), None)
    if whole is None or not _parts(whole, branches):
        why = "no unit of the layer before speaks for it" if whole else unshared(file, shown, number)
        raise UsageError(f'layer "{shown.name}", unit {number}: no tree can be drawn, since {why}')
    root = _Gathering(file, branches).node(shown, number, depth)
    return Sheet(
        panels=(Panel(parts=(Branches(root=root, headings=_headings(root)),)),),
        columns=1,
        title=f"What unit {number} of {shown.name} of {file.run.network} is made of",
        caption=_caption(file, shown, root, whole, branches),
        footer=words.footer(file),
        provenance=words.provenance(
            file, kind="tree", layer=shown.name, unit=number, depth=depth, branches=branches
        ),
    )  # fmt: skip


def _parts(whole: MadeOf, branches: int) -> list[UnitShare]:
    return [part for part in whole.strongest if part.share > 0][:branches]


class _Gathering:
    """Nodes out of an atlas; remembers the units whose parts were given."""

    def __init__(self, file: Reader, branches: int) -> None:
        self.file, self.branches = file, branches
        self._names: dict[int, dict[int, str]] = {}
        self._opened: set[tuple[int, int]] = set()

    def node(
        self, layer: AtlasLayerRecord, unit: int, depth: int, share: float | None = None, place: Box | None = None
    ) -> UnitNode:
        """A unit with its parts, `depth` layers down."""
        whole = next(iter(self.file.made_of(layer.id, unit)), None) if depth else None
        again = whole is not None and (layer.id, unit) in self._opened
        seen, found = None, ()
        if whole is not None and not again:
            self._opened.add((layer.id, unit))
            earlier, seen = self.file.layer(whole.earlier), _SeenField.at(self.file, layer, unit)
            found = tuple(
                self.node(earlier, part.unit, depth - 1, part.share, seen.place(earlier, part) if seen else None)
                for part in _parts(whole, self.branches)
            )
        return UnitNode(
            layer=layer.name, unit=unit, words=tuple(self._words(layer, unit, again)), parts=found, share=share,
            patches=self._patches(layer, unit), seen=seen.pixels if seen else None, place=place,
        )  # fmt: skip

    def _words(self, layer: AtlasLayerRecord, unit: int, again: bool) -> Iterator[str]:
        if layer.id not in self._names:
            self._names[layer.id] = names_shown(self.file, layer)
        yield f"unit {unit}"
        if unit in self._names[layer.id]:
            yield self._names[layer.id][unit]
        if again:
            yield ABOVE

    def _patches(self, layer: AtlasLayerRecord, unit: int) -> Grid:
        found = patches(self.file, layer, unit)
        return replace(found, tiles=found.tiles[:SHOWN], columns=min(found.columns, 3))


@dataclass(frozen=True)
class _SeenField:
    """What a unit sees at its highest peak, cut out of the image's thumbnail. scale: px of the thumbnail per px of the
    source picture, rows and columns. field: what was cut out, px of the thumbnail."""

    peak: Peak
    scale: tuple[float, float]
    field: Box
    pixels: UInt8[np.ndarray, "h w 3"]

    @classmethod
    def at(cls, file: Reader, layer: AtlasLayerRecord, unit: int) -> "_SeenField | None":
        """None where the atlas keeps no thumbnail of it."""
        peak = next(iter(file.peaks(layer.id, unit)), None)
        picture = file.picture(peak.image) if peak else None
        if peak is None or picture is None:
            return None
        record, (height, width, _) = file.image(peak.image), picture.shape
        if record.height is None or record.width is None:
            return None
        scale = height / record.height, width / record.width
        boxes = on_picture(peak, scale)
        field = boxes[0].clipped(height, width) if boxes else None
        if field is None or not (field.height and field.width):
            return None
        return cls(peak, scale, field, picture[field.top : field.bottom, field.left : field.right])

    def place(self, earlier: AtlasLayerRecord, part: UnitShare) -> Box | None:
        """The receptive field from which the most of a share comes, px of what was cut out; None where it sees all."""
        if earlier.record.field.sees_all:
            return None
        boxes = on_picture(replace(self.peak, box=earlier.record.field.box(part.row, part.col)), self.scale)
        assert boxes is not None
        whole, field = boxes[0], self.field
        inside = Box(
            top=whole.top - field.top, left=whole.left - field.left,
            bottom=whole.bottom - field.top, right=whole.right - field.left,
        ).clipped(field.height, field.width)  # fmt: skip
        return inside if inside.height and inside.width else None


def _headings(root: UnitNode) -> tuple[str, ...]:
    """The layer of each step, the tree's own unit first."""
    found, level = [], [root]
    while level:
        found.append(level[0].layer)
        level = [part for node in level for part in node.parts]
    return tuple(found)


def _caption(file: Reader, layer: AtlasLayerRecord, root: UnitNode, whole: MadeOf, branches: int) -> str:
    shown = sum(part.share or 0.0 for part in root.parts)
    most = in_words(branches)
    framed = any(node.place is not None for node in root.nodes)
    again = any(ABOVE in node.words for node in root.nodes)
    named = any(line != ABOVE for node in root.nodes for line in node.words[1:])
    pictures = "A unit with parts shows what it saw at its highest peak, then the patches of its peaks, best first"
    frames = "; a frame, in the colour of a line, is the receptive field from which that part sends most there"
    passed = abs(whole.past) >= 0.0005
    sentences = [
        f"Right of each unit stand the units of the layer before that send most to its peaks, at most {most}. The "
        "number at a line is the share: how much of the unit's activation comes from that part, the mean over its "
        f"peaks ({in_words(whole.peaks)} of unit {whole.unit}).",
        f"{pictures}{frames if framed else ''}.",
        "The parts of a unit that comes again stand where it comes first." if again else "",
        "Shares of all units of a layer, of those not shown and of those below zero too, make 100 % with what "
        f"constants (biases) add{' and what comes by ways past the layer' if passed else ''}: of unit {whole.unit}, "
        f"units send {signed_percent(whole.units)} (those shown {signed_percent(shown)}), constants "
        f"{signed_percent(whole.constants)}{f', ways past {signed_percent(whole.past)}' if passed else ''}.",
        "This is exact while the gates are held: every rectifier stays open or shut, and every pool keeps the place "
        "that it chose, as the image set them. So shares say what an activation was made of, not what it would be "
        "without a part.",
        words.names_words(file, [file.layer(name) for name in {node.layer for node in root.nodes}]) if named else "",
        words.source_words(file, layer),
    ]
    return " ".join(sentence for sentence in sentences if sentence)
