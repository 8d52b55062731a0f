"""How often a network is right: top-1 and top-5 over pictures with classes."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from layerscope.core.records import Input
from layerscope.training.pictures import Pictures, normalised

BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares in 0..1 of the pictures whose class is the first, or among the first five. images: how many."""

    top1: float
    top5: float
    images: int


class Tally:
    """Counts right answers, batch by batch."""

    def __init__(self) -> None:
        self.images, self._right = 0, np.zeros(5, np.int64)

    def add(self, scores: Float[Tensor, "b classes"], labels: Int64[np.ndarray, " b"]) -> None:
        """scores: one per class; labels: the right class's place."""
        best = scores.topk(min(5, scores.shape[1]), dim=1).indices.cpu().numpy()
        hits = (best == labels[:, None]).sum(axis=0)
        self._right[: len(hits)] += hits
        self.images += len(labels)

    @property
    def score(self) -> Score:
        return Score(
            top1=int(self._right[0]) / self.images, top5=int(self._right.sum()) / self.images, images=self.images
        )


@torch.no_grad()
def score(
    network: nn.Module, pictures: Pictures, input: Input, *, window: int, device: torch.device | None = None
) -> Score:
    """Evaluate at one crop, the middle `window` px of each picture; the network's mode is left as it was."""
    training, tally = network.training, Tally()
    network.eval()
    for start in range(0, len(pictures), BATCH):
        places = slice(start, start + BATCH)
        pixels = torch.from_numpy(normalised(pictures.middle(places, window), input))
        tally.add(network(pixels.to(device, memory_format=torch.channels_last)), pictures.labels[places])
    network.train(training)
    return tally.score
