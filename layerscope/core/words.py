"""What words say of units, as records: units named by words of a list, by means of a model that compares both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from layerscope.core.named import farthest_above_chance

# A word stands for the images that are nearest to it: for each of these shares of them, a set.
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1)
# Fewer images than this say nothing of a unit.
LEAST_IMAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """Words as a model reads them. embeddings: of length 1. tokens: what it reads of each word. cut: the words of which
    it reads only the beginning."""

    embeddings: Float32[np.ndarray, "words d"]
    tokens: tuple[tuple[int, ...], ...]
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordScore:
    """How well one unit finds the images that are nearest to a word.

    share: of all images, those nearest to the word that the score is of; the share of the lowest p. auc: the share of
    pairs, one of these images and one of the others, in which the former excites the unit more; equals count half. z:
    the standard deviations by which it is above chance. p: the one-sided p-value times the number of words and shares
    tried, at most 1. images: how many images the share is.
    """

    word: str
    share: float
    auc: float
    z: float
    p: float
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitWords:
    """What words say of one unit.

    ranked: the three words of the lowest p-value, those that may name it first; none for a unit that is the same on
    all images. best: the word that names it; None where no word does.
    """

    unit: int
    ranked: tuple[WordScore, ...] = ()
    best: WordScore | None = None

    @property
    def dead(self) -> bool:
        """The same on all images."""
        return not self.ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFigures:
    """What a layer's units add up to. units: all. dead: the same on all images. named: by a word. distinct: how many
    words name a unit. median_auc: of the first in rank of each unit that is not dead; None without any."""

    units: int
    dead: int
    named: int
    distinct: int
    median_auc: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWords:
    """One layer, unit by unit and as a whole. shuffled: the same where images change places by lot, so that every word
    has others. untrained: the same of the network with random weights; None where there is none to compare with."""

    layer: str
    units: tuple[UnitWords, ...]
    figures: WordFigures
    shuffled: WordFigures
    untrained: WordFigures | None = None

    def strongest(self, count: int) -> tuple[UnitWords, ...]:
        """The named units farthest above chance, best first."""
        return farthest_above_chance(self.units, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDissection:
    """Names for units from a list of words.

    images: how many were compared. words: how many. settings: what it was measured with, the model too. left_out: what
    was not used, as sentences.
    """

    layers: tuple[LayerWords, ...]
    images: int
    words: int
    settings: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
