"""Worker processes read the items of a Dataset ahead, and their results come back in order.

Only this module loads torch, and only when worker processes are wanted.
"""

import multiprocessing
import os
import pickle
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from layerscope.core.errors import ImageError, LayerscopeError
from layerscope.core.records import Input
from layerscope.sources.image import PlacedImage
from layerscope.sources.source import Ids, Rows

if TYPE_CHECKING:
    from layerscope.sources.dataset import DatasetSource


class Runs:
    """What a worker process is given: an object that, indexed by a run of ids, prepares it."""

    def __init__(self, source: "DatasetSource", input: Input) -> None:
        self.source, self.input = source, input

    def __getitem__(self, ids: Ids) -> tuple[Ids, Rows, list[PlacedImage]] | LayerscopeError:
        (_, rows), calls = self.source._group(ids, self.input)
        try:
            return ids, rows, [call() for call in calls]
        except LayerscopeError as failure:  # as a value, because the loader would wrap its message in a traceback
            return failure


class _Nowhere:
    """A file that forgets what is written: pickling is tried without holding a second copy of the data."""

    def write(self, data: Any) -> int:
        return len(data) if isinstance(data, bytes) else memoryview(data).nbytes


def from_workers(
    prepared: Runs, runs: Iterable[Ids], threads: int, ahead: int
) -> Iterator[tuple[Ids, Rows, list[PlacedImage]]]:
    """What `prepared` gives for each run, in order, from worker processes; they end with the iteration."""
    from torch import Generator
    from torch.utils.data import DataLoader

    # More processes than cores gain nothing, and PyTorch warns of them.
    workers = min(threads, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    loader = DataLoader(
        prepared,  # pyright: ignore[reportArgumentType]
        batch_size=None,
        sampler=runs,  # pyright: ignore[reportArgumentType]
        collate_fn=_unchanged,
        num_workers=workers,
        prefetch_factor=max(1, ahead // workers),
        generator=Generator().manual_seed(0),  # the default would draw from the user's own random numbers
    )
    for result in _alive(loader):
        if isinstance(result, LayerscopeError):
            raise result
        yield result


def _alive(loader: Iterable[Any]) -> Iterator[Any]:
    """The loader's results. Raises ImageError where one of its processes was ended from outside."""
    try:
        yield from loader
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise ImageError(
            "a process that reads the images was ended from outside, as systems do where memory is short: free some, "
            "or ask for fewer workers, and run the same command again"
        ) from error


def _unchanged(result: Any) -> Any:
    """Arrays travel by pipe: the shared memory that tensors would take is often only 64 MB in a container."""
    return result


def fit_for_workers(dataset: Any) -> bool:
    """False for what worker processes cannot be given; what cannot be pickled often holds an open file, which forked
    processes would read into each other's way."""
    if multiprocessing.get_start_method() != "fork" and type(dataset).__module__ == "__main__":
        return False  # a fresh process does not know what a notebook or script has defined
    try:
        pickle.Pickler(_Nowhere()).dump(dataset)
    except Exception:
        return False
    return True
