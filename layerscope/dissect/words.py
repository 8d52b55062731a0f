"""Names from words: by which word are the images told that excite a unit?

A label is carried or not; a word is more or less near to every image. How near says nothing from word to word, so that
only the order of the images counts: a word stands for the images nearest to it, those of five shares (core/words.py).
Each is a set of images, tested as those of a label are (`dissect/ranks.py`), and a unit is named by the word of the
lowest p-value among those whose AUC reaches the bar and whose p-value, times the number of words and shares, is low.
Images that are equally near at the end of a share are all left out of it.

Words come in blocks and the order of images is found for each block anew, so that no more than a block of similarities
is ever there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from layerscope.core.labels import ALPHA, LEAST_AUC
from layerscope.core.words import LEAST_IMAGES, SHARES, LayerWords, UnitWords, WordFigures, WordScore
from layerscope.dissect.ranks import Ranks, p_of

RANKED = 3
# A block of words: at most so many, and so many similarities.
MOST_WORDS, MOST_SIMILARITIES = 256, 2**24
# What may name a unit stands above all that may not.
_FIT = 1e6


@dataclass(frozen=True, eq=False)
class Nearest:
    """The images nearest to each word of a block, the nearest first. sizes: how many of them belong to each share, none
    where too few do."""

    images: Int64[Tensor, "w most"]
    sizes: Int64[np.ndarray, "w shares"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """A layer's units, ranked. centred: float32[n, u], each image's rank less the mean rank, image by image."""

    centred: Float32[Tensor, "n u"]
    ties: Float64[np.ndarray, " u"]

    @classmethod
    def of(cls, maxima: Float32[np.ndarray, "n u"]) -> "Ranked":
        ranks = Ranks.of(maxima)
        middle = np.float32((len(maxima) + 1) / 2)
        return cls(torch.from_numpy(np.ascontiguousarray(ranks.ranks.T) - middle), ranks.ties)

    def sums(self, near: Nearest, order: Int64[Tensor, " n"] | None) -> Float64[np.ndarray, "u w shares"]:
        """For every unit, word and share the sum of its images' ranks. order: which image stands for which."""
        words, shares = near.sizes.shape
        most = int(near.sizes.max(initial=0))
        if not most:
            return np.zeros((self.centred.shape[1], words, shares))
        images = near.images[:, :most] if order is None else order[near.images[:, :most]]
        # From one share to the next larger one, each image is added once.
        ends = np.maximum.accumulate(near.sizes, axis=1)
        starts = np.concatenate([np.zeros((words, 1), np.int64), ends], axis=1) + np.arange(words)[:, None] * most
        bags = torch.nn.functional.embedding_bag(
            images.reshape(-1), self.centred, torch.from_numpy(starts.reshape(-1)), mode="sum"
        )
        # Behind the last share of a word lies what belongs to none.
        steps = bags.reshape(words, shares + 1, -1)[:, :shares].double().numpy()
        middle = (len(self.centred) + 1) / 2
        return np.cumsum(steps, axis=1).transpose(2, 0, 1) + ends * middle

    def ranks(self) -> Ranks:
        """The same as the tests want it."""
        return Ranks(self.centred.numpy().T, self.ties)


class Best:
    """Of each unit of a layer the few words that rank first so far. count: how many words and shares are tried."""

    def __init__(self, units: int, count: int) -> None:
        self._count = count
        self.key = np.full((units, RANKED), -np.inf)
        self.word, self.share, self.images = (np.zeros((units, RANKED), np.int64) for _ in range(3))
        self.z, self.auc = np.full((units, RANKED), -np.inf), np.full((units, RANKED), 0.5)

    def add(self, ranked: Ranked, near: Nearest, first: int, order: Int64[Tensor, " n"] | None = None) -> None:
        """Try a block of words, the first of which is number `first`."""
        units = len(self.key)
        found = ranked.ranks().tested(
            ranked.sums(near, order).reshape(units, -1), near.sizes.reshape(1, -1).astype(np.float64)
        )
        z, auc = (values.reshape(units, *near.sizes.shape) for values in (found.z, found.auc))
        z = np.where(near.sizes > 0, z, -np.inf)
        fit = (p_of(z) * self._count < ALPHA) & (auc >= LEAST_AUC)
        key = z + _FIT * fit
        share = key.argmax(2)
        every, words = np.ogrid[:units, : len(near.sizes)]
        number, sizes = np.broadcast_to(first + words, share.shape), near.sizes[words, share]
        # Of equal words the first of the list: those of earlier blocks stand in front, and the order is stable.
        joined = [
            np.concatenate([before, now], axis=1)
            for before, now in (
                (self.key, key[every, words, share]), (self.word, number), (self.share, share), (self.images, sizes),
                (self.z, z[every, words, share]), (self.auc, auc[every, words, share]),
            )
        ]  # fmt: skip
        kept = np.argsort(-joined[0], axis=1, kind="stable")[:, :RANKED]
        self.key, self.word, self.share, self.images, self.z, self.auc = (
            np.take_along_axis(values, kept, axis=1) for values in joined
        )

    def units(self, words: Sequence[str]) -> tuple[UnitWords, ...]:
        """Every unit with its words."""
        p = np.minimum(p_of(self.z) * self._count, 1)

        def scored(unit: int, place: int) -> WordScore:
            return WordScore(
                word=words[int(self.word[unit, place])], share=SHARES[int(self.share[unit, place])],
                auc=float(self.auc[unit, place]), z=float(self.z[unit, place]), p=float(p[unit, place]),
                images=int(self.images[unit, place]),
            )  # fmt: skip

        def named(unit: int) -> UnitWords:
            ranked = tuple(scored(unit, place) for place in range(RANKED) if np.isfinite(self.z[unit, place]))
            return UnitWords(unit=unit, ranked=ranked, best=ranked[0] if self.key[unit, 0] >= _FIT / 2 else None)

        return tuple(named(unit) for unit in range(len(self.key)))


def wanted(images: int) -> Int64[np.ndarray, " shares"]:
    """How many images each share is; none where these are too few to say anything, or all."""
    counts = np.floor(np.array(SHARES) * images + 0.5).astype(np.int64)
    return np.where((counts >= LEAST_IMAGES) & (counts < images), counts, 0)


def blocks(words: int, images: int) -> list[slice]:
    """Runs of words whose similarities to all images may be there at once."""
    size = max(1, min(MOST_WORDS, MOST_SIMILARITIES // images))
    return [slice(first, min(first + size, words)) for first in range(0, words, size)]


def nearest(similarity: Float32[Tensor, "w n"]) -> Nearest:
    """The images nearest to each word, by shares; equals at the end of a share belong to the next one."""
    counts = wanted(similarity.shape[1])
    most = int(counts.max(initial=0))
    if not most:
        none = torch.zeros((len(similarity), 0), dtype=torch.int64)
        return Nearest(none, np.zeros((len(similarity), len(counts)), np.int64))
    values, images = torch.topk(similarity, most + 1)
    beyond = values[:, torch.from_numpy(counts)]
    sizes = (values[:, None] > beyond[..., None]).sum(2).numpy()
    return Nearest(images, np.where((sizes >= LEAST_IMAGES) & (counts > 0), sizes, 0))


def centred(embeddings: Float32[np.ndarray, "words d"]) -> Float32[Tensor, "words d"]:
    """What tells each word from the mean word of the list.

    What all words have in common lies nearer to some images than to others: without this, every word would find these.
    """
    return torch.from_numpy((embeddings - embeddings.mean(0, dtype=np.float64)).astype(np.float32))


def name_layers(
    ranked: Mapping[str, Ranked],
    untrained: Mapping[str, Ranked],
    words: Sequence[str],
    texts: Float32[np.ndarray, "words d"],
    pictures: Float32[np.ndarray, "n d"],
    seed: int,
) -> Iterator[int | LayerWords]:
    """After each block of words how many it had, and at the end every layer with its names.

    ranked, untrained: by the layers' names; of the untrained network those that are there. texts, pictures: embeddings
    of length 1. seed: of the images' order where they are shuffled.
    """
    images, direction = torch.from_numpy(pictures), centred(texts)
    order = torch.from_numpy(np.random.default_rng([seed, len(pictures)]).permutation(len(pictures)))
    count = max(len(words) * int((wanted(len(pictures)) > 0).sum()), 1)
    tried = [
        [(layer, Best(layer.centred.shape[1], count), among) for layer in layers.values()]
        for layers, among in ((ranked, None), (ranked, order), (untrained, None))
    ]
    for block in blocks(len(words), len(pictures)):
        near = nearest(direction[block] @ images.T)
        for layer, best, among in (one for layers in tried for one in layers):
            best.add(layer, near, block.start, among)
        yield block.stop - block.start
    own, shuffled, random = ([best.units(words) for _, best, _ in layers] for layers in tried)
    beside = dict(zip(untrained, map(figures, random), strict=True))
    for name, units, by_chance in zip(ranked, own, shuffled, strict=True):
        yield LayerWords(
            layer=name, units=units, figures=figures(units), shuffled=figures(by_chance), untrained=beside.get(name)
        )


def figures(units: Sequence[UnitWords]) -> WordFigures:
    """What the units of a layer add up to."""
    names = [unit.best.word for unit in units if unit.best is not None]
    first = [unit.ranked[0].auc for unit in units if unit.ranked]
    return WordFigures(
        units=len(units),
        dead=sum(unit.dead for unit in units),
        named=len(names),
        distinct=len(set(names)),
        median_auc=float(np.median(first)) if first else None,
    )
