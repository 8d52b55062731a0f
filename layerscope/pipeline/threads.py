"""How many threads compute: sums depend on it, so it is a part of a run, and every process of the run has the same."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import torch

from layerscope.atlas.records import RunRecord
from layerscope.core.engines import Engine


@contextmanager
def computing(engine: Engine, run: RunRecord | None) -> Generator[None, None, None]:
    """PyTorch computes with as many threads as this engine's processes do, here too, as long as it is open.

    Where processes share the cores that is what `run`, whose atlas is gone on with, was begun with; else what
    OMP_NUM_THREADS has told PyTorch, or one. Any other engine computes with what PyTorch is set to.
    """
    before = torch.get_num_threads()
    count = _of_processes(run) if engine.own_threads else before
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)


def _of_processes(run: RunRecord | None) -> int:
    begun = run.fingerprint.get("threads") if run is not None else None
    if isinstance(begun, int) and begun > 0:
        return begun
    return torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else 1
