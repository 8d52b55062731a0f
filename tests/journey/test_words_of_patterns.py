"""The known network's units are named by the patterns that they were built for, by a model that knows what is drawn."""

from collections.abc import Sequence

import numpy as np
import pytest

import layerscope as ls
from layerscope.core.words import Texts
from layerscope.dissect import dissect_by_words
from layerscope.known.again import PATTERNS, PLACE, pattern_name
from layerscope.known.network import INPUT, UNIT_NAMES, known_network
from layerscope.known.pictures import Picture, planted
from layerscope.sources import open_source

NAMES = [pattern.name for pattern in PATTERNS]
OTHERS = [f"word {place}" for place in range(200)]
# Directions for other words, and one for what all texts share.
ROOM = 64


class Drawn:
    """Pictures as a data set, and a model that knows their patterns by name, with noise."""

    name, key, longest = "what is drawn", "known", 9

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.pixels = [picture.pixels for picture in pictures]
        rng, self._vectors = np.random.default_rng(1), {}
        for picture in pictures:
            vector = np.zeros(len(NAMES) + ROOM + 1)
            for plant in picture.plants:
                if pattern_name(plant.name) in PLACE:
                    vector[PLACE[pattern_name(plant.name)]] += 1
            vector += 0.3 * rng.normal(size=len(vector))
            vector[-1] += 3
            self._vectors[picture.pixels.tobytes()] = vector / np.linalg.norm(vector)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, image: int) -> tuple[np.ndarray, int]:
        return self.pixels[image], 0

    def texts(self, words: Sequence[str]) -> Texts:
        rng, vectors = np.random.default_rng(5), np.zeros((len(words), len(NAMES) + ROOM + 1))
        for vector, word in zip(vectors, words, strict=True):
            if word in NAMES:
                vector[NAMES.index(word)] = 1
            else:
                vector[len(NAMES) : -1] = rng.normal(size=ROOM) / 8
        vectors[:, -1] = 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Texts(embeddings=vectors.astype(np.float32), tokens=tuple((place,) for place in range(len(words))))

    def pictures(self, pixels: np.ndarray) -> np.ndarray:
        return np.array([self._vectors[one.tobytes()] for one in pixels], np.float32)


@pytest.mark.wide
def test_units_are_named_by_their_patterns() -> None:
    """All but one or two of 56, of 250 words; of shuffled images at most as many: chance may name one in a hundred."""
    drawn, net = Drawn(planted(0, 600)), ls.trace(known_network(), INPUT)
    layers = [net[name] for name in UNIT_NAMES]
    found = dissect_by_words(net.program, INPUT, layers, open_source(drawn), [*NAMES, *OTHERS], drawn)
    pairs = [
        (pattern_name(UNIT_NAMES[layer.layer][unit.unit]), unit.best and unit.best.word)
        for layer in found.layers
        for unit in layer.units
    ]
    assert len(pairs) == 56 and sum(built == said for built, said in pairs) >= 54, pairs
    assert sum(layer.shuffled.named for layer in found.layers) <= 2
