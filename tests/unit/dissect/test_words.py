"""Names from words are those of counting pairs among the images nearest to each word; shuffled images name nothing."""

import numpy as np
import pytest
import torch

from layerscope.core.labels import ALPHA, LEAST_AUC
from layerscope.core.words import LEAST_IMAGES, SHARES, LayerWords
from layerscope.dissect import words as module
from layerscope.dissect.words import Nearest, Ranked, blocks, centred, name_layers, nearest, wanted
from tests.helpers.ranks import pairwise_auc

IMAGES, CONCEPTS, OTHERS, DIMENSIONS = 400, 6, 30, 64
NAMES = [f"concept {place}" for place in range(CONCEPTS)] + [f"other {place}" for place in range(OTHERS)]


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words, pictures and maxima: unit k follows concept k, then as many units of noise, and one that is silent.

    What all words share lies nearer to some pictures than to others, as in models that compare both.
    """
    rng = np.random.default_rng(4)
    directions = rng.normal(size=(CONCEPTS + OTHERS + 1, DIMENSIONS))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    amount = (rng.random((IMAGES, CONCEPTS)) < 0.06) * rng.uniform(0.5, 1.2, (IMAGES, CONCEPTS))
    common = (1 + 0.5 * rng.normal(size=(IMAGES, 1))) * directions[-1]
    noise = rng.normal(size=(IMAGES, DIMENSIONS)) / 10
    pictures = unit(amount @ directions[:CONCEPTS] + common + noise)
    own = np.maximum(amount + rng.normal(0, 0.3, amount.shape), 0)
    maxima = np.concatenate([own, np.maximum(rng.normal(size=amount.shape), 0), np.zeros((IMAGES, 1))], axis=1)
    return unit(directions[:-1] + directions[-1]), pictures, maxima.astype(np.float32)


def named(drawn: tuple[np.ndarray, np.ndarray, np.ndarray], **more: object) -> LayerWords:
    texts, pictures, maxima = drawn
    layer = {"a": Ranked.of(maxima)}
    *counts, found = name_layers(layer, more.get("untrained", {}), NAMES, texts, pictures, 0)
    assert sum(counts) == len(NAMES)
    return found


def test_a_unit_is_named_by_the_word_that_it_follows(drawn):
    """Noise and silence have no name, and neither has anything where the images are shuffled."""
    found = named(drawn)
    names = [None if one.best is None else one.best.word for one in found.units]
    assert names == [*NAMES[:CONCEPTS], *[None] * (CONCEPTS + 1)]
    assert found.units[-1].dead and found.figures.dead == 1 and found.figures.named == CONCEPTS
    assert found.shuffled.named == 0 and found.untrained is None


def test_scores_are_those_of_pairs(drawn):
    """The AUC of every word that is told, counted one by one over its nearest images, and its share and images."""
    texts, pictures, maxima = drawn
    similar = (texts - texts.mean(0)) @ pictures.T
    for one in named(drawn).units:
        for score in one.ranked:
            inside = np.zeros(IMAGES, bool)
            inside[np.argsort(-similar[NAMES.index(score.word)])[: score.images]] = True
            assert score.images == round(score.share * IMAGES)
            assert score.auc == pytest.approx(pairwise_auc(maxima[:, one.unit].astype(float), inside), abs=1e-6)
            assert one.best != score or (score.auc >= LEAST_AUC and score.p < ALPHA)


def test_blocks_change_nothing(drawn, monkeypatch):
    """Words one by one give what all at once give, in the same order."""
    whole = named(drawn)
    monkeypatch.setattr(module, "MOST_WORDS", 1)
    assert len(blocks(len(NAMES), IMAGES)) == len(NAMES)
    assert named(drawn) == whole


def test_no_more_similarities_than_a_block_holds():
    """Whatever the number of images and words; every word is in one block."""
    for words, images in ((20_000, 50_000), (7, 10), (300, 2**25)):
        runs = blocks(words, images)
        assert [place for run in runs for place in range(run.start, run.stop)] == list(range(words))
        assert all((run.stop - run.start) * images <= max(module.MOST_SIMILARITIES, images) for run in runs)


def test_equally_near_images_are_never_parted():
    """At the end of a share all of them are left out; with too few images before them the share says nothing."""
    similarity = torch.zeros((2, 1000))
    similarity[0, :30] = torch.linspace(1, 0.5, 30)
    similarity[1, :300] = 1
    near = nearest(similarity)
    assert near.sizes.tolist() == [[5, 10, 20, 30, 30], [0, 0, 0, 0, 0]]
    assert sorted(near.images[0, :30].tolist()) == list(range(30))


def test_shares_of_few_images_are_not_tried():
    """Below five images; of less than fifty images there is no share at all."""
    assert wanted(400).tolist() == [0, 0, 8, 20, 40] and len(SHARES) == 5
    assert wanted(49).tolist() == [0, 0, 0, 0, LEAST_IMAGES] and not wanted(44).any()
    assert nearest(torch.rand((3, 44))).sizes.tolist() == [[0] * len(SHARES)] * 3


def test_sums_are_those_of_the_ranks():
    """Of every word and share, whatever shares are empty, and of images that change places."""
    rng = np.random.default_rng(0)
    maxima = rng.integers(0, 4, (60, 5)).astype(np.float32)
    ranked, order = Ranked.of(maxima), torch.from_numpy(rng.permutation(60))
    images = torch.from_numpy(np.stack([rng.permutation(60)[:9] for _ in range(3)]))
    near = Nearest(images, np.array([[0, 5, 8], [6, 0, 7], [0, 0, 0]]))
    slow = np.array([[(row < value).sum() + ((row == value).sum() + 1) / 2 for value in row] for row in maxima.T])
    for among in (None, order):
        sums = ranked.sums(near, among)
        places = images if among is None else among[images]
        for word, share in np.ndindex(3, 3):
            size = int(near.sizes[word, share])
            if size:
                expected = slow[:, places[word, :size].numpy()].sum(1)
                assert sums[:, word, share] == pytest.approx(expected, abs=1e-3)


def test_words_of_equal_nearness_are_told_in_the_order_of_the_list(drawn):
    """The same vector twice: the first word names the unit."""
    texts, pictures, maxima = drawn
    twice = np.concatenate([texts, texts[:1]])
    *_, found = name_layers({"a": Ranked.of(maxima)}, {}, [*NAMES, "again"], twice, pictures, 0)
    assert [score.word for score in found.units[0].ranked[:2]] == [NAMES[0], "again"]


def test_an_untrained_network_is_measured_in_the_same_way(drawn):
    """Its line is that of its own units."""
    silent = np.zeros((IMAGES, 3), np.float32)
    found = named(drawn, untrained={"a": Ranked.of(silent)})
    assert found.untrained is not None and (found.untrained.units, found.untrained.dead) == (3, 3)


def test_what_all_words_share_counts_for_none():
    """Less the mean word they sum up to nothing."""
    texts = np.random.default_rng(2).normal(3, 1, (7, 5)).astype(np.float32)
    assert centred(texts).sum(0).abs().max() < 1e-5
