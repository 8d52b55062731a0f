"""Sentences follow from what was measured, and reach the atlas."""

import numpy as np
import pytest

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.atlas.write import AtlasWriter
from layerscope.core.records import Input
from layerscope.dissect import describe, record_notes
from layerscope.dissect.describe import as_colours, sentences
from layerscope.dissect.filters import filter_sight
from layerscope.facts.patches import patch_sight
from tests.helpers.atlases import INPUT, small_atlas
from tests.unit.dissect.test_filters import blob, coloured, gabor
from tests.unit.facts.test_patches import stripes

WAVES = r"0\.1\d cycles per px"
MANY = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


def patches(angle: float, *colours: tuple[int, int, int]) -> np.ndarray:
    return np.stack([stripes(angle, (0, 0, 0), colour) for colour in colours])


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (coloured(gabor(-45, 0.18)), rf"Responds to a falling light line \(-45 degrees, {WAVES}\), colour-blind\."),
        (-coloured(gabor(90, 0.18)), rf"Responds to a vertical dark line \(90 degrees, {WAVES}\), colour-blind\."),
        (
            coloured(gabor(0, 0.18, edge=True), "blue against yellow"),
            rf"Responds to a horizontal edge between (blue and yellow|yellow and blue) \(0 degrees, {WAVES}\)\.",
        ),
        (
            coloured(gabor(30, 0.18), "red against green"),
            rf"Responds to a gently rising line, red against green \(30 degrees, {WAVES}\)\.",
        ),
        (coloured(gabor(82, 0.18)), rf"Responds to a vertical light line \(82 degrees, {WAVES}\), colour-blind\."),
        (coloured(blob(), "green against magenta"), r"Responds to a green blob, green against magenta.*\."),
        (-coloured(blob()), r"Responds to a dark blob.*, colour-blind\."),
        (coloured(np.ones((5, 5)), "blue against yellow"), r"Responds to blue against yellow\."),
    ],
)
def test_filters_in_words(weights, said):
    """Lines, edges, blobs and plain colours, each with its direction, tone or colours."""
    import re

    assert re.fullmatch(said, sentences(filter_sight(weights), None))


def test_whatever_its_colour():
    """The lesson's first example: a colour-blind filter at -45 degrees whose patches have many colours."""
    text = sentences(filter_sight(coloured(gabor(-45, 0.18))), patch_sight(patches(-45, *MANY)))
    assert text.startswith("Responds to a falling light line (-45 degrees")
    assert "whatever its colour." in text
    assert "Its patches differ much in colour" in text


def test_patches_alone():
    """Without a filter, a direction that all patches share is said, and how they differ; else that they share none."""
    assert sentences(None, patch_sight(patches(-45, *MANY))).startswith(
        "Responds to a falling line or edge (-45 degrees), whatever its colour. Its patches differ much in colour"
    )
    white = (255, 255, 255)
    assert sentences(None, patch_sight(patches(30, white, white))) == (
        "Responds to a gently rising line or edge (30 degrees). "
        "Its patches differ little in colour, little in brightness and little in texture."
    )
    mixed = np.concatenate([patches(angle, white) for angle in (0, 45, 90, 135)])
    assert sentences(None, patch_sight(mixed)).startswith("Its patches share no direction.")


def test_filters_are_read_in_px_values_and_rgb():
    """Weights count per px value, so they are divided by the std; BGR is turned."""
    weights = np.stack([np.full((1, 1), value) for value in (1.0, 2.0, 3.0)])
    turned = as_colours(weights, Input(height=4, width=4, std=(0.5, 1.0, 2.0), order="BGR"))
    assert turned.ravel().tolist() == [1.5, 2.0, 2.0]


def test_notes_reach_the_atlas(tmp_path):
    """The first layers' units get a sentence each, in place of older ones; dense ones get none."""
    path = small_atlas(tmp_path / "a.atlas", units=4)
    lines = np.stack([coloured(gabor(angle, 0.18, side=7, width=1.6)) for angle in (-45, 0, 45, 90)])
    with AtlasWriter.resume(path) as writer:
        writer.put_filters(0, (lines * np.array(INPUT.std)[:, None, None]).astype(np.float32))
        writer.put_notes(0, "describe", {0: "old", 3: "old"})
    with AtlasFile(path) as file:
        notes = describe(file)
    record_notes(path, notes)
    assert {note.layer for note in notes} == {"features.1", "features.4"}
    with ls.open(path) as atlas:
        ways = ("falling", "horizontal", "rising", "vertical")
        for unit, way in zip(atlas["features.1"], ways, strict=True):
            assert unit.note is not None and unit.note.startswith(f"Responds to a {way} light line (")
        assert atlas["classifier.1"][0].note is None
