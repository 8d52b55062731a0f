"""What all work on images has in common: a network, the images, and what must be left behind when it travels."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from typing import Any

import numpy as np
import torch

from layerscope.core.engines import DEFAULT_ENGINE, ENGINES, Piece
from layerscope.core.progress import Clock
from layerscope.core.records import Input
from layerscope.graph import Carrier, Runner
from layerscope.sources import Entry, Source

# The maps of one group's images are kept at the same time.
GROUP_BYTES = 512 * 2**20


def images_at_once(program: Carrier, nodes: Collection[int], most: int) -> int:
    """How many images can keep the maps of these nodes at the same time: GROUP_BYTES of them, and at most so many."""
    bytes_each = sum(int(np.prod(program.graph.nodes[node].shape)) for node in nodes) * program.dtype.itemsize
    return int(np.clip(GROUP_BYTES // bytes_each, 1, most))


class ImageWork(ABC):
    """Work that reads images and runs a network; see `core.engines.Work`.

    engine: whose runner passes images forward. threads: how many decode images. clock: adds up where the time goes, in
    the process that the work was made in.
    """

    def __init__(
        self, program: Carrier, source: Source, input: Input, *, engine: str = DEFAULT_ENGINE, threads: int = 2
    ) -> None:
        self.program, self.source, self.input = program, source, input
        self.engine, self.threads = engine, threads
        self.clock = Clock()
        self._torch_threads = torch.get_num_threads()
        self._runner: Runner | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "source": self.source.apart(), "clock": Clock(), "_runner": None}

    @abstractmethod
    def images_of(self, piece: Piece[Any]) -> Iterable[int]:
        """The images that a piece reads, each once or more."""

    def hollow(self) -> "ImageWork":
        """The same without the names of the images (`core/parted.py`)."""
        view = copy(self)
        view.source = self.source.hollow()
        return view

    def luggage(self, piece: Piece[Any]) -> Mapping[int, Entry]:
        """The names of a piece's images, by id."""
        return self.source.named(self.images_of(piece))

    def take(self, luggage: Mapping[int, Entry]) -> None:
        """Know these images, and no others."""
        self.source.know(luggage)

    @property
    def runner(self) -> Runner:
        """What passes images forward: the engine's own, or the network as it is."""
        if self._runner is None:
            chosen = ENGINES[self.engine].runner
            runner: Runner = self.program if chosen is None else chosen(self.program)
            self._runner = runner
        return self._runner

    def few(self) -> Mapping[int, Entry]:
        """A few images by id, to `take`: by them another machine is asked whether it sees the same."""
        return self.source.named(self._few())

    def sight(self) -> tuple[tuple[str, str], ...]:
        """What these are when they are read now: of each its name, and its SHA-256 or why it cannot be used."""
        records = self.source.apart().load(self._few(), self.input).records
        return tuple(
            (record.source, f"its SHA-256 is {record.sha256}" if record.skipped is None else f"it is {record.skipped}")
            for record in records
        )

    def _few(self) -> list[int]:
        last = len(self.source) - 1
        return sorted({0, last // 2, last}) if last >= 0 else []

    def settle(self) -> None:
        """Compute as the process that the work comes from: sums depend on the number of threads."""
        if torch.get_num_threads() != self._torch_threads:
            torch.set_num_threads(self._torch_threads)
