"""A canvas that keeps what was painted, in order, and what each piece of it shows.

Everything is composed of a few primitives. Each adds one stamp to the painting and marks the shape it shows; a `thing`
made of them marks its own region besides. Nothing is drawn yet: `render` makes the pixels, `masks` the concepts' masks.

Points are complex, right + down * 1j, in the current frame; the outermost frame is the picture, whose side is 1.
A shape is hidden by what is painted after the thing that it belongs to, not by that thing's own parts: a face stays a
circle under its eyes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import numpy as np
from jaxtyping import Float64

from layerscope.world.colours import Colour, Palette
from layerscope.world.outlines import Points, box, ellipse, toward

Outline = Float64[np.ndarray, " _"]  # right, down, right, down, ... [px]
DOT = 0.055  # a disc of a smaller radius is a dot
CORNER = 0.06  # how far a corner's arms reach
THINNEST = 1.1 / 64  # a line's least width


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stamp:
    """One piece of paint. width: of a line [px], or None for an area. to, ramp: a gradient's second colour and the line
    along which it goes there."""

    outline: Outline
    colour: Colour
    width: float | None = None
    to: Colour | None = None
    ramp: Outline | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """From here to the matching Unclip paint stays inside an outline."""

    outline: Outline


@dataclass(frozen=True, slots=True)
class Unclip:
    """The end of the last Clip."""


@dataclass(slots=True, eq=False)
class ConceptMark:
    """That a concept is shown in some outlines and, of a thing, wherever its own paint is seen.

    probes: one line per outline which must stand out for it to count, or none; within: the mark of the thing that it
    belongs to, without which it is not seen either; end: stamps from here on hide it; first: a thing's own stamps are
    first..end; None for what is no thing. paint: the stamps that go when it is taken out, first and behind the last;
    None where it cannot be, as a corner.
    """

    concept: str
    outlines: tuple[Outline, ...]
    probes: tuple[Outline, ...]
    clips: tuple[Outline, ...]
    within: "ConceptMark | None" = None
    first: int | None = None
    end: int = -1
    paint: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How shapes are painted. contour: colour of the line around each, or None; paper: what areas are filled with in a
    line drawing, or None; width: of contours."""

    contour: Colour | None = None
    paper: Colour | None = None
    width: float = 0.024


@dataclass(slots=True)
class Canvas:
    """What is painted on a picture of `size` px. marking: whether marks are kept; they take longer than the paint."""

    size: int
    random: Random
    palette: Palette
    marking: bool = True
    style: Style = Style()
    stamps: list[Stamp | Clip | Unclip] = field(default_factory=list)
    marks: list[ConceptMark] = field(default_factory=list)
    _open: list[list[ConceptMark]] = field(default_factory=list)
    _clips: tuple[Outline, ...] = ()
    _last: int = 0  # where the stamps of the last shape or line begin
    # A point p of the frame lies at turn * p + mirror * conj(p) + origin of the picture.
    _turn: complex = 1.0
    _mirror: complex = 0.0
    _origin: complex = 0.0

    @contextmanager
    def frame(
        self, origin: complex, scale: float, angle: float = 0.0, *, flip: bool = False, squeeze: float = 1.0
    ) -> Iterator[None]:
        """Paint in a frame of its own. flip: mirrored left to right; squeeze: its width over its height."""
        kept = self._turn, self._mirror, self._origin
        across, down = scale * squeeze**0.5 * (-1 if flip else 1), scale / squeeze**0.5
        # right * across + 1j * down' = p * (across + down)/2 + conj(p) * (across - down)/2
        turn, mirror = toward(angle) * (across + down) / 2, toward(angle) * (across - down) / 2
        a, b, c = kept
        self._origin = a * origin + b * complex(origin).conjugate() + c
        self._turn, self._mirror = a * turn + b * mirror.conjugate(), a * mirror + b * turn.conjugate()
        yield
        self._turn, self._mirror, self._origin = kept

    @property
    def scale(self) -> float:
        """Length in the picture of a unit of the frame."""
        return abs(abs(self._turn) ** 2 - abs(self._mirror) ** 2) ** 0.5

    @contextmanager
    def thing(self, concept: str, *outlines: Points) -> Iterator[None]:
        """All that is painted inside belongs to one thing. outlines: what belongs to it besides its paint."""
        if not self.marking:
            yield
            return
        mark = self._mark(concept, outlines)
        mark.first = len(self.stamps)
        self.marks.append(mark)
        self._open.append([mark])
        yield
        for own in self._open.pop():
            own.end = len(self.stamps)
        mark.paint = mark.first, mark.end

    @contextmanager
    def clip(self, points: Points) -> Iterator[None]:
        """What is painted inside is cut off at an outline."""
        kept, outline = self._clips, self._px(points)
        self._clips = (*kept, outline)
        self.stamps.append(Clip(outline))
        yield
        self.stamps.append(Unclip())
        self._clips = kept

    @contextmanager
    def drawn(self, style: Style) -> Iterator[None]:
        """Paint shapes in a style."""
        kept, self.style = self.style, style
        yield
        self.style = kept

    def mark(
        self, concept: str, *outlines: Points, probes: Sequence[Points] | None = None, since: int | None = None
    ) -> None:
        """Note that a concept is shown there; it is hidden by what comes after the thing that is being painted.

        probes: per outline the line that must stand out from what is beside it; by default the outline. since: the
        first of the stamps that show it, up to the last one; by default the last shape or line shows it.
        """
        if self.marking:
            mark = self._mark(concept, outlines, outlines if probes is None else probes)
            mark.paint = self._last if since is None else since, len(self.stamps)
            self._add(mark)

    def fill(self, points: Points, colour: Colour) -> None:
        """Paint an area."""
        self._last = len(self.stamps)
        self.stamps.append(Stamp(outline=self._px(points), colour=colour))

    def stroke(self, points: Points, width: float, colour: Colour, *, closed: bool = False) -> None:
        """Paint a line along points; never so thin that it could not be seen."""
        if closed:
            points = np.append(points, points[:2])
        wide = max(width * self.scale, THINNEST) * self.size
        self._last = len(self.stamps)
        self.stamps.append(Stamp(outline=self._px(points), colour=colour, width=wide))

    def shade(self, points: Points, colour: Colour, to: Colour, ramp: Points) -> None:
        """Paint an area whose colour goes over into another along a line; marks the gradient."""
        self.stamps.append(Stamp(outline=self._px(points), colour=colour, to=to, ramp=self._px(ramp)))
        if self.marking:
            mark = self._mark("gradient", (points,))
            mark.end = len(self.stamps)
            mark.paint = mark.end - 1, mark.end
            self.marks.append(mark)

    def shape(self, points: Points, colour: Colour, *, solid: bool = False) -> None:
        """Paint an area in the style. solid: its colour tells (a pupil), so a line drawing has it too."""
        paper = self.style.paper
        first = len(self.stamps)
        self.fill(points, colour if paper is None or solid else paper)
        if self.style.contour is not None:
            self.stroke(points, self.style.width / self.scale, self.style.contour, closed=True)
        self._last = first

    def polygon(self, points: Points, colour: Colour, *, concept: str | None = None, solid: bool = False) -> None:
        """A shape with corners, which are marked; concept: what it is itself."""
        self.shape(points, colour, solid=solid)
        self.corners(points)
        if concept is not None:
            self.mark(concept, points)

    def rectangle(self, centre: complex, across: float, down: float, colour: Colour, turn: float = 0.0) -> None:
        """A rectangle by its half sides."""
        self.polygon(box(centre, across, down, turn), colour, concept="rectangle")

    def disc(
        self, centre: complex, across: float, colour: Colour, down: float | None = None, *, solid: bool = False
    ) -> Points:
        """A disc or ellipse; a dot or a circle as its size has it. Its outline."""
        outline = ellipse(centre, across, down)
        self.shape(outline, colour, solid=solid)
        self.mark_round(outline)
        return outline

    def ring(self, centre: complex, radius: float, width: float, colour: Colour) -> Points:
        """A circle as a line; its outer outline."""
        self.stroke(ellipse(centre, radius), width, colour, closed=True)
        outline = ellipse(centre, radius + width / 2)
        self.mark("ring", outline)
        self.mark_round(outline)
        return outline

    def arc(self, points: Points, width: float, colour: Colour) -> None:
        """A bent line, marked as an arc: the line and a margin."""
        self.stroke(points, width, colour)
        if not self.marking:
            return
        line = self._band(points, max(width, THINNEST / self.scale))
        self.mark("arc", self._band(points, max(1.6 * width, 0.05 / self.scale)), probes=(line,))

    def mark_round(self, outline: Points) -> None:
        """Mark an ellipse as a dot or, if it looks round, as a circle."""
        if not self.marking:
            return
        px = self._px(outline).reshape(-1, 2)
        across, down = np.ptp(px, axis=0) / self.size
        if max(across, down) < 2 * DOT:
            self.mark("dot", outline)
        elif 0.72 < across / down < 1.39:
            self.mark("circle", outline)

    def corners(self, points: Points) -> None:
        """Mark the corners of a polygon that are neither blunt nor at the end of short sides."""
        if not self.marking:
            return
        px = self._px(points).view(np.complex128)
        to, back = np.append(px[1:], px[0]) - px, np.append(px[-1], px[:-1]) - px
        reach = 0.8 * CORNER * self.size
        sharp = np.abs(np.angle(to / np.where(back == 0, 1, back), deg=True))
        long = np.minimum(np.abs(to), np.abs(back)) > reach
        around, arms = [], []
        for vertex in np.flatnonzero((sharp > 35) & (sharp < 130) & long):
            steps = np.array([0, to[vertex] / abs(to[vertex]), back[vertex] / abs(back[vertex])])
            around.append(_flat(ellipse(px[vertex] + 0.375 * reach * steps.sum(), reach, count=12)))
            arms.append(_flat(px[vertex] + reach * steps))
        if around:
            self._add(ConceptMark("corner", tuple(around), tuple(arms), self._clips, self._within))

    def _band(self, points: Points, width: float) -> Points:
        """The outline of a line of a width."""
        step = np.gradient(points)
        side = 1j * step / np.abs(step) * width / 2
        return np.concatenate((points + side, (points - side)[::-1]))

    def _mark(self, concept: str, outlines: Sequence[Points], probes: Sequence[Points] = ()) -> ConceptMark:
        placed = tuple(map(self._px, outlines)), tuple(map(self._px, probes))
        return ConceptMark(concept, *placed, self._clips, self._within)

    @property
    def _within(self) -> ConceptMark | None:
        return self._open[-1][0] if self._open else None

    def _add(self, mark: ConceptMark) -> None:
        self.marks.append(mark)
        if self._open:
            self._open[-1].append(mark)
        else:
            mark.end = len(self.stamps)

    def _px(self, points: Points) -> Outline:
        placed = points * (self._turn * self.size) + self._origin * self.size
        if self._mirror:
            placed += points.conj() * (self._mirror * self.size)
        return _flat(placed)


def _flat(points: Points) -> Outline:
    return np.ascontiguousarray(points).view(np.float64)
