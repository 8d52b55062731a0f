"""Concepts in words: every one of the world's, worked out from its angle; others stay as they are."""

import pytest

from layerscope.core.concept_words import (
    COLOURS,
    DIRECTIONS,
    PLAIN,
    THINGS,
    UNCOUNTED,
    closest_words,
    concept_phrase,
    concept_words,
    known_by,
    line_words,
    turned,
)
from layerscope.world.concepts import COLOURS as WORLD_COLOURS
from layerscope.world.concepts import CONCEPTS, EDGE_ANGLES, EDGES


def test_every_concept_of_the_world_has_words() -> None:
    """No digit and no sign is left, no two concepts share their words, and each has its place in a sentence."""
    said = {concept.name: concept_words(concept.name) for concept in CONCEPTS}
    assert all(letter.isalpha() or letter == " " for words in said.values() for letter in words)
    assert len(set(said.values())) == len(CONCEPTS)
    assert {concept.name for concept in CONCEPTS} == {*EDGES, *COLOURS, *THINGS, *UNCOUNTED}
    assert COLOURS == WORLD_COLOURS and set(PLAIN) <= set(said)


def test_edges_are_called_by_their_direction() -> None:
    """Counter-clockwise from the right: above zero an edge rises, below it falls, beyond 45 degrees steeply."""
    assert len(DIRECTIONS) == len(EDGE_ANGLES)
    for angle, edge in zip(EDGE_ANGLES, EDGES, strict=True):
        way = "rising" if angle > 0 else "falling"
        steep = "steeply " if abs(angle) > 45 else "gently " if abs(angle) < 45 else ""
        expected = {0: "horizontal", 90: "vertical"}.get(angle, f"{steep}{way}")
        assert concept_words(edge) == f"{expected} edge"


@pytest.mark.parametrize(
    ("concept", "phrase"),
    [
        ("edge 90", "a vertical edge"),
        ("red", "the colour red"),
        ("arc", "an arc"),
        ("eye", "an eye"),
        ("checker", "a checkerboard"),
        ("stripes", "stripes"),
        ("text", "writing"),
        ("flower head", "a flower head"),
        # Not of the drawn world: a mask of photographs, a world of somebody's own.
        ("sky", "sky"),
        ("edge 30", "edge 30"),
        ("edge <b>", "edge <b>"),
        ("", ""),
    ],
)
def test_phrases(concept: str, phrase: str) -> None:
    """As they stand in a sentence."""
    assert concept_phrase(concept) == phrase


def test_known_by() -> None:
    """By name and by words, each once."""
    assert known_by("edge 90") == ("edge 90", "vertical edge") and known_by("ring") == ("ring",)


def test_what_a_unit_shows_is_said_in_one_way() -> None:
    """A sentence begins with a capital, and nothing else of it is changed."""
    assert closest_words("edge 90", 0.126) == "closest concept: vertical edge, score 0.13"
    assert closest_words("Maltese dog", begins=True) == "Closest concept: Maltese dog"


@pytest.mark.parametrize(
    ("angle", "words"),
    [
        (0, "horizontal"),
        (-90, "vertical"),
        (89, "vertical"),
        (-34, "falling"),
        (12, "gently rising"),
        (178, "horizontal"),
    ],
)
def test_the_nearest_direction(angle: float, words: str) -> None:
    """Eight directions, a line at -90 degrees being one at 90; of two that are as near the first of the table."""
    assert line_words(angle) == words


def test_how_far_an_edge_is_turned() -> None:
    """By at most a right angle, to either side; of a colour nothing is said."""
    assert turned("edge -67.5", 67.5) == 45 and turned("edge 90", -80) == 10 and turned("edge 0", 90) == 90
    assert turned("red", 0) is None and turned("edge 30", 30) is None
