"""Outlines as complex points, right + down * 1j: ellipses, boxes, stars, arcs, smooth curves.

Angles are in degrees, counter-clockwise from the right, as seen.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Complex128

Points = Complex128[np.ndarray, " _"]


def toward(angle: float) -> complex:
    """The unit step in a direction."""
    return complex(np.exp(-1j * np.radians(angle)))


@cache
def _circle(count: int) -> Points:
    return np.exp(-2j * np.pi * np.arange(count) / count)


def ellipse(centre: complex, across: float, down: float | None = None, turn: float = 0.0, count: int = 32) -> Points:
    """An ellipse by its half axes; a circle without the second."""
    circle = _circle(count)
    if down is None or down == across:
        return centre + across * circle
    return centre + (np.real(circle) * across + 1j * np.imag(circle) * down) * toward(turn)


def box(centre: complex, across: float, down: float, turn: float = 0.0) -> Points:
    """A rectangle by its half sides, from its top left corner."""
    corners = np.array([-across - 1j * down, across - 1j * down, across + 1j * down, -across + 1j * down])
    return centre + corners * toward(turn)


def regular(centre: complex, radius: float, corners: int, turn: float = 90.0) -> Points:
    """A regular polygon; its first corner lies in the direction `turn`."""
    return centre + radius * toward(turn) * _circle(corners)


def star(centre: complex, outer: float, inner: float, tips: int, turn: float = 90.0) -> Points:
    """A star."""
    radii = np.where(np.arange(2 * tips) % 2, inner, outer)
    return centre + radii * toward(turn) * _circle(2 * tips)


def arc(centre: complex, radius: float, first: float, last: float, count: int = 16) -> Points:
    """A part of a circle, as an open line."""
    return centre + radius * np.exp(-1j * np.radians(np.linspace(first, last, count)))


def sector(centre: complex, radius: float, first: float, last: float) -> Points:
    """A slice of a disc."""
    return np.append(arc(centre, radius, first, last), centre)


def blob(points: Sequence[complex], steps: int = 6) -> Points:
    """A smooth closed curve through points (Catmull-Rom)."""
    return _smooth(np.roll(np.asarray(points, complex), 1), steps, len(points), closed=True)


def curve(points: Sequence[complex], steps: int = 6) -> Points:
    """A smooth open curve through points (Catmull-Rom)."""
    known = np.asarray(points, complex)
    padded = np.concatenate((known[:1] * 2 - known[1:2], known, known[-1:] * 2 - known[-2:-1]))
    return np.append(_smooth(padded, steps, len(known) - 1, closed=False), known[-1])


def _smooth(points: Points, steps: int, spans: int, *, closed: bool) -> Points:
    """Spans between the second point and those behind it."""
    if closed:
        points = np.concatenate((points, points[:3]))
    before, start, end, after = (points[k : k + spans, None] for k in range(4))
    t = np.arange(steps) / steps
    cubic = (-before + 3 * start - 3 * end + after) * t**3 + (2 * before - 5 * start + 4 * end - after) * t**2
    return (0.5 * (cubic + (end - before) * t + 2 * start)).ravel()


def line(*points: complex) -> Points:
    """Straight pieces between points."""
    return np.array(points, complex)
