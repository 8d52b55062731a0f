"""From what was painted, and how it came out, to one mask per concept.

Edges and colours are told from the finished pixels. A drawn shape counts where it was not painted over later, if its
outline can be seen: most of it stands out from what is around it, and enough of its area is not hidden.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from layerscope.world.canvas import Canvas, ConceptMark, Outline
from layerscope.world.concepts import COLOURS, CONCEPTS, EDGES, PLACE
from layerscope.world.render import covered, owners
from layerscope.world.seen import FAINTEST, colours, edges, highest

LEAST_SHARE = 0.35  # of a shape's area that must be seen
LEAST_AREA = 5  # px
LEAST_OUTLINE = 0.6  # share of an outline that must stand out
LEAST_TEXTURE = 0.15  # share of a pattern's inner area in which the picture must change
LEAST_INNER = 16  # px; with less, all of its area counts
TEXTURES = frozenset(
    ("stripes", "grid", "checker", "honeycomb", "bricks", "dots", "waves", "zigzag", "spiral", "target", "text")
)


def concept_masks(canvas: Canvas, pixels: UInt8[np.ndarray, "size size 3"]) -> Bool[np.ndarray, "concepts size size"]:
    """Where each of CONCEPTS is seen in the finished picture."""
    masks = np.zeros((len(CONCEPTS), canvas.size, canvas.size), bool)
    seen = edges(pixels)
    masks[: len(EDGES)] = seen.masks
    masks[len(EDGES) : len(EDGES) + len(COLOURS)] = colours(pixels)
    for mark, region in regions(canvas, owners(canvas.stamps, canvas.size), seen.slope):
        masks[PLACE[mark.concept]] |= region
    return masks


def regions(
    canvas: Canvas, owner: Int[np.ndarray, "size size"], slope: Float[np.ndarray, "size size"]
) -> Iterator[tuple[ConceptMark, Bool[np.ndarray, "size size"]]]:
    """The marks that can be seen, in order, with where. owner: the stamp seen at each px; slope: as of `edges`."""
    hidden: set[int] = set()
    for mark, outlines in zip(canvas.marks, _standing_out(canvas.marks, owner, slope), strict=True):
        region = None if id(mark.within) in hidden else _region(mark, outlines, owner, slope)
        if region is None:
            hidden.add(id(mark))
        else:
            yield mark, region


def _region(
    mark: ConceptMark,
    outlines: Sequence[Outline],
    owner: Int[np.ndarray, "size size"],
    slope: Float[np.ndarray, "size size"],
) -> Bool[np.ndarray, "size size"] | None:
    """Where a mark is seen; None if too little of it is."""
    own = np.zeros(owner.shape, bool) if mark.first is None else (owner >= mark.first) & (owner < mark.end)
    if not outlines:
        return own if own.sum() >= LEAST_AREA else None
    region = covered(outlines, len(owner))
    for clip in mark.clips:
        region &= covered((clip,), len(owner))
    found = region & (owner < mark.end)
    enough = found.sum() >= max(LEAST_AREA, LEAST_SHARE * region.sum())
    if enough and mark.concept in TEXTURES:
        inner = found & ~highest(~found)  # what is beside a pattern has edges of its own
        enough = (slope[inner if inner.sum() > LEAST_INNER else found] > FAINTEST).mean() > LEAST_TEXTURE
    return found | own if enough else None


def _standing_out(
    marks: Sequence[ConceptMark], owner: Int[np.ndarray, "size size"], slope: Float[np.ndarray, "size size"]
) -> list[Sequence[Outline]]:
    """The outlines of each mark that can be seen: whose probes lie, for the most part, where the picture changes."""
    probes = [(probe, mark.end) for mark in marks for probe in mark.probes]
    seen = iter(_seen(probes, owner, slope))
    return [
        [outline for outline, _ in zip(mark.outlines, mark.probes, strict=True) if next(seen)]
        if mark.probes
        else mark.outlines
        for mark in marks
    ]


def _seen(
    probes: Sequence[tuple[Outline, int]],
    owner: Int[np.ndarray, "size size"],
    slope: Float[np.ndarray, "size size"],
) -> Bool[np.ndarray, " probes"]:
    """Whether each closed line, as far as it is not hidden by a later stamp, runs mostly where the picture changes."""
    if not probes:
        return np.zeros(0, bool)
    lengths = np.array([len(probe) // 2 for probe, _ in probes])
    ends = np.cumsum(lengths)
    follower = np.arange(1, ends[-1] + 1)
    follower[ends - 1] = ends - lengths
    points = np.concatenate([probe for probe, _ in probes]).reshape(-1, 2)
    between = np.concatenate([points + part * (points[follower] - points) for part in (0.0, 1 / 3, 2 / 3)])
    number = np.tile(np.repeat(np.arange(len(probes)), lengths), 3)
    cols, rows = np.floor(between).astype(int).T
    inside = (np.minimum(rows, cols) >= 0) & (np.maximum(rows, cols) < len(slope))
    rows, cols, number = rows[inside], cols[inside], number[inside]
    bare = owner[rows, cols] < np.array([end for _, end in probes])[number]
    changing = bare & (slope[rows, cols] > FAINTEST)
    looked, hits = (np.bincount(number[flags], minlength=len(probes)) for flags in (bare, changing))
    return hits >= np.maximum(LEAST_OUTLINE * looked, 1)
