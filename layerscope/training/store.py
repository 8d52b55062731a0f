"""Where a run's pictures lie: in memory, or, where they are too many or several processes share them, in its folder."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from layerscope.core.errors import LayerscopeError
from layerscope.training.pictures import Empty, Pictures, in_memory
from layerscope.training.workers import Workers

IN_MEMORY = 4 << 30  # bytes
SPARE = 1 << 30  # bytes of a disk that are left free


class Store:
    """Makes room for pictures. folder: of the run; what lies there is taken away by `clear`."""

    def __init__(self, folder: Path, workers: Workers, in_memory: int = IN_MEMORY) -> None:
        self.folder, self.workers, self.most = folder, workers, in_memory
        self._made: list[Path] = []

    def once(self, name: str, make: Callable[[Empty], Pictures]) -> Pictures:
        """Pictures made by the first process, and read by all."""
        if self.workers.count == 1:
            return make(partial(self._empty, name))
        about = self.folder / f".{name}.npz"
        if self.workers.first:
            made = make(partial(self._mapped, name))
            np.savez(about, labels=made.labels, classes=np.array(made.classes))
            self._made.append(about)
        self.workers.meet()
        known = np.load(about)
        pixels = np.load(self._file(name), mmap_mode="r")[: len(known["labels"])]
        return Pictures(pixels, known["labels"], tuple(str(name) for name in known["classes"]))

    def clear(self) -> None:
        """Take away what only a run in progress needs."""
        while self._made:
            self._made.pop().unlink(missing_ok=True)

    def _empty(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        return in_memory(shape) if _bytes(shape) <= self.most else self._mapped(name, shape)

    def _mapped(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Room in a file. Raises LayerscopeError at once where the disk has too little of it."""
        file, needed = self._file(name), _bytes(shape)
        file.unlink(missing_ok=True)
        free = shutil.disk_usage(self.folder).free
        if needed + SPARE > free:
            raise LayerscopeError(
                f'the decoded pictures need {needed / 1e9:.1f} GB in "{self.folder}", where {free / 1e9:.1f} GB are '
                "free: choose an --out on a larger disk"
            )
        self._made.append(file)
        return np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)

    def _file(self, name: str) -> Path:
        return self.folder / f".{name}.npy"


def _bytes(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
