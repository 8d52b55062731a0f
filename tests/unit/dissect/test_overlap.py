"""Looking only at the rare px gives the same counts as looking at all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layerscope.dissect.overlap import Marked, Members, overlaps, overlaps_at_one


def marked(masks: np.ndarray) -> list[Marked]:
    """Of each image the concepts that some px carries."""
    return [Marked(there, image[there]) for image in masks for there in [np.flatnonzero(image.any(1))]]


@given(st.integers(0, 99), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_overlaps_equal_all_px_compared(seed, share):
    """Per unit and concept, the px in the mask above the threshold are counted, whatever the mask's size."""
    rng = np.random.default_rng(seed)
    masks = rng.random((3, 4, 100)) < share
    values = rng.normal(size=(300, 5)).astype(np.float16)
    cuts = np.abs(rng.normal(size=(5, 4))).astype(np.float16)
    on_px = masks.transpose(0, 2, 1).reshape(300, 4)
    expected = ((values[:, :, None] > cuts) & on_px[:, None]).sum(0)
    bits, members = values.view(np.int16), Members.of(marked(masks), 100, 4)
    np.testing.assert_array_equal(overlaps(bits, members, cuts.view(np.int16)), expected)
    single = ((values > cuts[:, 0])[:, :, None] & on_px[:, None]).sum(0)
    found = overlaps_at_one(bits, members, np.ascontiguousarray(cuts[:, 0]).view(np.int16))
    np.testing.assert_array_equal(found, single)


def test_a_mask_larger_than_a_byte_counts_right():
    """300 and 70,000 px above the threshold are counted in full."""
    for count in (300, 70_000):
        bits = np.full((count, 1), 5, np.int16)
        members = Members.of(marked(np.ones((1, 1, count), bool)), count, 1)
        assert overlaps(bits, members, np.zeros((1, 1), np.int16)).tolist() == [[count]]
