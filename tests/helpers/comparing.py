"""A model that compares pictures with words and is always right: it counts the px of colours, and knows their names."""

from collections.abc import Sequence

import numpy as np

from layerscope.core.words import Texts

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}
OTHERS = tuple(f"word {place}" for place in range(20))
# Room for what no word names, and for what all words share.
REST = 24


class Colours:
    """Knows colours by name, in any case; to it any other word is a direction of its own. seen: pictures looked at."""

    name, key, longest = "colours", "the first", 3

    def __init__(self, *, blind: bool = False) -> None:
        self.seen, self.blind = 0, blind

    def texts(self, words: Sequence[str]) -> Texts:
        vectors = np.zeros((len(words), len(COLOURS) + REST), np.float32)
        vectors[:, -1] = 1
        for vector, word in zip(vectors, words, strict=True):
            known = word.lower().split()[: self.longest]
            if self.blind:
                continue
            if known[0] in COLOURS:
                vector[list(COLOURS).index(known[0])] = 1
            else:
                vector[len(COLOURS) : -1] = np.random.default_rng(list(word.encode())).normal(0, 0.2, REST - 1)
        tokens = tuple(tuple(word.lower().encode().split()[: self.longest]) for word in words)
        return Texts(
            embeddings=unit(vectors),
            tokens=tuple(tuple(hash(token) for token in one) for one in tokens),
            cut=tuple(word for word in words if len(word.split()) > self.longest),
        )

    def pictures(self, pixels: np.ndarray) -> np.ndarray:
        self.seen += len(pixels)
        vectors = np.zeros((len(pixels), len(COLOURS) + REST), np.float32)
        for place, colour in enumerate(COLOURS.values()):
            near = np.abs(pixels.astype(int) - colour).max(axis=-1) < 30
            vectors[:, place] = near.mean(axis=(1, 2)) * 8
        rest = [np.random.default_rng(int(one.sum())).normal(0, 0.1, REST) for one in pixels]
        vectors[:, len(COLOURS) :] = np.array(rest)
        vectors[:, -1] += 1
        return unit(vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Squares:
    """Pictures, uint8[count, 16, 16, 3]: gray with grain, and on one in five of them a square of a colour."""

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.pictures = rng.integers(100, 140, (count, 16, 16, 3)).astype(np.uint8)
        self.colour = rng.integers(0, 5 * len(COLOURS), count)
        for picture, colour in zip(self.pictures, self.colour, strict=True):
            top, left, side = (*rng.integers(0, 8, 2), rng.integers(3, 9))
            if colour < len(COLOURS):
                picture[top : top + side, left : left + side] = list(COLOURS.values())[colour]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, image: int) -> tuple[np.ndarray, int]:
        return self.pictures[image], 0
