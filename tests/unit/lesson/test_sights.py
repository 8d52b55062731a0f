"""What patches are seen to have in common: drawn ones whose answer is known, and nothing in noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.facts.patches import patch_sight
from layerscope.lesson.patch_forms import common_colour, common_round, pattern
from layerscope.lesson.sights import SIGHTS, Seen, Sight, clearest
from layerscope.lesson.themes import THEMES

SIDE = 28
ROWS, COLS = np.mgrid[:SIDE, :SIDE].astype(float)
FAR = np.hypot(ROWS - (SIDE - 1) / 2, COLS - (SIDE - 1) / 2)


def nine(gray: np.ndarray, *, colour: tuple[float, float, float] = (1, 1, 1), seed: int = 0) -> np.ndarray:
    """Nine patches of one drawing, values 0..1, each with a little noise of its own."""
    random = np.random.default_rng(seed)
    values = 255 * gray[None, ..., None] * np.array(colour) + random.normal(0, 3, (9, *gray.shape, 3))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def noise(seed: int) -> np.ndarray:
    """Nine patches that have nothing in common: a border each, of any direction and place, between two grays."""
    random, patches = np.random.default_rng(seed), []
    for angle, place, dark, light in random.uniform((0, -6, 0, 0), (np.pi, 6, 1, 1), (9, 4)):
        side = (ROWS - SIDE / 2) * np.sin(angle) + (COLS - SIDE / 2) * np.cos(angle) > place
        patches.append(np.where(side, light, dark)[..., None].repeat(3, -1))
    return np.rint(255 * np.array(patches)).astype(np.uint8)


def told(patches: np.ndarray) -> tuple[Sight, Seen] | None:
    return clearest(patches, patch_sight(patches))


DISC, RING = (FAR < 6).astype(float), np.exp(-((FAR - 8) ** 2) / 4)
HATCHED = ((ROWS + COLS) % 6 < 3) * 0.5 + ((ROWS - COLS) % 6 < 3) * 0.5


@pytest.mark.parametrize(
    ("patches", "theme", "phrase"),
    [
        (nine((ROWS % 14 < 7) * 1.0), "lines", "a horizontal line or edge"),
        (nine((COLS > 13) * 1.0), "lines", "a vertical line or edge"),
        (nine(np.ones((SIDE, SIDE)), colour=(0.9, 0.1, 0.1)), "colours", "the colour red"),
        (nine(np.ones((SIDE, SIDE)), colour=(0.1, 0.2, 0.9)), "colours", "the colour blue"),
        (nine(np.ones((SIDE, SIDE)), colour=(0.9, 0.85, 0.1)), "colours", "the colour yellow"),
        (nine(np.ones((SIDE, SIDE)), colour=(0.2, 0.8, 0.2)), "colours", "the colour green"),
        (nine(DISC), "shapes", "something round, light in the middle"),
        (nine(1 - DISC), "shapes", "something round, dark in the middle"),
        (nine(RING), "shapes", None),
        (nine(HATCHED), "patterns", "a pattern that fills the patch"),
    ],
)
def test_what_is_drawn_is_seen(patches: np.ndarray, theme: str, phrase: str | None) -> None:
    """Lines by their direction, colours by their name, discs by their middle, hatching as a pattern."""
    found = told(patches)
    assert found is not None
    sight, seen = found
    assert sight.theme == THEMES[theme] and phrase in (None, seen.phrase) and sight.least <= seen.share <= 1


def test_nothing_is_seen_in_unlike_patches() -> None:
    """Of a hundred sets of borders of any direction at most five pass for something, and flat gray for nothing."""
    assert sum(told(noise(seed)) is not None for seed in range(100)) <= 5
    assert told(np.full((9, SIDE, SIDE, 3), 128, np.uint8)) is None


def test_each_theme_is_looked_for_once() -> None:
    """And a share at its least is just seen."""
    themes = [sight.theme.name for sight in SIGHTS]
    assert len(set(themes)) == len(themes)
    assert all(sight.look(nine(DISC), patch_sight(nine(DISC))).phrase for sight in SIGHTS)


def test_a_round_form_is_found_beside_the_middle() -> None:
    """Four px of 28 away it is as round as in the middle, more than a border is, and rays are the contrary."""
    beside = common_round(nine(np.roll(DISC, (4, -4), (0, 1)))).share
    rays = common_round(nine((np.cos(8 * np.arctan2(ROWS - 13.5, COLS - 13.5)) + 1) / 2)).share
    assert beside > 0.7 and beside == pytest.approx(common_round(nine(DISC)).share, abs=0.15)
    assert rays < 0 < beside


def test_a_pattern_is_finer_than_a_border() -> None:
    """And one that fills a corner only is less of a pattern."""
    corner = np.where((ROWS < 10) & (COLS < 10), HATCHED, 0.5)
    assert pattern(nine(HATCHED)) > 2 * pattern(nine((COLS > 13) * 1.0))
    assert pattern(nine(HATCHED)) > 2 * pattern(nine(corner))


@given(st.integers(1, 9), st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_any_patches_can_be_looked_at(count: int, rows: int, cols: int, seed: int) -> None:
    """However few and small: shares stay within their bounds."""
    patches = np.random.default_rng(seed).integers(0, 256, (count, rows, cols, 3), np.uint8)
    assert 0 <= common_colour(patches).share <= 1 and -1 <= common_round(patches).share <= 1
    assert 0 <= pattern(patches) < 3
    found = told(patches)
    assert found is None or found[0].least <= found[1].share <= 1
