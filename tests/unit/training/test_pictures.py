"""Pictures are decoded as the network will see them, and every draw follows from its seed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from layerscope.core.errors import ImageError
from layerscope.core.records import Input
from layerscope.sources import open_source, prepare
from layerscope.training.pictures import Pictures, class_order, normalised, order_of, read_pictures
from tests.helpers.training import CLASSES, EACH, drawn


def held(pixels: np.ndarray) -> Pictures:
    """Pictures of two classes in turn."""
    return Pictures(pixels, np.arange(len(pixels)) % 2, ("a", "b"))


pixels = arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(8), st.just(8), st.just(3)))


@given(pixels, st.sampled_from([2, 4, 8]))
def test_an_unmoved_window_is_the_middle(pixels, window):
    """Without shift and flip a cut is the centre crop that validation takes."""
    pictures, ids = held(pixels), np.arange(len(pixels))
    cut = pictures.cut(ids, window=window, shift=0, flip=False, draws=np.random.default_rng(0))
    first = (8 - window) // 2
    assert np.array_equal(cut, pixels[:, first : first + window, first : first + window])
    assert np.array_equal(cut, pictures.middle(slice(0, None), window))


@given(pixels, st.integers(0, 3), st.integers(0, 99))
def test_a_cut_is_a_moved_window_flipped_or_not(pixels, shift, seed):
    """Each is one of the possible windows of the picture with its edge repeated; the same seed gives the same."""
    pictures, ids = held(pixels), np.arange(len(pixels))
    cuts = [pictures.cut(ids, window=8, shift=shift, flip=True, draws=np.random.default_rng(seed)) for _ in range(2)]
    assert np.array_equal(*cuts)
    for picture, cut in zip(pixels, cuts[0], strict=True):
        wide = np.pad(picture, ((shift, shift), (shift, shift), (0, 0)), mode="edge")
        moved = [wide[i : i + 8, j : j + 8] for i in range(2 * shift + 1) for j in range(2 * shift + 1)]
        assert any(np.array_equal(cut, window) or np.array_equal(cut[:, ::-1], window) for window in moved)


def test_crops_of_the_margin_stay_inside():
    """As the paper does: 224 of 256 px by at most 16 px to any side needs no px beyond the border."""
    rows = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None, None], (1, 256, 256, 3))
    draws, ids = np.random.default_rng(0), np.zeros(200, np.int64)
    cut = held(np.ascontiguousarray(rows)).cut(ids, window=224, shift=16, flip=False, draws=draws)
    tops = cut[:, 0, 0, 0].astype(int)
    assert (cut[:, :, 0, 0] == tops[:, None] + np.arange(224)).all()
    assert tops.min() == 0 and tops.max() == 32


def test_smaller_pictures_are_means():
    """Each px is the mean of what it covers; the same size is the same object."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    pictures = held(pixels)
    means = pixels.reshape(3, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    assert np.abs(pictures.resized(4).pixels - means).max() <= 1, "rounded along each axis"
    assert pictures.resized(8) is pictures


def test_bytes_become_what_the_network_is_given():
    """`normalised` is `sources.prepare`, to rounding."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3)).astype(np.uint8)
    expects = Input(height=9, width=9, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    made = normalised(pixels, expects)
    for picture, found in zip(pixels, made, strict=True):
        np.testing.assert_allclose(found, prepare(Image.fromarray(picture), expects)[0], atol=1e-6)


def test_every_epoch_has_its_own_order():
    """A permutation that follows from seed and epoch."""
    orders = [order_of(50, seed=3, epoch=epoch) for epoch in (0, 0, 1)]
    assert sorted(orders[0]) == list(range(50))
    assert np.array_equal(orders[0], orders[1]) and not np.array_equal(orders[0], orders[2])


def test_classes_are_in_the_order_of_outputs():
    """By number where all are numbers, else by name."""
    assert class_order({"10", "9", "0"}) == ("0", "9", "10")
    assert class_order({"b", "10", "9"}) == ("10", "9", "b")


def test_a_folder_is_decoded_with_its_classes(pictures: Path):
    """All of it, or the ids asked for, at the side asked for; what was tried is counted."""
    tried: list[int] = []
    found = read_pictures(open_source(pictures), 12, step=tried.append)
    assert found.pixels.shape == (3 * EACH, 12, 12, 3) and found.classes == CLASSES and sum(tried) == 3 * EACH
    assert found.labels.tolist() == [place for place in range(3) for _ in range(EACH)]
    assert (found.pixels.mean(axis=(1, 2)).argmax(axis=1) == found.labels).all()
    some = read_pictures(open_source(pictures), 12, ids=np.array([1, 9, 20]), classes=CLASSES)
    assert np.array_equal(some.pixels, found.pixels[[1, 9, 20]]) and some.labels.tolist() == [0, 1, 2]


def test_broken_pictures_are_left_out(tmp_path: Path):
    """The others keep their classes, and the source knows why."""
    folder = drawn(tmp_path / "some", each=3)
    (folder / CLASSES[1] / "1.png").write_bytes(b"\x89PNG no")
    source = open_source(folder)
    found = read_pictures(source, 8)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 2, 2, 2] and len(source.skipped) == 1


def test_classes_that_do_not_serve_are_a_sentence(tmp_path: Path):
    """None, one only, or one that was not trained on."""
    folder = drawn(tmp_path / "some", each=1)
    with pytest.raises(ImageError, match=r'has the class "n00000003", which is none of the 2 classes trained on'):
        read_pictures(open_source(folder), 8, classes=CLASSES[:2])
    with pytest.raises(ImageError, match=r"has one class only \(n00000001\); a network needs at least two"):
        read_pictures(open_source(folder), 8, ids=np.array([0]))
    with pytest.raises(ImageError, match=r"1 of 1 pictures in .* have no class: give a folder for each class"):
        read_pictures(open_source(folder / CLASSES[0]), 8)
