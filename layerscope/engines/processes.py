"""The engine `processes`: every piece in one of several processes of this machine, by `concurrent.futures`.

Each process has a pool of its own, so that one that dies takes no other along.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from layerscope.core.engines import OF_PROCESSES
from layerscope.core.parcels import Packing
from layerscope.engines.crew import Crew, Hand, Lost, Packed, Receipt
from layerscope.engines.flow import Flow
from layerscope.engines.maker import PieceMaker

_maker: PieceMaker | None = None


@contextmanager
def started(
    workers: int,
    processes: int | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda sentence: None,
) -> Generator[Flow, None, None]:
    """The engine while it is open. processes: how many; None for as many as there are cores for, or GPUs. say: tells of
    a long wait."""
    # A script without a guard is run again by each process that it starts, up to here.
    if getattr(current_process(), "_inheriting", False):
        sys.exit(1)
    import torch  # not by the processes that load this module

    threads = torch.get_num_threads()
    accelerators = torch.cuda.device_count() if device.startswith("cuda") else 0
    count = processes or accelerators or max(1, cores() // threads)
    with TemporaryDirectory(prefix="layerscope-", ignore_cleanup_errors=True) as folder:
        flow = Flow(Processes(count, threads, accelerators, Path(folder)), say)
        flow.gather()
        try:
            yield flow
        finally:
            flow.end()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Processes(Crew):
    """Processes of this machine. What a stage needs lies in files of a folder, which each reads once."""

    name = OF_PROCESSES

    def __init__(self, count: int, threads: int, accelerators: int, folder: Path) -> None:
        self.count, self._threads, self._accelerators, self._folder = count, threads, accelerators, folder
        self._packing = Packing(self.name, self._write)
        self._begun, self._stage = 0, 0

    def begin(self) -> Hand:
        """Another process, which takes the next GPU."""
        accelerator = self._begun % self._accelerators if self._accelerators else None
        self._begun += 1
        return _OneProcess(self._threads, accelerator)

    def pack(self, work: Any) -> Packed:
        """A work as the paths of its parts."""
        self._stage += 1
        parcel = self._packing.parcel(work, elsewhere=False)
        name = f"stage {self._stage}"
        self._write(name, parcel.rest)
        alone = {key: str(self._folder / key) for key in parcel.alone}
        return Packed((self._stage, str(self._folder / name), alone), parcel.luggage)

    def nobody(self) -> str:
        return (
            "no process could be started: a script that builds with several processes does so behind "
            '`if __name__ == "__main__":`, and memory must suffice for all of them'
        )

    def _write(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)


class _OneProcess(Hand):
    """A pool of one process."""

    def __init__(self, threads: int, accelerator: int | None) -> None:
        super().__init__()
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(threads, accelerator)
        )
        self.met = self._pool.submit(os.getpid)

    def greet(self) -> None:
        self.where = f"process {_done(self.met)}"

    def give(self, work: Any, piece: bytes) -> "Future[Any]":
        try:
            stage, rest, alone = work
            return self._pool.submit(_make, stage, rest, alone, piece)
        except BrokenProcessPool as broken:
            raise Lost(str(broken)) from None

    def answer(self, done: "Future[Any]") -> Receipt:
        (made, size), data = _done(done)
        return Receipt(made, size, lambda: data)

    def end(self) -> None:
        if self.out and self.met.done() and not self.met.exception():  # nobody waits for what it makes
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.met.result(), signal.SIGTERM)
        self._pool.shutdown(wait=True, cancel_futures=True)


def _done(future: "Future[Any]") -> Any:
    try:
        return future.result()
    except (BrokenProcessPool, CancelledError) as broken:
        raise Lost(str(broken)) from None


def _prepare(threads: int, accelerator: int | None) -> None:
    """How a process begins: Ctrl-C is the writer's matter, and when the writer ends, so does this."""
    global _maker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_writer, daemon=True).start()
    _maker = PieceMaker(_read, threads, accelerator=accelerator)


def _end_with_the_writer() -> None:
    writer = parent_process()
    if writer is not None:
        writer.join()
        os._exit(1)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _make(stage: int, rest: Any, alone: dict[str, Any], piece: bytes) -> tuple[tuple[bool, int], bytes]:
    assert _maker is not None
    return _maker.make(stage, rest, alone, piece)
