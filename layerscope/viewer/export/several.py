"""The files of an export made by several processes: each opens the atlas itself, and the bytes are those of one.

A process is given places in the plan's list and answers with their contents. The writer asks for a few groups ahead,
and takes them in the plan's order. Processes are programs of their own: nothing of a script that exports is run again.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from queue import SimpleQueue
from typing import Any

from layerscope.core.errors import UsageError
from layerscope.viewer.export.plan import Plan, SiteFile
from layerscope.viewer.export.workmate import Publication, listed, received, sent

# So many files for each process: to start one takes as long as to make some 600, and it holds some 80 to 110 MiB.
FEWEST_FILES, MOST_PROCESSES = 1500, 8
# Files that are asked for at once, and how many such groups for each process, so that none waits for the writer.
AT_ONCE, AHEAD = 16, 4


@contextmanager
def contents(plan: Plan, processes: int | None = None) -> Generator[Iterator[bytes], None, None]:
    """The bytes of a plan's files, in its order. processes: how many make them; None for as many as pay.

    This one alone where an atlas is being built or changed, or a network is published with it. Raises as `Plan.content`
    does, and UsageError where another process ends before its time.
    """
    with ExitStack() as stack:
        crew = _crew(plan, _paying(plan) if processes is None else processes, stack)
        with closing(_made(plan.pieces, crew) if crew else _alone(plan)) as made:
            yield made


def _paying(plan: Plan) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_PROCESSES, len(plan.pieces) // FEWEST_FILES)


def _alone(plan: Plan) -> Generator[bytes, None, None]:
    yield from map(plan.content, plan.pieces)


def _crew(plan: Plan, processes: int, stack: ExitStack) -> list["Workmate"]:
    """Processes that would write what this one would; none where that cannot be said of all of them."""
    edition = plan.book.edition
    if processes < 2 or not sys.executable or not edition.finished or edition.choice.network is not None:
        return []
    order, same = Publication(edition.path, edition.choice), (edition.state, listed(plan))
    try:
        crew = [stack.enter_context(closing(Workmate())) for _ in range(processes)]
        for one in crew:
            one.send(order)
        return crew if all([one.receive() == same for one in crew]) else []
    except (OSError, EOFError):
        # Too little memory for others need not be too little for one.
        return []


def _made(pieces: Sequence[SiteFile], crew: Sequence["Workmate"]) -> Generator[bytes, None, None]:
    idle = SimpleQueue["Workmate"]()
    for one in crew:
        idle.put(one)

    def make(group: range) -> list[bytes]:
        workmate = idle.get()
        try:
            return workmate.make(group)
        finally:
            idle.put(workmate)

    # The threads only wait: what this process computes itself would keep those waiting that hand over.
    threads, asked = ThreadPoolExecutor(len(crew)), deque[Future[list[bytes]]]()
    try:
        for group in groups(pieces):
            asked.append(threads.submit(make, group))
            if len(asked) >= AHEAD * len(crew):
                yield from asked.popleft().result()
        while asked:
            yield from asked.popleft().result()
    finally:
        # Whoever still waits for a process learns that it has ended.
        for one in crew:
            one.close()
        threads.shutdown(wait=True, cancel_futures=True)


def groups(pieces: Sequence[SiteFile]) -> Iterator[range]:
    """The places of files that one process makes one after the other: a page and its values always are."""
    first = 0
    for place in range(1, len(pieces) + 1):
        if place == len(pieces) or (place - first >= AT_ONCE and pieces[place].kind != "data"):
            yield range(first, place)
            first = place


class Workmate:
    """Another process that makes files. Raises OSError where none can be started."""

    def __init__(self) -> None:
        # It loads the modules that this process does, and none of the folder in which it happens to be.
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from layerscope.viewer.export.workmate import main; main()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip

    def send(self, what: Any) -> None:
        """An order or places. Raises OSError."""
        assert self._process.stdin is not None
        sent(self._process.stdin, pickle.dumps(what))

    def receive(self) -> Any:
        """The answer. Raises EOFError."""
        assert self._process.stdout is not None
        return pickle.loads(received(self._process.stdout))

    def make(self, group: range) -> list[bytes]:
        """The contents of these places. Raises what making them raised there."""
        try:
            self.send(group)
            answer = self.receive()
        except (OSError, EOFError) as error:
            raise UsageError(
                "a process that made pages for the export ended before its time; free memory, or choose fewer layers "
                "with --layers, and export again"
            ) from error
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """End it, whatever it does. Its pipes go with the last thread that reads them."""
        self._process.kill()
        self._process.wait()
