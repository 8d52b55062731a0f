"""What makes pieces in a process that is not the writer's.

It names nothing of layerscope before it has met the writer, since it may travel to a machine that has another
layerscope, or none. So this module imports the standard library alone.
"""

import os
import pickle
import platform
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

# What must be the same in every process: what is pickled, decoded and computed depends on it.
PACKAGES = ("layerscope", "torch", "numpy", "pillow", "ray")


def versions() -> dict[str, str]:
    """Of Python and of what the numbers depend on; nothing is imported for it. "none" where it is not installed."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def from_ray(held: list[Any]) -> bytes:
    """What lies in Ray's object store, by a list with its reference."""
    import ray

    return ray.get(held[0])


class PieceMaker:
    """Makes pieces, one after the other, and keeps the work of the latest stage.

    fetch: the bytes that something stands for, of what is handed to `make`. threads: that compute. accelerator: the
    number of the process's own GPU; None where it has none, or sees no other. folder: where the writer works.
    """

    def __init__(
        self, fetch: Callable[[Any], bytes], threads: int, *, accelerator: int | None = None, folder: str = ""
    ) -> None:
        # A library that is loaded later reads this once; what is loaded already is told in `_settled`.
        os.environ["OMP_NUM_THREADS"] = str(threads)
        if folder and os.path.isdir(folder):
            os.chdir(folder)
        self._fetch, self._threads, self._accelerator = fetch, threads, accelerator
        self._stage: int | None = None
        self._work: Any = None
        self._alone: Mapping[str, Any] = {}
        self._unpacking: Any = None

    def meet(self) -> dict[str, str]:
        """The versions of an actor, and its machine by Ray's number of it."""
        import ray

        return {**versions(), "node": ray.get_runtime_context().get_node_id()}

    def make(self, stage: int, rest: Any, alone: Mapping[str, Any], piece: bytes) -> tuple[tuple[bool, int], bytes]:
        """What was made of a piece, pickled, behind its size in bytes; or the error that it ended with.

        stage: tells one work from the next. rest, alone: the work's parts (`core/parcels.py`), as `fetch` takes them.
        piece: with its luggage, pickled.
        """
        try:
            from layerscope.core.parted import delivered

            work = self._work_of(stage, rest, alone)
            data, made = pickle.dumps(tuple(delivered(work, *pickle.loads(piece))), 5), True
        except Exception as failure:
            data, made = self._told(failure), False
        return (made, len(data)), data

    def _work_of(self, stage: int, rest: Any, alone: Mapping[str, Any]) -> Any:
        if stage != self._stage:
            from layerscope.core.parcels import Unpacking

            self._work, self._alone = None, alone
            if self._unpacking is None:
                self._unpacking = Unpacking(lambda key: self._fetch(self._alone[key]))
            self._settled()
            self._work = self._unpacking.work(self._fetch(rest), alone)
            self._settled()
            self._stage = stage
        return self._work

    def _settled(self) -> None:
        """As many threads as were said, whatever this process has computed before; on its own GPU."""
        torch = sys.modules.get("torch")
        if torch is None and self._accelerator is not None:
            import torch
        if torch is not None:
            torch.set_num_threads(self._threads)
            if self._accelerator is not None:
                torch.cuda.set_device(self._accelerator)

    def _told(self, failure: Exception) -> bytes:
        """An error with its traceback, pickled."""
        text = traceback.format_exc()
        try:
            data = pickle.dumps((failure, text))
            pickle.loads(data)
        except Exception:  # of whatever an error of somebody else's code holds
            data = pickle.dumps((RuntimeError(f"{type(failure).__name__}: {failure}"), text))
        return data
